package lab

import "fmt"

// Hold takes the lock at a path for this process, for what only one may write at a time,
// and returns what gives it back. Its error names the process that has it. A lock that a
// machine left behind which we cannot ask stays until somebody removes the file.
func Hold(path string) (release func(), err error) {
	l, err := new(watch).acquire(path)
	if err != nil {
		return nil, fmt.Errorf("%w: wait until it has ended", err)
	}
	return l.release, nil
}
