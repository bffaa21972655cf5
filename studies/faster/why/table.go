package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"swapmc/internal/atomicfile"
)

// A table is rows of a CSV, the names of its columns first.
type table [][]string

// add appends a row of texts and numbers. What is not a number is empty.
func (t *table) add(values ...any) {
	var row []string
	for _, v := range values {
		x, isFloat := v.(float64)
		switch {
		case isFloat && math.IsNaN(x):
			row = append(row, "")
		case isFloat:
			row = append(row, strconv.FormatFloat(x, 'g', 4, 64))
		default:
			row = append(row, fmt.Sprint(v))
		}
	}
	*t = append(*t, row)
}

func (t table) write(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		c.WriteAll(t)
		return c.Error()
	})
}
