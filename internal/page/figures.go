package page

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"swapmc/internal/liquid"
	"swapmc/internal/report"
	"swapmc/internal/results"
)

// A Figure is a picture that the page has in all formats.
type Figure struct {
	Name  string // of its file, without the ending
	Title string
	Draw  func(w io.Writer, format report.Format) error
}

// bytes draws the figure.
func (f *Figure) bytes(format report.Format) ([]byte, error) {
	var b bytes.Buffer
	err := f.Draw(&b, format)
	return b.Bytes(), err
}

// mostFigures of settings are drawn, so that a large sweep does not make thousands.
const mostFigures = 12

// Figures are the figures of the folder as of the last Update: that of each comparison,
// and heat maps over what was swept.
func (m *Model) Figures() []Figure {
	var list []Figure
	if maps := m.heatMaps(); len(maps) > 0 {
		list = append(list, Figure{"heatmap", "Speed-up over what was swept", func(w io.Writer, format report.Format) error { return report.DrawHeatMaps(w, format, maps) }})
	}
	if m.System == "glass" {
		list = append(list, m.glassFigures()...)
		list = list[:min(len(list), mostFigures)]
	} else {
		for i := range m.compared {
			if !m.compared[i].ok || len(list) == mostFigures {
				continue
			}
			name, title := "figure", "Training loss, accuracy and speed-up"
			if len(m.Settings) > 1 {
				name, title = fmt.Sprintf("figure-%d", i+1), title+": "+m.Settings[i].Label
			}
			d := m.Data(i, m.compared[i].c)
			list = append(list, Figure{name, title, d.Draw})
		}
	}
	return list
}

// glassFigures are one for each setting but for temperatures, which a figure has together.
func (m *Model) glassFigures() []Figure {
	var labels []string
	records := map[string][]*liquid.Record{}
	for i := range m.Settings {
		var parts []string
		for _, k := range m.Keys {
			if k.Setting != nil && k.Name != "temperature" {
				parts = append(parts, results.Short(k.Name)+" "+k.Values[k.Setting[i]])
			}
		}
		label := strings.Join(parts, ", ")
		for _, r := range m.Settings[i].Runs {
			if r.Result == nil || r.Liquid == nil {
				continue
			}
			if records[label] == nil {
				labels = append(labels, label)
			}
			records[label] = append(records[label], &liquid.Record{ID: r.ID, Config: *r.Liquid, Result: r.Result})
		}
	}
	var list []Figure
	for i, label := range labels {
		name, title := "figure", "What was measured"
		if len(labels) > 1 {
			name, title = fmt.Sprintf("figure-%d", i+1), title+": "+label
		}
		list = append(list, Figure{name, title, liquid.Diagrams(m.Root().FS(), records[label]).Draw})
	}
	return list
}

// mostMaps is how many heat maps a figure has.
const mostMaps = 8

// heatMaps show the headline speed-ups, averaged geometrically over what is not on the
// axes: of one key by protocol, and of the two keys of most values one map a protocol.
func (m *Model) heatMaps() []report.HeatMap {
	var keys []results.Key
	for _, k := range m.Keys {
		if k.Setting != nil {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.SortStableFunc(keys, func(a, b results.Key) int { return len(b.Values) - len(a.Values) })
	type cell struct{ sum, n float64 }
	speed := func(x, y func(setting, protocol int) int, columns, rows, only int) [][]float64 {
		cells := make([][]cell, rows)
		for i := range cells {
			cells[i] = make([]cell, columns)
		}
		for s := range m.compared {
			if !m.compared[s].ok {
				continue
			}
			for _, a := range m.compared[s].view.Arms {
				l := math.Log(a.Iterations.Speedup)
				if only > 0 && a.Protocol != only || a.Protocol < 0 || math.IsNaN(l) || math.IsInf(l, 0) {
					continue
				}
				c := &cells[y(s, a.Protocol)][x(s, a.Protocol)]
				c.sum += l
				c.n++
			}
		}
		values := make([][]float64, rows)
		for i := range cells {
			for _, c := range cells[i] {
				values[i] = append(values[i], math.Exp(c.sum/c.n)) // NaN without any
			}
		}
		return values
	}
	at := func(k results.Key) func(int, int) int { return func(s, _ int) int { return k.Setting[s] } }
	var maps []report.HeatMap
	if len(m.Protocols) > 1 {
		maps = append(maps, report.HeatMap{Title: "Speed-up by protocol and " + results.Short(keys[0].Name), X: results.Short(keys[0].Name), Y: "protocol",
			XValues: keys[0].Values, YValues: m.Protocols[1:],
			Cells: speed(at(keys[0]), func(_, p int) int { return p - 1 }, len(keys[0].Values), len(m.Protocols)-1, 0)})
	}
	if len(keys) > 1 {
		for p := 1; p < len(m.Protocols) && len(maps) < mostMaps; p++ {
			maps = append(maps, report.HeatMap{Title: m.Protocols[p], X: results.Short(keys[0].Name), Y: results.Short(keys[1].Name),
				XValues: keys[0].Values, YValues: keys[1].Values,
				Cells: speed(at(keys[0]), at(keys[1]), len(keys[0].Values), len(keys[1].Values), p)})
		}
	}
	return slices.DeleteFunc(maps, func(h report.HeatMap) bool {
		return !slices.ContainsFunc(h.Cells, func(row []float64) bool { return slices.ContainsFunc(row, func(x float64) bool { return x == x }) })
	})
}
