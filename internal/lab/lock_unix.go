//go:build unix

package lab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// acquireFlock opens the lock file, holds an flock on it and signs it. Its error
// wraps errors.ErrUnsupported where the file system has none.
func (w *Locks) acquireFlock(path, signature string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
		created := err == nil
		if errors.Is(err, fs.ErrExist) {
			f, err = os.OpenFile(path, os.O_RDWR, 0)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		again, err := w.holdFlock(f, path, signature)
		if err == nil && !again {
			return f, nil
		}
		f.Close()
		if created && errors.Is(err, errors.ErrUnsupported) {
			os.Remove(path)
		}
		if err != nil {
			return nil, err
		}
	}
}

// holdFlock takes the flock and signs the file. It asks to be called again with
// a newly opened file where the last holder has just removed this one.
func (w *Locks) holdFlock(f *os.File, path, signature string) (again bool, err error) {
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, fmt.Errorf("%s: %w%s", path, ErrLocked, signer(f))
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EINVAL):
		return false, errors.ErrUnsupported
	case err != nil:
		return false, &os.PathError{Op: "flock", Path: path, Err: err}
	}
	held, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(path)
	if err != nil || !os.SameFile(held, named) {
		return true, nil
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return false, err
	}
	if h, ok := readHolder(string(text)); ok && h.host != self().host && !w.silent(path, held.ModTime()) {
		return false, fmt.Errorf("%s: %w: %s", path, ErrLocked, h)
	}
	if err := f.Truncate(0); err != nil {
		return false, err
	}
	_, err = f.WriteAt([]byte(signature), 0)
	return false, err
}

// signer says who signed the file, to end an error with.
func signer(f *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(f, 1<<10))
	if h, ok := readHolder(string(text)); ok {
		return ": " + h.String()
	}
	return ""
}

func processExists(pid int) bool {
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}
