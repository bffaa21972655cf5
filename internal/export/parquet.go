package export

import (
	"io"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// rowGroup is after how many rows a row group ends: what a reader reads at once.
const rowGroup = 1 << 20

// Parquet writes the table as an Apache Parquet file, compressed by Snappy. Facts are
// dictionary-encoded, so that they take no room. A run whose rows are damaged goes to
// skip, or, where skip is nil, is an error. It returns the number of rows.
func (res *Results) Parquet(w io.Writer, skip func(error)) (n int64, err error) {
	columns := res.columns()
	group := ordered{Group: parquet.Group{}}
	for i, c := range columns {
		isFact := i < len(first) || i >= len(first)+len(res.metrics)
		node := parquet.Optional(c.node(isFact))
		group.Group[c.name] = node
		group.names = append(group.names, c.name)
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("swapmc", group), parquet.Compression(&parquet.Snappy), parquet.CreatedBy("swapmc", "", ""))
	writers := out.ColumnWriters()
	var pending int64
	err = res.each(skip, func(r *run, rows *rows) error {
		if rows.n == 0 {
			return nil
		}
		if pending > 0 && pending+int64(rows.n) > rowGroup {
			if err := out.Flush(); err != nil {
				return err
			}
			pending = 0
		}
		pending += int64(rows.n)
		n += int64(rows.n)
		// The two halves have about the same work.
		var wg sync.WaitGroup
		fail := make([]error, 2)
		for half := range fail {
			wg.Go(func() {
				values := make([]parquet.Value, 0, min(rows.n, 1<<14))
				for i := half; i < len(columns) && fail[half] == nil; i += 2 {
					of := rows.source(r, columns[i], i-len(first), len(res.metrics))
					for from := 0; from < rows.n && fail[half] == nil; from += cap(values) {
						values = of(values[:0], from, min(from+cap(values), rows.n), i)
						_, fail[half] = writers[i].WriteRowValues(values)
					}
				}
			})
		}
		wg.Wait()
		for _, err := range fail {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	return n, out.Close()
}

// source returns what appends the values of a column from one row to another. Metric is
// its number among the metrics, if it is one.
func (rows *rows) source(r *run, c column, metric, metrics int) func(values []parquet.Value, from, to, column int) []parquet.Value {
	if metric >= 0 && metric < metrics {
		d := &rows.columns[metric]
		return func(values []parquet.Value, from, to, column int) []parquet.Value {
			for i := from; i < to; i++ {
				switch {
				case d.absent(i):
					values = append(values, parquet.NullValue().Level(0, 0, column))
				case d.whole != nil:
					values = append(values, parquet.Int64Value(d.whole[i]).Level(0, 1, column))
				default:
					values = append(values, parquet.DoubleValue(d.real[i]).Level(0, 1, column))
				}
			}
			return values
		}
	}
	return func(values []parquet.Value, from, to, column int) []parquet.Value {
		v := parquet.NullValue().Level(0, 0, column)
		if r.has(c.key) {
			v = r.facts[c.key].parquet(c.kind).Level(0, 1, column)
		}
		for range to - from {
			values = append(values, v)
		}
		return values
	}
}

// parquet is the value in a column of a kind that holds it.
func (v value) parquet(k kind) parquet.Value {
	switch k {
	case whole, moment:
		return parquet.Int64Value(v.whole)
	case natural:
		return parquet.Int64Value(int64(v.natural)) // the same bits; the column's type says that they have no sign
	case real:
		return parquet.DoubleValue(v.real)
	case truth:
		return parquet.BooleanValue(v.truth)
	}
	return parquet.ByteArrayValue([]byte(v.text))
}

// node is the type of a column.
func (c column) node(fact bool) parquet.Node {
	var n parquet.Node
	switch c.kind {
	case whole:
		n = parquet.Int(64)
	case natural:
		n = parquet.Uint(64)
	case real:
		n = parquet.Leaf(parquet.DoubleType)
	case truth:
		return parquet.Leaf(parquet.BooleanType) // a bit a row: no dictionary
	case moment:
		n = parquet.Timestamp(parquet.Millisecond)
	default:
		n = parquet.String()
	}
	if fact {
		return parquet.Encoded(n, &parquet.RLEDictionary)
	}
	return n
}

// ordered is a group whose fields stay in their order: those of a parquet.Group go by
// the alphabet.
type ordered struct {
	parquet.Group
	names []string
}

// Fields returns them in their order.
func (o ordered) Fields() []parquet.Field {
	at := map[string]parquet.Field{}
	for _, f := range o.Group.Fields() {
		at[f.Name()] = f
	}
	var fields []parquet.Field
	for _, name := range o.names {
		fields = append(fields, at[name])
	}
	return fields
}
