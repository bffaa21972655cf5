// Package safetensors reads and writes the safetensors format for float32
// tensors: eight bytes with the length of a JSON header, little endian, the
// header with each tensor's type, shape and place, then the values. PyTorch,
// JAX and others read it without running any code from the file.
package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// A Tensor is an array in row-major order: Data has as many values as the
// product of Shape.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// A File is what one file holds.
type File struct {
	Tensors  []Tensor
	Metadata map[string]string
}

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*Tensor, bool) {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i], true
		}
	}
	return nil, false
}

type entry struct {
	Type    string  `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"` // begin and end, from the end of the header
}

const (
	metadataKey = "__metadata__"
	maxHeader   = 100 << 20 // as in the reference implementation
)

// Write writes the file, tensors in the order given.
func (f *File) Write(w io.Writer) error {
	header := map[string]any{}
	var offset int64
	for _, t := range f.Tensors {
		n, err := product(t.Shape)
		if err != nil || n != int64(len(t.Data)) {
			return fmt.Errorf("safetensors: tensor %q of shape %v has %d values", t.Name, t.Shape, len(t.Data))
		}
		if _, twice := header[t.Name]; twice || t.Name == metadataKey {
			return fmt.Errorf("safetensors: tensor name %q: taken", t.Name)
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		header[t.Name] = entry{"F32", shape, []int64{offset, offset + 4*n}}
		offset += 4 * n
	}
	if len(f.Metadata) > 0 {
		header[metadataKey] = f.Metadata
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 { // values start at a multiple of eight
		text = append(text, ' ')
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	buffer := make([]byte, 0, 1<<16)
	for _, t := range f.Tensors {
		for chunk := range slices.Chunk(t.Data, 1<<14) {
			buffer = buffer[:0]
			for _, v := range chunk {
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
			}
			if _, err := w.Write(buffer); err != nil {
				return err
			}
		}
	}
	return nil
}

// Read reads a whole file. Its tensors must be of type F32 or of an integer type;
// the latter (PyTorch's num_batches_tracked) are skipped. Tensors come in the
// order of their values. A file that is truncated, or whose header does not fit
// its values, is refused; what is allocated is bounded by what the file holds,
// whatever its header claims.
func Read(r io.Reader) (*File, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, fmt.Errorf("safetensors: header length: %w", truncated(err))
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes: want at most %d", n, maxHeader)
	}
	// A reader that ends early must not cost the memory that the header claims.
	text, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if uint64(len(text)) < n {
		return nil, fmt.Errorf("safetensors: header ends after %d of %d bytes: the file is truncated", len(text), n)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if raw == nil {
		return nil, errors.New("safetensors: header: want a JSON object")
	}
	f := &File{}
	var entries []named
	for name, value := range raw {
		if name == metadataKey {
			if err := json.Unmarshal(value, &f.Metadata); err != nil {
				return nil, fmt.Errorf("safetensors: metadata: %w", err)
			}
			continue
		}
		e := named{name: name}
		if err := json.Unmarshal(value, &e.entry); err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
		}
		if e.Shape == nil || len(e.Offsets) != 2 {
			return nil, fmt.Errorf("safetensors: tensor %q: shape %v, data_offsets %v: want a list of sizes, and begin and end", name, e.Shape, e.Offsets)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b named) int {
		return cmp.Or(slices.Compare(a.Offsets, b.Offsets), strings.Compare(a.name, b.name))
	})
	var offset int64
	for _, e := range entries {
		if e.Offsets[0] != offset {
			return nil, fmt.Errorf("safetensors: tensor %q begins at byte %d: want %d", e.name, e.Offsets[0], offset)
		}
		t, err := e.read(r)
		if err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", e.name, err)
		}
		offset = e.Offsets[1]
		if e.Type == "F32" {
			f.Tensors = append(f.Tensors, t)
		}
	}
	switch _, err := io.ReadFull(r, length[:1]); err {
	case io.EOF:
		return f, nil
	case nil:
		return nil, errors.New("safetensors: more bytes follow the last tensor")
	default:
		return nil, fmt.Errorf("safetensors: %w", err)
	}
}

type named struct {
	name string
	entry
}

// width gives the bytes of a value.
var width = map[string]int64{"F32": 4, "I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1}

func (e named) read(r io.Reader) (Tensor, error) {
	t := Tensor{Name: e.name, Shape: e.Shape}
	bytes, ok := width[e.Type]
	if !ok {
		return t, fmt.Errorf("type %q: want F32", e.Type)
	}
	n, err := product(e.Shape)
	if err != nil {
		return t, err
	}
	if e.Offsets[1]-e.Offsets[0] != n*bytes {
		return t, fmt.Errorf("shape %v takes %d bytes, the header gives it %d", e.Shape, n*bytes, e.Offsets[1]-e.Offsets[0])
	}
	if e.Type != "F32" {
		_, err := io.CopyN(io.Discard, r, n*bytes)
		return t, truncated(err)
	}
	t.Data = make([]float32, 0, min(n, 1<<20))
	buffer := make([]byte, 1<<16)
	for left := n; left > 0; {
		part := buffer[:min(4*left, int64(len(buffer)))]
		if got, err := io.ReadFull(r, part); err != nil {
			return t, fmt.Errorf("ends after %d of %d values: %w", len(t.Data)+got/4, n, truncated(err))
		}
		for i := 0; i < len(part); i += 4 {
			t.Data = append(t.Data, math.Float32frombits(binary.LittleEndian.Uint32(part[i:])))
		}
		left -= int64(len(part) / 4)
	}
	return t, nil
}

func product(shape []int) (int64, error) {
	n := int64(1)
	for _, s := range shape {
		if s < 0 || s != 0 && n > math.MaxInt64/8/int64(s) {
			return 0, fmt.Errorf("shape %v cannot be", shape)
		}
		n *= int64(s)
	}
	return n, nil
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is truncated")
	}
	return err
}
