package export

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// CSV writes the table as comma-separated values under a line of names. What is not known
// is empty; numbers are written so that reading gives back every bit. A run whose rows
// are damaged goes to skip, or, where skip is nil, is an error. It returns the number of
// rows.
func (res *Results) CSV(w io.Writer, skip func(error)) (n int64, err error) {
	b := bufio.NewWriterSize(w, 1<<18)
	var names []string
	for _, c := range res.columns() {
		names = append(names, quoted(c.name))
	}
	b.WriteString(strings.Join(names, ",") + "\n")
	var line []byte
	err = res.each(skip, func(r *run, rows *rows) error {
		// The facts are the same in all rows.
		var before, after []byte
		for k, c := range res.facts {
			s := quoted(r.text(c.key))
			if c.kind == text && s == "" && r.has(c.key) {
				s = `""` // empty, and not unknown
			}
			if k < len(first) {
				before = append(append(before, s...), ',')
			} else {
				after = append(append(after, ','), s...)
			}
		}
		after = append(after, '\n')
		for i := range rows.n {
			line = append(line[:0], before...)
			for k := range rows.columns {
				if k > 0 {
					line = append(line, ',')
				}
				d := &rows.columns[k]
				switch {
				case d.absent(i):
				case d.whole != nil:
					line = strconv.AppendInt(line, d.whole[i], 10)
				default:
					line = formatReal(line, d.real[i])
				}
			}
			line = append(line, after...)
			if _, err := b.Write(line); err != nil {
				return err
			}
		}
		n += int64(rows.n)
		return nil
	})
	if err != nil {
		return n, err
	}
	return n, b.Flush()
}

// columns are all of the table: who, what was measured, and the other facts.
func (res *Results) columns() []column {
	all := append([]column(nil), res.facts[:len(first)]...)
	all = append(all, res.metrics...)
	return append(all, res.facts[len(first):]...)
}

func (r *run) has(fact string) bool {
	_, known := r.facts[fact]
	return known
}

// quoted puts quotes around what needs them (RFC 4180).
func quoted(s string) string {
	if strings.ContainsAny(s, ",\"\r\n") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}
