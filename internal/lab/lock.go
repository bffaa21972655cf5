package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// errLocked is wrapped where another process makes a run.
var errLocked = errors.New("held by another process")

const (
	heartbeat = 20 * time.Second // between signs of life of a lock's holder
	silence   = 2 * time.Minute  // after which a holder that cannot be asked is taken for dead
)

// A lock is a file that names the process that makes a run. Where the system
// has flock, holding that decides, and the death of a process frees it at once.
// Elsewhere, or where the file names another host, whose flock a network file
// system may not show us, the file's time of change decides: its holder renews
// it.
type lock struct {
	path  string
	file  *os.File // holds the flock; nil without one
	stop  chan struct{}
	beats sync.WaitGroup
	once  sync.Once
}

// acquire takes the lock of that path, or returns an error that wraps errLocked
// and names the holder.
func acquire(path string) (*lock, error) {
	file, err := acquireFlock(path)
	if errors.Is(err, errors.ErrUnsupported) {
		err = acquireExclusive(path)
	}
	if err != nil {
		return nil, err
	}
	l := &lock{path: path, file: file, stop: make(chan struct{})}
	l.beats.Go(l.beat)
	return l, nil
}

// release gives the lock back.
func (l *lock) release() {
	l.once.Do(func() {
		close(l.stop)
		l.beats.Wait()
		os.Remove(l.path) // before the flock goes: nobody else can hold this file yet
		if l.file != nil {
			l.file.Close()
		}
	})
}

func (l *lock) beat() {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case now := <-tick.C:
			os.Chtimes(l.path, now, now) // a missed beat does no harm
		}
	}
}

// A holder is what a lock file says.
type holder struct {
	pid  int
	host string
}

func self() holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return holder{os.Getpid(), host}
}

func (h holder) String() string { return fmt.Sprintf("process %d on %s", h.pid, h.host) }

func (h holder) text() string { return fmt.Sprintf("%d %s\n", h.pid, h.host) }

func readHolder(text string) (h holder, ok bool) {
	pid, host, ok := strings.Cut(strings.TrimSpace(text), " ")
	if !ok {
		return holder{}, false
	}
	n, err := strconv.Atoi(pid)
	return holder{n, host}, err == nil
}

// alive tells whether a lock file's holder may still live, as far as can be told
// without a flock.
func (h holder) alive(changed time.Time) bool {
	if h.host == self().host && h.pid != os.Getpid() && !processExists(h.pid) {
		return false
	}
	return time.Since(changed) < silence
}

// acquireExclusive is for file systems without flock: whoever creates the file
// holds it, until the holder dies.
func acquireExclusive(path string) error {
	for range 10 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(self().text())
			if closed := f.Close(); err == nil {
				err = closed
			}
			return err
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		h, ok := readHolder(string(text))
		if !ok && time.Since(info.ModTime()) < silence || ok && h.alive(info.ModTime()) {
			return fmt.Errorf("%s: %w: %s", path, errLocked, h)
		}
		discard(path, info)
	}
	return fmt.Errorf("%s: %w", path, errLocked)
}

// discard removes the lock file that was found stale, and no newer one that
// another process has put in its place meanwhile.
func discard(path string, stale fs.FileInfo) {
	aside := fmt.Sprintf("%s.stale-%d", path, os.Getpid())
	if os.Rename(path, aside) != nil {
		return
	}
	if moved, err := os.Stat(aside); err == nil && !os.SameFile(moved, stale) {
		os.Rename(aside, path)
		return
	}
	os.Remove(aside)
}
