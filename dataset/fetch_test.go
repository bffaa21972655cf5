package dataset

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var contents = bytes.Repeat([]byte("swap Monte Carlo "), 10_000)

func source(url string) Source {
	sum := md5.Sum(contents)
	return Source{URL: url, MD5: hex.EncodeToString(sum[:]), File: "set.bin"}
}

// ranged serves contents as http.ServeContent does, with ranges.
func ranged(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(contents))
}

func TestFetch(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { requests++; ranged(w, r) }))
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	var have, total int64
	path, err := source(server.URL).Fetch(context.Background(), dir, func(h, n int64) { have, total = h, n })
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, contents) {
		t.Error("other contents")
	}
	if have != int64(len(contents)) || total != have {
		t.Errorf("progress ends at %d of %d", have, total)
	}
	if _, err := source(server.URL).Fetch(context.Background(), dir, nil); err != nil || requests != 1 {
		t.Errorf("a file that is there: %d requests, %v", requests, err)
	}
}

// A download that is cut is continued from where it stopped.
func TestFetchResumes(t *testing.T) {
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges) == 1 { // promise all, send a third, and hang up
			w.Header().Set("Content-Length", strconv.Itoa(len(contents)))
			w.Write(contents[:len(contents)/3])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		ranged(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	_, err := source(server.URL).Fetch(context.Background(), dir, nil)
	if err == nil || !strings.Contains(err.Error(), "the same command continues") {
		t.Fatalf("cut: %v", err)
	}
	path, err := source(server.URL).Fetch(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, contents) {
		t.Error("other contents after resuming")
	}
	if want := "bytes=" + strconv.Itoa(len(contents)/3) + "-"; ranges[1] != want {
		t.Errorf("asked for %q, want %q", ranges[1], want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestFetchFromAServerWithoutRanges(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(contents) }))
	defer server.Close()
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "set.bin.part"), []byte("something old"), 0o644)
	path, err := source(server.URL).Fetch(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, contents) {
		t.Error("other contents")
	}
}

func TestFetchRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wrong" {
			w.Write([]byte("not the file"))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	if _, err := source(server.URL+"/gone").Fetch(context.Background(), dir, nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("404: %v", err)
	}
	_, err := source(server.URL+"/wrong").Fetch(context.Background(), dir, nil)
	if err == nil || !strings.Contains(err.Error(), "MD5") {
		t.Errorf("wrong contents: %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("%d files left", len(files))
	}
	server.Close()
	if _, err := source(server.URL).Fetch(context.Background(), dir, nil); err == nil {
		t.Error("no error without a server")
	}
}

func TestFetchStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(contents[:100])
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	dir := t.TempDir()
	if _, err := source(server.URL).Fetch(ctx, dir, nil); err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Stat(filepath.Join(dir, "set.bin.part")); err != nil {
		t.Errorf("what had come is not kept: %v", err)
	}
}

func TestOpen(t *testing.T) {
	t.Setenv("SWAPMC_DATA", t.TempDir())
	if _, err := Open("cifar10", ""); err == nil || !strings.Contains(err.Error(), "swapmc data fetch cifar10") {
		t.Errorf("absent set: %v", err)
	}
	if _, err := Open("cifar1", ""); err == nil || !strings.Contains(err.Error(), "did you mean cifar10?") {
		t.Errorf("unknown set: %v", err)
	}
	if s, err := Open("synth", ""); err != nil || s.Train.Len() != 5000 || s.Test.Len() != 1000 {
		t.Errorf("synth: %v", err)
	}
	if _, err := Fetch(context.Background(), "synth", "", nil); err == nil {
		t.Error("fetched what is made in code")
	}
}
