//go:build unix

package main

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeSpace returns the bytes that are free where a folder is, or will be.
func freeSpace(path string) (float64, bool) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, false
	}
	for {
		var s unix.Statfs_t
		if err := unix.Statfs(path, &s); err == nil {
			return float64(s.Bavail) * float64(s.Bsize), true
		}
		above := filepath.Dir(path)
		if above == path {
			return 0, false
		}
		path = above
	}
}
