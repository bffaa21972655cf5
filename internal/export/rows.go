package export

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unsafe"
)

// rows are the measurements of a run, by column of the Results.
type rows struct {
	n       int
	columns []data
}

// data is one column. Whole numbers are in whole, others in real; both are nil where the
// run does not have the column.
type data struct {
	whole   []int64
	real    []float64
	missing []bool // nil: none
}

func (d *data) absent(i int) bool {
	return d.whole == nil && d.real == nil || d.missing != nil && d.missing[i]
}

// read reads the rows of a run. A last line without its end is what a killed process
// leaves, and is left out where the run is not finished. All other faults are a
// *DamagedError.
func (res *Results) read(r *run) (*rows, error) {
	path := res.file(r)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	rows, line, err := res.parse(text, r.finished())
	if err == nil && r.finished() {
		err = res.complete(r, rows)
		line = 0
	}
	if err != nil {
		return nil, &DamagedError{path, line, err.Error()}
	}
	return rows, nil
}

// parse reads rows, whole telling whether the last must have its end. Where it fails it
// returns the number of the line.
func (res *Results) parse(text []byte, complete bool) (_ *rows, line int, _ error) {
	end := bytes.LastIndexByte(text, '\n') + 1
	if complete && end < len(text) {
		return nil, bytes.Count(text, []byte("\n")) + 1, errors.New("the last line is cut off")
	}
	text = text[:end]
	out := &rows{columns: make([]data, len(res.metrics))}
	if len(text) == 0 {
		return out, 0, nil
	}
	head, text, _ := bytes.Cut(text, []byte("\n"))
	capacity := bytes.Count(text, []byte("\n"))
	names := strings.Split(strings.TrimSuffix(string(head), "\r"), ",")
	where := make([]*data, len(names))
	kinds := make([]kind, len(names))
	for k, name := range names {
		i, known := res.index[strings.TrimSpace(name)]
		if !known {
			return nil, 1, fmt.Errorf("a column %q that was not there a moment ago", name)
		}
		if where[k] = &out.columns[i]; where[k].whole != nil || where[k].real != nil {
			return nil, 1, fmt.Errorf("two columns %q", name)
		}
		if kinds[k] = res.metrics[i].kind; kinds[k] == whole {
			where[k].whole = make([]int64, 0, capacity)
		} else {
			where[k].real = make([]float64, 0, capacity)
		}
	}
	for line = 2; len(text) > 0; line++ {
		var row []byte
		row, text, _ = bytes.Cut(text, []byte("\n"))
		row = bytes.TrimSuffix(row, []byte("\r"))
		k := 0
		for more := true; more; k++ {
			var field []byte
			field, row, more = bytes.Cut(row, []byte(","))
			if k >= len(names) {
				return nil, line, fmt.Errorf("more than %d values", len(names))
			}
			d := where[k]
			s := unsafe.String(unsafe.SliceData(field), len(field)) // kept by nobody
			var n int64
			var x float64
			var err error
			switch {
			case s == "":
				if d.missing == nil {
					d.missing = make([]bool, out.n, capacity)
				}
			case kinds[k] == whole:
				n, err = strconv.ParseInt(s, 10, 64)
			default:
				x, err = strconv.ParseFloat(s, 64)
				if errors.Is(err, strconv.ErrRange) {
					err = nil // infinite, or next to 0: what it says
				}
			}
			if err != nil {
				return nil, line, fmt.Errorf("%s = %q is no number", names[k], strings.Clone(s))
			}
			if kinds[k] == whole {
				d.whole = append(d.whole, n)
			} else {
				d.real = append(d.real, x)
			}
			if d.missing != nil {
				d.missing = append(d.missing, s == "")
			}
		}
		if k < len(names) {
			return nil, line, fmt.Errorf("%d values: want %d", k, len(names))
		}
		out.n++
	}
	return out, line, nil
}

// complete reports that a finished run has not all its rows.
func (res *Results) complete(r *run, rows *rows) error {
	if rows.n == 0 {
		return errors.New("the run is finished and has no rows")
	}
	i, known := res.index["iteration"]
	want, told := r.facts["config_iterations"]
	if !known || !told || r.text("status") != "done" || rows.columns[i].whole == nil {
		return nil
	}
	if last := rows.columns[i].whole[rows.n-1]; last < want.whole {
		return fmt.Errorf("it ends at iteration %d of %d", last, want.whole)
	}
	return nil
}
