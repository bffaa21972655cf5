package export

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"swapmc/internal/atomicfile"
)

// TensorBoard writes an event file for each run, into a folder of its own below dir:
// PROTOCOL/seed-SEED-ID. There is a scalar for each measurement, under its column's name,
// at the run's iterations; the clock is that of the training, from when the run was
// started. Values are 32-bit, as TensorBoard's are. What an earlier export wrote is
// replaced. A run whose rows are damaged goes to skip, or, where skip is nil, is an
// error. It returns the number of runs written.
func (res *Results) TensorBoard(dir string, skip func(error)) (n int, err error) {
	err = res.each(skip, func(r *run, rows *rows) error {
		if rows.n == 0 {
			return nil
		}
		folder := filepath.Join(dir, slug(r.text("protocol")), fmt.Sprintf("seed-%s-%s", slug(r.text("seed")), slug(r.text("run"))))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		began := float64(r.facts["started"].whole) / 1000
		path := filepath.Join(folder, fmt.Sprintf("events.out.tfevents.%010.0f.swapmc", began))
		n++
		return atomicfile.Write(path, func(w io.Writer) error { return res.events(w, r, rows, began) })
	})
	return n, err
}

// events writes the event file of a run.
func (res *Results) events(w io.Writer, r *run, rows *rows, began float64) error {
	if err := writeRecord(w, versionEvent(began)); err != nil {
		return err
	}
	step := -1
	for _, name := range steps {
		if i, known := res.index[name]; known && rows.columns[i].whole != nil && step < 0 {
			step = i
		}
	}
	var clock *data
	if i, known := res.index["seconds"]; known && rows.columns[i].real != nil {
		clock = &rows.columns[i]
	}
	var event []byte
	for i := range rows.n {
		at, number := began, int64(i)
		if clock != nil && !clock.absent(i) {
			at += clock.real[i]
		}
		if step >= 0 {
			number = rows.columns[step].whole[i]
		}
		var summary []byte
		for k, c := range res.metrics {
			d := &rows.columns[k]
			switch {
			case k == step, d.absent(i):
			case d.whole != nil:
				summary = appendScalar(summary, c.name, float32(d.whole[i]))
			default:
				summary = appendScalar(summary, c.name, float32(d.real[i]))
			}
		}
		event = appendEvent(event[:0], at, number)
		event = protowire.AppendTag(event, 5, protowire.BytesType) // summary
		event = protowire.AppendBytes(event, summary)
		if err := writeRecord(w, event); err != nil {
			return err
		}
	}
	return nil
}

// The messages are those of tensorflow/core/util/event.proto and
// tensorflow/core/framework/summary.proto. Of the protocol buffers' module only the wire
// format is used: three messages of five fields need no generated code and no reflection.

// versionEvent is the first event of a file.
func versionEvent(at float64) []byte {
	event := protowire.AppendTag(nil, 1, protowire.Fixed64Type) // wall_time
	event = protowire.AppendFixed64(event, math.Float64bits(at))
	event = protowire.AppendTag(event, 3, protowire.BytesType) // file_version
	return protowire.AppendString(event, "brain.Event:2")
}

// appendEvent appends the time and the step of an event. A step of 0 is not written, as
// proto3 does.
func appendEvent(b []byte, at float64, step int64) []byte {
	b = protowire.AppendTag(b, 1, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(at))
	if step != 0 {
		b = protowire.AppendTag(b, 2, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(step))
	}
	return b
}

// appendScalar appends a value to a Summary.
func appendScalar(b []byte, tag string, x float32) []byte {
	size := protowire.SizeTag(1) + protowire.SizeBytes(len(tag)) + protowire.SizeTag(2) + protowire.SizeFixed32()
	b = protowire.AppendTag(b, 1, protowire.BytesType) // value
	b = protowire.AppendVarint(b, uint64(size))
	b = protowire.AppendTag(b, 1, protowire.BytesType) // tag
	b = protowire.AppendString(b, tag)
	b = protowire.AppendTag(b, 2, protowire.Fixed32Type) // simple_value
	return protowire.AppendFixed32(b, math.Float32bits(x))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mask is TensorFlow's change of a checksum, so that a record of records has another.
func mask(crc uint32) uint32 { return (crc>>15 | crc<<17) + 0xa282ead8 }

// writeRecord frames an event as a TFRecord: its length, the masked CRC-32C of that, the
// event, and the masked CRC-32C of the event, all little-endian.
func writeRecord(w io.Writer, event []byte) error {
	record := make([]byte, 0, len(event)+16)
	record = binary.LittleEndian.AppendUint64(record, uint64(len(event)))
	record = binary.LittleEndian.AppendUint32(record, mask(crc32.Checksum(record, castagnoli)))
	record = append(record, event...)
	record = binary.LittleEndian.AppendUint32(record, mask(crc32.Checksum(event, castagnoli)))
	_, err := w.Write(record)
	return err
}

// slug makes the name of a folder of a text, on any system.
func slug(s string) string {
	b := bytes.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.ContainsRune(".=+-", c):
			return c
		case c == ' ':
			return ' '
		}
		return '_'
	}, []byte(s))
	if name := strings.Trim(string(b[:min(len(b), 120)]), " ."); name != "" {
		return name
	}
	return "none"
}
