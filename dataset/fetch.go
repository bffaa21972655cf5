package dataset

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"swapmc/internal/atomicfile"
)

// A Source is a file on the web with a known checksum.
type Source struct {
	URL  string
	MD5  string // in hexadecimal
	File string // the name under which it is kept
}

// cifar10Source is the official address and checksum of the binary version.
var cifar10Source = Source{
	URL:  "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
	MD5:  "c32a1d4ab5d03f1284b67883e8d87530",
	File: "cifar-10-binary.tar.gz",
}

// Fetch downloads the file into dir unless it is there, and returns its path. A
// download that was cut, or stopped through ctx, is kept as File.part and
// continued the next time; one whose checksum is wrong is removed. Progress, if
// not nil, is called with the bytes present and the total (-1 if unknown).
func (s Source) Fetch(ctx context.Context, dir string, progress func(have, total int64)) (string, error) {
	path := filepath.Join(dir, s.File)
	if _, err := os.Stat(path); err == nil {
		return path, s.check(path)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	part := path + ".part"
	if err := s.download(ctx, part, progress); err != nil {
		return "", fmt.Errorf("fetching %s: %w", s.URL, err)
	}
	if err := s.check(part); err != nil {
		return "", errors.Join(err, os.Remove(part))
	}
	return path, atomicfile.Rename(part, path)
}

// check compares the file's checksum.
func (s Source) check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != s.MD5 {
		return fmt.Errorf("%s has MD5 %s, want %s: it is damaged or another file; remove it and fetch again", path, got, s.MD5)
	}
	return nil
}

// download appends to part what it lacks.
func (s Source) download(ctx context.Context, part string, progress func(have, total int64)) (err error) {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusRequestedRangeNotSatisfiable: // the part is whole, or wrong: its checksum tells
		return nil
	case http.StatusOK: // the server sends all of it
		have = 0
		if err := f.Truncate(0); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
	default:
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	w := &counter{w: f, have: have, total: total, progress: progress}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("stopped after %d bytes: %w: the same command continues", w.have, err)
	}
	return f.Sync()
}

// A counter reports what passes through it.
type counter struct {
	w           io.Writer
	have, total int64
	progress    func(have, total int64)
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.have += int64(n)
	if c.progress != nil {
		c.progress(c.have, c.total)
	}
	return n, err
}
