package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The real images, where SWAPMC_CIFAR10 says where they are.
func TestRealCIFAR10(t *testing.T) {
	path := os.Getenv("SWAPMC_CIFAR10")
	if path == "" {
		t.Skip("set SWAPMC_CIFAR10 to the folder cifar-10-batches-bin to test against the real images")
	}
	s, err := CIFAR10(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, split := range map[string]*Split{"training": &s.Train, "test": &s.Test} {
		want := map[string]int{"training": 5000, "test": 1000}[name]
		counts := make([]int, 10)
		for _, l := range split.Labels {
			counts[l]++
		}
		for c, n := range counts {
			if n != want {
				t.Errorf("%d %s images of class %s, want %d", n, name, s.Classes[c], want)
			}
		}
	}
	// Statistics of the official files; recompressed images may differ a little.
	for c, want := range []float64{0.4914, 0.4822, 0.4465} {
		if math.Abs(s.Mean[c]-want) > 0.002 {
			t.Errorf("channel %d has mean %.4f, want %.4f", c, s.Mean[c], want)
		}
	}
	for c, want := range []float64{0.2470, 0.2435, 0.2616} {
		if math.Abs(s.Std[c]-want) > 0.003 {
			t.Errorf("channel %d has standard deviation %.4f, want %.4f", c, s.Std[c], want)
		}
	}
}

// batch returns the bytes of one file: label and pixels follow from the number of
// the image.
func batch(n, first int) []byte {
	b := make([]byte, n*cifarRecord)
	for i := range n {
		b[i*cifarRecord] = byte((first + i) % 10)
		for k := 1; k < cifarRecord; k++ {
			b[i*cifarRecord+k] = byte(first + i + k)
		}
	}
	return b
}

// write makes a folder of the six files, changed by damage.
func write(t *testing.T, damage func(files map[string][]byte)) string {
	t.Helper()
	files := map[string][]byte{}
	for i, name := range cifarFiles {
		files[name] = batch(cifarPerFile, i*cifarPerFile)
	}
	damage(files)
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCIFAR10FromFolderAndArchive(t *testing.T) {
	parent := t.TempDir()
	dir := write(t, func(map[string][]byte) {})
	if err := os.Rename(dir, filepath.Join(parent, cifarFolder)); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "cifar.tar.gz")
	pack(t, archive, filepath.Join(parent, cifarFolder))
	for _, path := range []string{parent, filepath.Join(parent, cifarFolder), archive} {
		s, err := CIFAR10(path)
		if err != nil {
			t.Fatal(err)
		}
		if s.Train.Len() != 50000 || s.Test.Len() != 10000 {
			t.Fatalf("%s: %d and %d images", path, s.Train.Len(), s.Test.Len())
		}
		for _, i := range []int{0, 9999, 10000, 49999} {
			if got := s.Train.Labels[i]; got != uint8(i%10) {
				t.Errorf("%s: label %d is %d", path, i, got)
			}
			if got := s.Train.Images[i*3072+5]; got != byte(i+6) {
				t.Errorf("%s: pixel 5 of image %d is %d, want %d", path, i, got, byte(i+6))
			}
		}
	}
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	wrongSum := bytes.Clone(whole)
	wrongSum[len(wrongSum)-8] ^= 1 // the checksum lies in the eight last bytes
	for what, data := range map[string][]byte{"half an archive": whole[:len(whole)/2], "no checksum": whole[:len(whole)-8], "another checksum": wrongSum} {
		if err := os.WriteFile(archive, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := CIFAR10(archive); err == nil || !strings.Contains(err.Error(), "fetch it again") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func pack(t *testing.T, path, dir string) {
	t.Helper()
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	w := tar.NewWriter(z)
	for _, name := range cifarFiles {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		w.WriteHeader(&tar.Header{Name: cifarFolder + "/" + name, Mode: 0o644, Size: int64(len(data))})
		w.Write(data)
	}
	w.Close()
	z.Close()
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedCIFAR10IsRefused(t *testing.T) {
	for want, damage := range map[string]func(map[string][]byte){
		"has no data_batch_3.bin": func(f map[string][]byte) { delete(f, "data_batch_3.bin") },
		"data_batch_2.bin in": func(f map[string][]byte) {
			f["data_batch_2.bin"] = f["data_batch_2.bin"][:5000*cifarRecord+100]
		},
		"image 5000 at byte 15365000 has 100 bytes, want 3073: the file is truncated": func(f map[string][]byte) {
			f["data_batch_1.bin"] = f["data_batch_1.bin"][:5000*cifarRecord+100]
		},
		"image 7 at byte 21511 has label 200, want at most 9": func(f map[string][]byte) {
			f["test_batch.bin"][7*cifarRecord] = 200
		},
		"9999 images: want 10000":  func(f map[string][]byte) { f["test_batch.bin"] = f["test_batch.bin"][cifarRecord:] },
		"10001 images: want 10000": func(f map[string][]byte) { f["test_batch.bin"] = append(f["test_batch.bin"], batch(1, 0)...) },
		"0 images: want 10000":     func(f map[string][]byte) { f["data_batch_5.bin"] = nil },
	} {
		if _, err := CIFAR10(write(t, damage)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := CIFAR10(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("no error for a folder that is not there")
	}
	text := filepath.Join(t.TempDir(), "notes.txt")
	os.WriteFile(text, []byte("hello"), 0o644)
	if _, err := CIFAR10(text); err == nil || !strings.Contains(err.Error(), "want a folder or cifar-10-binary.tar.gz") {
		t.Errorf("a text file: %v", err)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add(batch(2, 3), 1)
	f.Add(batch(1, 0)[:100], 0)
	f.Fuzz(func(t *testing.T, data []byte, _ int) {
		err := checkRecords(data)
		whole := len(data)%cifarRecord == 0
		labels := true
		for i := 0; i < len(data); i += cifarRecord {
			labels = labels && data[i] < 10
		}
		if (err == nil) != (whole && labels) {
			t.Fatalf("%d bytes, whole %v, labels %v: error %v", len(data), whole, labels, err)
		}
		var s Split
		if err := appendRecords(&s, data); err == nil {
			t.Fatalf("%d bytes accepted as a file of 10000 images", len(data))
		}
	})
}
