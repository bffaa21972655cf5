package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// file assembles a file from a header and values, as the format is documented.
func file(header string, values []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), values...)
}

func TestRoundTrip(t *testing.T) {
	large := make([]float32, 100_000) // more than a buffer
	for i := range large {
		large[i] = float32(i) / 7
	}
	want := &File{
		Tensors: []Tensor{
			{Name: "z.weight", Shape: []int{2, 3}, Data: []float32{1, -2, 3, float32(math.Inf(1)), math.SmallestNonzeroFloat32, -0.1}},
			{Name: "scalar", Shape: []int{}, Data: []float32{42}},
			{Name: "empty", Shape: []int{0, 7}, Data: []float32{}},
			{Name: "name with \"quotes\", <, \u2603", Shape: []int{1}, Data: []float32{7}},
			{Name: "large", Shape: []int{1000, 100}, Data: large},
		},
		Metadata: map[string]string{"iteration": "12", "": "empty key"},
	}
	var b bytes.Buffer
	if err := want.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(iotest.HalfReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if x, ok := got.Tensor("scalar"); !ok || x.Data[0] != 42 {
		t.Errorf("Tensor(scalar) = %v, %v", x, ok)
	}
	if _, ok := got.Tensor("absent"); ok {
		t.Error("found an absent tensor")
	}
}

func TestNaNKeepsItsBits(t *testing.T) {
	const bits = 0x7fc12345
	f := &File{Tensors: []Tensor{{Name: "x", Shape: []int{1}, Data: []float32{math.Float32frombits(bits)}}}}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if g := math.Float32bits(got.Tensors[0].Data[0]); g != bits {
		t.Errorf("%#x, want %#x", g, bits)
	}
}

// The bytes of a small file, from the format's documentation: eight bytes of
// length, the header, the values, which begin at a multiple of eight.
func TestLayout(t *testing.T) {
	var b bytes.Buffer
	f := &File{Tensors: []Tensor{{Name: "a", Shape: []int{2}, Data: []float32{1, 2}}}}
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	header := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := file(header, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40})
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("got  %q\nwant %q", b.Bytes(), want)
	}
}

// Tensors out of order in the header, white space, an unknown key and a count
// such as PyTorch's num_batches_tracked.
func TestReadOtherWriters(t *testing.T) {
	header := ` {"b": {"dtype":"F32","shape":[1,1],"data_offsets":[12,16],"more":null},
		"n": {"dtype":"I64","shape":[],"data_offsets":[4,12]}, "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  `
	got, err := Read(bytes.NewReader(file(header, []byte{0, 0, 0x80, 0x3f, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0x40})))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{Tensors: []Tensor{{"a", []int{1}, []float32{1}}, {"b", []int{1, 1}, []float32{2}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefuses(t *testing.T) {
	four := make([]byte, 4)
	for _, c := range []struct{ name, header, want string }{
		{"no JSON", `{"a":`, "header"},
		{"not an object", `null`, "want a JSON object"},
		{"a list", `[1]`, "header"},
		{"wrong kind of shape", `{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}`, `tensor "a"`},
		{"no shape", `{"a":{"dtype":"F32","data_offsets":[0,4]}}`, `tensor "a": shape`},
		{"no offsets", `{"a":{"dtype":"F32","shape":[1]}}`, "data_offsets"},
		{"three offsets", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, "data_offsets"},
		{"unknown type", `{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, `type "F16": want F32`},
		{"no type", `{"a":{"shape":[2],"data_offsets":[0,4]}}`, `type "": want F32`},
		{"shape and offsets differ", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, "takes 8 bytes, the header gives it 4"},
		{"negative size", `{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, "shape [-1] cannot be"},
		{"sizes overflow", `{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}`, "cannot be"},
		{"offsets overflow", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,-9223372036854775808]}}`, "the header gives it"},
		{"gap", `{"a":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}}`, "begins at byte 2: want 0"},
		{"overlap", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, `tensor "b" begins at byte 0: want 4`},
		{"negative begin", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, "begins at byte -4"},
		{"more than the file", `{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}`, "the file is truncated"},
		{"skipped, more than the file", `{"a":{"dtype":"I64","shape":[1000000000000],"data_offsets":[0,8000000000000]}}`, "the file is truncated"},
		{"bytes left over", `{}`, "more bytes follow"},
		{"metadata", `{"__metadata__":{"a":1}}`, "metadata"},
	} {
		_, err := Read(bytes.NewReader(file(c.header, four)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
}

// However a file is cut short, that is reported.
func TestReadTruncated(t *testing.T) {
	var b bytes.Buffer
	f := &File{Tensors: []Tensor{{"a", []int{3}, []float32{1, 2, 3}}, {"b", []int{1}, []float32{4}}}, Metadata: map[string]string{"k": "v"}}
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		if _, err := Read(bytes.NewReader(b.Bytes()[:n])); err == nil || !strings.Contains(err.Error(), "truncated") {
			t.Errorf("%d of %d bytes: error %v", n, b.Len(), err)
		}
	}
}

// A header's claims cost no memory.
func TestReadHugeHeader(t *testing.T) {
	for _, n := range []uint64{maxHeader, maxHeader + 1, math.MaxUint64} {
		if _, err := Read(bytes.NewReader(binary.LittleEndian.AppendUint64(nil, n))); err == nil {
			t.Errorf("header of %d bytes that are not there: no error", n)
		}
	}
}

func TestReadPassesErrors(t *testing.T) {
	broken := errors.New("broken disk")
	good := file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4))
	for n := range len(good) + 1 {
		_, err := Read(io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: error %v", n, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	x := []float32{1, 2}
	for _, c := range []struct {
		tensors []Tensor
		want    string
	}{
		{[]Tensor{{"a", []int{3}, x}}, `tensor "a" of shape [3] has 2 values`},
		{[]Tensor{{"a", []int{-1, -2}, x}}, "has 2 values"},
		{[]Tensor{{"a", []int{2}, x}, {"a", []int{2}, x}}, "taken"},
		{[]Tensor{{"__metadata__", []int{2}, x}}, "taken"},
	} {
		if err := (&File{Tensors: c.tensors}).Write(io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q in it", c.tensors, err, c.want)
		}
	}
}

type shortWriter struct{ left int }

func (w *shortWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestWritePassesErrors(t *testing.T) {
	f := &File{Tensors: []Tensor{{"a", []int{1}, []float32{1}}}}
	for _, n := range []int{0, 8, 64} {
		if err := f.Write(&shortWriter{n}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("room for %d bytes: error %v", n, err)
		}
	}
}

// What Read accepts, Write writes and Read reads again, the same.
func FuzzRead(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}`, []byte{1, 2, 3, 4}))
	f.Add(file(`{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, make([]byte, 8)))
	f.Add(file(`{}`, nil))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 127, '{'})
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := first.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if len(first.Tensors) != len(again.Tensors) || len(first.Metadata) != len(again.Metadata) {
			t.Fatalf("%v then %v", first, again)
		}
		for _, a := range first.Tensors {
			b, ok := again.Tensor(a.Name)
			if !ok || !cmp.Equal(a.Shape, b.Shape) || len(a.Data) != len(b.Data) {
				t.Fatalf("%v then %v", a, b)
			}
			for i, v := range a.Data {
				if math.Float32bits(v) != math.Float32bits(b.Data[i]) {
					t.Fatalf("%v then %v", a, b)
				}
			}
		}
	})
}
