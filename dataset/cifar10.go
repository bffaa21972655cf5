package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	cifarRecord  = 1 + 3*32*32 // label, then red, green and blue planes
	cifarPerFile = 10000
	cifarFolder  = "cifar-10-batches-bin"
)

var cifarClasses = strings.Fields("airplane automobile bird cat deer dog frog horse ship truck")

var cifarFiles = []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}

// CIFAR10 reads the CIFAR-10 images (Krizhevsky 2009) from a folder with the
// files of the binary version, a folder that holds cifar-10-batches-bin, or the
// archive cifar-10-binary.tar.gz. A missing, truncated, oversized or mislabelled
// file is an error that names it and the byte.
func CIFAR10(path string) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cifar10: %w", err)
	}
	files := map[string][]byte{}
	if info.IsDir() {
		err = readFolder(path, files)
	} else {
		err = readArchive(path, files)
	}
	if err != nil {
		return nil, fmt.Errorf("cifar10: %w", err)
	}
	var train, test Split
	for i, name := range cifarFiles {
		into := &train
		if i == 5 {
			into = &test
		}
		if err := appendRecords(into, files[name]); err != nil {
			return nil, fmt.Errorf("cifar10: %s in %s: %w", name, path, err)
		}
		files[name] = nil
	}
	return NewSet("cifar10", Shape{3, 32, 32}, cifarClasses, train, test), nil
}

func readFolder(path string, files map[string][]byte) error {
	if sub := filepath.Join(path, cifarFolder); isFolder(sub) {
		path = sub
	}
	for _, name := range cifarFiles {
		data, err := os.ReadFile(filepath.Join(path, name))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s has no %s: want the folder %s of the binary version", path, name, cifarFolder)
		}
		if err != nil {
			return err
		}
		files[name] = data
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func readArchive(path string, files map[string][]byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w: want a folder or cifar-10-binary.tar.gz", path, err)
	}
	archive := tar.NewReader(z)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w: the archive is damaged or incomplete; fetch it again", path, err)
		}
		name := filepath.Base(h.Name)
		for _, want := range cifarFiles {
			if name != want {
				continue
			}
			var b bytes.Buffer
			// One record too many is enough to refuse the file.
			if _, err := io.Copy(&b, io.LimitReader(archive, (cifarPerFile+1)*cifarRecord)); err != nil {
				return fmt.Errorf("%s: %s: %w: the archive is damaged or incomplete; fetch it again", path, name, err)
			}
			files[name] = b.Bytes()
		}
	}
	// What follows the last file holds the checksum of all of them.
	if _, err := io.Copy(io.Discard, z); err != nil {
		return fmt.Errorf("%s: %w: the archive is damaged or incomplete; fetch it again", path, err)
	}
	for _, name := range cifarFiles {
		if files[name] == nil {
			return fmt.Errorf("%s has no %s: want cifar-10-binary.tar.gz", path, name)
		}
	}
	return nil
}

// appendRecords adds the records of one file, which must be exactly 10000.
func appendRecords(s *Split, data []byte) error {
	if err := checkRecords(data); err != nil {
		return err
	}
	if n := len(data) / cifarRecord; n != cifarPerFile {
		return fmt.Errorf("%d images: want %d", n, cifarPerFile)
	}
	for ; len(data) > 0; data = data[cifarRecord:] {
		s.Labels = append(s.Labels, data[0])
		s.Images = append(s.Images, data[1:cifarRecord]...)
	}
	return nil
}

// checkRecords reports the first record that is cut short or has no such label.
func checkRecords(data []byte) error {
	for offset := 0; offset < len(data); offset += cifarRecord {
		if left := len(data) - offset; left < cifarRecord {
			return fmt.Errorf("image %d at byte %d has %d bytes, want %d: the file is truncated; fetch it again", offset/cifarRecord, offset, left, cifarRecord)
		}
		if label := data[offset]; int(label) >= len(cifarClasses) {
			return fmt.Errorf("image %d at byte %d has label %d, want at most %d: this is no CIFAR-10 batch", offset/cifarRecord, offset, label, len(cifarClasses)-1)
		}
	}
	return nil
}
