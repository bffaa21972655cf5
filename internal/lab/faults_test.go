//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// mount gives a small file system of its own, where this process may.
func mount(t *testing.T, kilobytes int) (dir string, remount func(flags uintptr)) {
	t.Helper()
	dir = t.TempDir()
	size := fmt.Sprintf("size=%dk", kilobytes)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, size); err != nil {
		t.Skipf("wants to mount a file system of %d kB: %v", kilobytes, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|flags, size); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDisk lets a disk run full in the middle of a plan: the message says so
// and what to do, what was finished stays, and when there is room the same call
// ends with the same bits.
func TestFullDisk(t *testing.T) {
	s := tiny(t, "features:1SA")
	s.Seeds = FirstSeeds(4)
	plan := planned(t, s)
	dir, _ := mount(t, 2048) // a run leaves about 140 kB, and needs as much again while it is made
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1200<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	f := open(t, filepath.Join(dir, "results"))
	err := (&Lab{Folder: f, Checkpoint: 7, Parallel: 1}).Run(t.Context(), plan)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "nothing finished is lost: make room, and the same command continues") {
		t.Fatalf("got %v, want an error that the disk is full and what to do", err)
	}
	finished := map[string][]byte{}
	for _, g := range plan {
		for _, r := range g {
			if _, done, err := f.finished(r); err != nil {
				t.Fatal(err)
			} else if done {
				finished[r.ID], _ = os.ReadFile(f.runFile(r, "run.json"))
			}
		}
	}
	if len(finished) == 0 || len(finished) == 8 {
		t.Fatalf("%d of 8 runs finished: the disk should run full between", len(finished))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := (&Lab{Folder: f, Checkpoint: 7, Parallel: 1}).Run(t.Context(), plan); err != nil {
		t.Fatal("after making room:", err)
	}
	for id, before := range finished {
		if after, err := os.ReadFile(f.Path("runs", id, "run.json")); err != nil || !cmp.Equal(after, before) {
			t.Errorf("finished run %s was touched: %v", id, err)
		}
	}
	if !cmp.Equal(left(t, f, plan), uninterrupted(t, plan)) {
		t.Error("the results differ from those of a large disk")
	}
}

// TestReadOnlyFolder wants a message that names the folder, and that what is
// finished can still be read.
func TestReadOnlyFolder(t *testing.T) {
	s := tiny(t)
	plan := planned(t, s)
	dir, remount := mount(t, 4096)
	f := open(t, dir)
	if err := (&Lab{Folder: f}).Run(t.Context(), plan[:1]); err != nil {
		t.Fatal(err)
	}
	remount(unix.MS_RDONLY)
	defer remount(0)
	f = open(t, dir)
	err := (&Lab{Folder: f}).Run(t.Context(), plan)
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "make it writable, or choose another") {
		t.Errorf("got %v, want an error that names the folder and what to do", err)
	}
	if states, err := f.States([]string{plan[0][0].ID, plan[1][0].ID}); err != nil || states[0].Status != Done || states[1].Status != "" {
		t.Errorf("%+v, %v: want done, and not begun", states, err)
	}
	if err := (&Lab{Folder: f}).Run(t.Context(), plan[:1]); err != nil {
		t.Error("nothing is left to do:", err)
	}
}

// TestClockJumpsBack continues a run after the clock was set back by a day: its
// files are then from the future.
func TestClockJumpsBack(t *testing.T) {
	s := tiny(t)
	plan := planned(t, s)
	f := open(t, t.TempDir())
	r := plan[0][0]
	l := &Lab{Folder: f, Checkpoint: 7}
	j, err := l.begin(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.advance(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	tomorrow := time.Now().Add(24 * time.Hour)
	j.record.Started = tomorrow
	if err := j.save(); err != nil {
		t.Fatal(err)
	}
	j.close()
	// The lock of a process of another machine that died, from the future too.
	lock := f.runFile(r, "lock")
	if err := os.WriteFile(lock, []byte("1 another-host 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run.json", "metrics.csv", "checkpoint.safetensors", "lock"} {
		if err := os.Chtimes(f.runFile(r, name), tomorrow, tomorrow); err != nil {
			t.Fatal(err)
		}
	}
	l = &Lab{Folder: f, Checkpoint: 7}
	l.locks.silence = 3 * pause / 2
	var e events
	l.Report = e.add
	if err := l.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if e.count(Waiting) == 0 {
		t.Error("the lock of another machine was taken without watching it")
	}
	rec, err := f.Record(r)
	if err != nil || rec.Status != Done || rec.Resumed != 1 {
		t.Errorf("%+v, %v: want done, continued once", rec, err)
	}
	points, err := f.Metrics(r)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(points); i++ {
		if points[i].Seconds < points[i-1].Seconds {
			t.Errorf("seconds run backwards: %v after %v", points[i].Seconds, points[i-1].Seconds)
		}
	}
	if !cmp.Equal(left(t, f, plan), uninterrupted(t, plan)) {
		t.Error("the results differ from those of a steady clock")
	}
}
