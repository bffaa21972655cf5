package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrLocked is wrapped by errors about a run that another process makes.
var ErrLocked = errors.New("held by another process")

const (
	heartbeat = 20 * time.Second // between signs of life of a lock's holder
	silence   = 2 * time.Minute  // without one, a holder that cannot be asked is taken for dead
)

// A Lock is a file that names the process that makes a run. Where the system
// has flock, holding that decides, and the death of a process frees it at once.
// Elsewhere, or where the file names another host, whose flock a network file
// system may not show us, its holder renews the file's time of change, and we
// watch whether it does.
type Lock struct {
	path  string
	text  string   // what the file says while we hold it
	file  *os.File // holds the flock; nil without one
	stop  chan struct{}
	beats sync.WaitGroup
	once  sync.Once
}

// Locks takes locks, and remembers those of others that one process has met, to tell which
// are still renewed. It measures by its own monotonic clock how long a lock has
// not changed, and never compares a lock's time with the time of day: clocks of
// two machines differ, and a clock may jump.
type Locks struct {
	silence time.Duration // 0: the constant
	mu      sync.Mutex
	seen    map[string]sighting
}

type sighting struct {
	changed time.Time // the lock's time of change
	since   time.Time // when we first saw it so
}

// silent tells whether a lock has not changed for so long, all the time watched,
// that its holder must be dead.
func (w *Locks) silent(path string, changed time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[string]sighting{}
	}
	last, met := w.seen[path]
	if !met || !last.changed.Equal(changed) {
		w.seen[path] = sighting{changed, time.Now()}
		return false
	}
	limit := w.silence
	if limit == 0 {
		limit = silence
	}
	return time.Since(last.since) >= limit
}

// Take takes the lock of that path, or returns an error that wraps ErrLocked
// and names the holder.
func (w *Locks) Take(path string) (*Lock, error) {
	l := &Lock{path: path, text: self().text(), stop: make(chan struct{})}
	var err error
	l.file, err = w.acquireFlock(path, l.text)
	if errors.Is(err, errors.ErrUnsupported) {
		err = w.acquireExclusive(path, l.text)
	}
	if err != nil {
		return nil, err
	}
	l.beats.Go(l.beat)
	return l, nil
}

// Held reports a lock that another process has taken from us, which happens to
// one that was suspended for long; its error wraps ErrLocked.
func (l *Lock) Held() error {
	text, err := os.ReadFile(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w: it was removed", l.path, ErrLocked)
	case err != nil:
		return err
	case string(text) == l.text:
		return nil
	}
	h, _ := readHolder(string(text))
	return fmt.Errorf("%s: %w: %s", l.path, ErrLocked, h)
}

// Release gives the lock back.
func (l *Lock) Release() {
	l.once.Do(func() {
		close(l.stop)
		l.beats.Wait()
		if l.Held() == nil {
			os.Remove(l.path) // before the flock goes: nobody else can hold this file yet
		}
		if l.file != nil {
			l.file.Close()
		}
	})
}

func (l *Lock) beat() {
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

// text is what a lock file says. No two are alike, so that a process knows its
// own even where another machine has the same name.
func (h holder) text() string { return fmt.Sprintf("%d %s %016x\n", h.pid, h.host, rand.Uint64()) }

func readHolder(text string) (h holder, ok bool) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return holder{}, false
	}
	n, err := strconv.Atoi(words[0])
	return holder{n, words[1]}, err == nil
}

// gone tells whether a lock's holder is known to be dead.
func (h holder) gone() bool {
	return h.host == self().host && h.pid != os.Getpid() && !processExists(h.pid)
}

// holderOf names who holds a lock, "" where nobody does, as far as can be told by
// looking once.
func holderOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	h, ok := readHolder(string(text))
	if !ok || h.gone() || h.host != self().host && time.Since(info.ModTime()) > silence {
		return ""
	}
	return h.String()
}

// acquireExclusive is for file systems without flock: whoever creates the file
// holds it, until the holder dies.
func (w *Locks) acquireExclusive(path, signature string) error {
	for range 10 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(signature)
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
		if !(ok && h.gone()) && !w.silent(path, info.ModTime()) {
			return fmt.Errorf("%s: %w: %s", path, ErrLocked, h)
		}
		discard(path, info)
	}
	return fmt.Errorf("%s: %w", path, ErrLocked)
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
