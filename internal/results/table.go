package results

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Table is what a run measured: columns of one length.
type Table struct {
	Names   []string
	Columns [][]float64
}

// Rows is the number of rows.
func (t *Table) Rows() int {
	if len(t.Columns) == 0 {
		return 0
	}
	return len(t.Columns[0])
}

// Column returns the column of a name, nil if there is none.
func (t *Table) Column(name string) []float64 {
	if i := slices.Index(t.Names, name); i >= 0 {
		return t.Columns[i]
	}
	return nil
}

// parse adds the rows of a piece of a CSV file of numbers to the table, whose first
// line has the names of the columns. It returns how many bytes it has read: a last line
// without its end is left for the next time. Rows from the first fault on are not read;
// the error names their line.
func (t *Table) parse(text string) (int, error) {
	read := 0
	line := t.Rows() + 1
	if t.Names == nil {
		line = 0
	}
	for {
		n := strings.IndexByte(text[read:], '\n')
		if n < 0 {
			return read, nil
		}
		row := strings.TrimSuffix(text[read:read+n], "\r")
		line++
		if t.Names == nil {
			names := strings.Split(row, ",")
			for i, name := range names {
				if name == "" || slices.Contains(names[:i], name) {
					return read, fmt.Errorf("line 1: column %d has no name of its own", i+1)
				}
			}
			t.Names, t.Columns = names, make([][]float64, len(names))
			read += n + 1
			continue
		}
		for k := range t.Columns {
			field, rest, more := strings.Cut(row, ",")
			x, err := strconv.ParseFloat(field, 64)
			if err != nil || more != (k+1 < len(t.Columns)) {
				for i := range k {
					t.Columns[i] = t.Columns[i][:len(t.Columns[i])-1]
				}
				if err != nil {
					return read, fmt.Errorf("line %d: %s = %.40q is no number", line, t.Names[k], field)
				}
				return read, fmt.Errorf("line %d: want %d numbers", line, len(t.Columns))
			}
			t.Columns[k] = append(t.Columns[k], x)
			row = rest
		}
		read += n + 1
	}
}
