package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swapmc/speedup"
)

// example is a comparison of n protocols of speeds around 1.
func example(n int) Data { return exampleAt(n, nil) }

// exampleAt compares them at given targets.
func exampleAt(n int, targets []float64) Data {
	r := rand.New(rand.NewPCG(1, 2))
	arm := func(text string, speed float64) (speedup.Arm, Arm) {
		a := speedup.Arm{Text: text}
		var losses, accuracies [][]float64
		for seed := range 5 {
			v := speed * math.Exp(0.05*r.NormFloat64())
			run := speedup.Run{Seed: uint64(seed)}
			var accuracy []float64
			for it := 0.0; it <= 2000; it += 50 {
				run.Iterations = append(run.Iterations, it)
				run.Seconds = append(run.Seconds, it*0.003)
				l := 0.9 + 1.4*math.Exp(-v*it/800) + 0.01*r.NormFloat64()
				run.Loss = append(run.Loss, l)
				accuracy = append(accuracy, 0.1+0.45*(1-math.Exp(-v*it/800)))
			}
			a.Runs = append(a.Runs, run)
			losses, accuracies = append(losses, run.Loss), append(accuracies, accuracy)
		}
		return a, Arm{Text: text, X: a.Runs[0].Iterations, Loss: NewBand(losses), Accuracy: NewBand(accuracies)}
	}
	base, baseCourse := arm("none", 1)
	d := Data{Arms: []Arm{baseCourse}}
	var arms []speedup.Arm
	for k := range n {
		text := fmt.Sprintf("features:1AS n=%d", 1<<k)
		if k == n-1 {
			text = "weights:1SS each n=all guide=momentum window=0.01 accept=greedy"
		}
		a, course := arm(text, 0.8+0.3*float64(k))
		arms = append(arms, a)
		d.Arms = append(d.Arms, course)
	}
	d.Comparison = speedup.Compare(base, arms, speedup.Options{Targets: targets})
	return d
}

func TestFigure(t *testing.T) {
	dir := t.TempDir()
	if keep := os.Getenv("SWAPMC_KEEP_FIGURES"); keep != "" {
		dir = keep // to look at them
	}
	for _, n := range []int{1, 5, 20} {
		path := filepath.Join(dir, fmt.Sprintf("figure%d", n))
		if err := Figure(path, example(n)); err != nil {
			t.Fatal(err)
		}
		svg, err := os.ReadFile(path + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%d protocols: SVG: %v", n, err)
			}
		}
		for _, want := range []string{"training loss", "test accuracy", "speed-up in iterations", "no swaps"} {
			if !strings.Contains(string(svg), want) {
				t.Errorf("%d protocols: no %q in the figure", n, want)
			}
		}
		f, err := os.Open(path + ".png")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c, err := png.DecodeConfig(f)
		if err != nil || c.Width < 1000 {
			t.Errorf("%d protocols: PNG %d pixels wide, %v", n, c.Width, err)
		}
	}
	if err := Figure(filepath.Join(dir, "none", "figure"), example(1)); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

// A comparison in which nothing is known must still make a figure.
func TestFigureOfNothing(t *testing.T) {
	d := Data{Comparison: speedup.Compare(speedup.Arm{}, []speedup.Arm{{Text: "features:1SA"}}, speedup.Options{})}
	if err := Figure(filepath.Join(t.TempDir(), "f"), d); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	if err := Table(&b, &d.Comparison); err != nil || !strings.Contains(b.String(), "No target") {
		t.Errorf("%v: %s", err, &b)
	}
}

func TestTables(t *testing.T) {
	d := example(3)
	var table, markdown, comma bytes.Buffer
	if err := Table(&table, &d.Comparison); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&markdown, &d.Comparison); err != nil {
		t.Fatal(err)
	}
	if err := CSV(&comma, &d.Comparison); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Protocols {
		e := p.At(d.HeadlineTarget()).Iterations
		want := fmt.Sprintf("%.2f [%.2f, %.2f]", e.Speedup, e.Low, e.High)
		if !strings.Contains(table.String(), want) || !strings.Contains(markdown.String(), want) {
			t.Errorf("%s: no %s in\n%s\n%s", p.Text, want, &table, &markdown)
		}
	}
	for metric, head := range map[string]string{"": "speed-up in iterations to a training loss of ", Correlation: "speed-up in sweeps to a correlation F_s of "} {
		markdown.Reset()
		d.Metric = metric
		if err := Markdown(&markdown, &d.Comparison); err != nil || !strings.Contains(markdown.String(), head) {
			t.Errorf("no %q in\n%s", head, &markdown)
		}
	}
	rows, err := csv.NewReader(&comma).ReadAll()
	if err != nil || len(rows) != 1+3*len(d.Protocols[0].Targets) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	bound := speedup.Estimate{Speedup: 0.5, Low: math.NaN(), AtMost: 1}
	if got := Estimate(bound); got != "<=0.50" {
		t.Errorf("bound written as %q", got)
	}
}

func TestLogTicksAreWithinTheAxis(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		labels    string
	}{
		{1, 60000, "1 10 100 1000 10000"},
		{0.0012, 4.1, "0.01 0.1 1"},
		{3, 8, "5"},
		{250, 9e6, "1e3 1e4 1e5 1e6"},
		{4e5, 3e6, "5e5 1e6 2e6"},
		{1e-5, 1, "1e-5 1e-4 1e-3 1e-2 1e-1 1"},
		{300, 2e13, "1e4 1e6 1e8 1e10 1e12"},
		{1.5, 30, "2 5 10 20"},
	} {
		var labels []string
		for _, tick := range logTicks(math.Log10(c.low), math.Log10(c.high)) {
			if v := math.Pow(10, tick.Value); v < c.low*(1-1e-9) || v > c.high*(1+1e-9) {
				t.Errorf("%g to %g: a mark at %g", c.low, c.high, tick.Value)
			}
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
		}
		if got := strings.Join(labels, " "); got != c.labels {
			t.Errorf("%g to %g: %s, want %s", c.low, c.high, got, c.labels)
		}
	}
}

// Every label of a heat map is on it, whole, however long or many they are.
func TestHeatMapLabels(t *testing.T) {
	long := []string{"conv 6 5x5, relu, maxpool 2, linear 32, relu, linear 10", "linear 32, relu, linear 10"}
	var many []string
	for k := range 24 {
		many = append(many, fmt.Sprintf("0.%05d", k+1))
	}
	for name, columns := range map[string][]string{"long": long, "many": many, "a word": {strings.Repeat("abcdefghij", 5), "b"}} {
		m := HeatMap{Title: "title", X: "x", Y: "protocol", XValues: columns, YValues: []string{"weights:1SS each n=all guide=momentum window=0.001 accept=greedy", strings.Repeat("layer.", 20)}}
		for range m.YValues {
			m.Cells = append(m.Cells, make([]float64, len(columns)))
		}
		var b bytes.Buffer
		if err := DrawHeatMaps(&b, SVG, []HeatMap{m}); err != nil {
			t.Fatal(err)
		}
		drawn := strings.ReplaceAll(texts(t, b.Bytes()), " ", "")
		for _, want := range append(slices.Clone(columns), m.YValues...) {
			if !strings.Contains(drawn, strings.ReplaceAll(want, " ", "")) {
				t.Errorf("%s: no %q in %s", name, want, drawn)
			}
		}
	}
}

// texts are those of an SVG file, one after the other.
func texts(t *testing.T, svg []byte) string {
	t.Helper()
	var all strings.Builder
	inside := false
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return all.String()
		} else if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				all.Write(token)
			}
		}
	}
}

// Temperatures have colours that get darker from hot to cold, each its own, and solid lines.
func TestHeatIsOrdered(t *testing.T) {
	for n := 2; n <= 12; n++ {
		legend := []Entry{{Text: "no swaps"}, {Text: "swaps", Hue: Blue}}
		for range n {
			legend = append(legend, Entry{Hue: Heat, Beside: true})
		}
		last := 1000.0
		for k := range n {
			c := entryColour(legend, 2+k)
			light := 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
			if light > last-4 {
				t.Errorf("colour %d of %d is as light as the one before: %.0f after %.0f", k, n, light, last)
			}
			last = light
			if s := entryStyle(legend, 2+k); s.Dashes != nil {
				t.Errorf("colour %d of %d is dashed", k, n)
			}
		}
		if entryStyle(legend, 1).Dashes == nil {
			t.Error("swaps are not dashed beside no swaps")
		}
	}
}

// A label keeps its length in whatever letters a reader has.
func TestLabelsHaveTheirLength(t *testing.T) {
	g := Grid{Title: "a < b & \"c\"", Panels: []Panel{{X: "T", Y: "mean-square displacement", Curves: []Curve{{X: []float64{1, 2}, Y: []float64{1, 3}}}}}}
	var b bytes.Buffer
	if err := g.Draw(&b, SVG); err != nil {
		t.Fatal(err)
	}
	if n, m := strings.Count(b.String(), "<text "), strings.Count(b.String(), "textLength="); n < 5 || n != m {
		t.Errorf("%d of %d labels have a length", m, n)
	}
	if !strings.Contains(texts(t, b.Bytes()), "a < b & \"c\"") {
		t.Error("the title is not as it was")
	}
	want := fmt.Sprintf("textLength=\"%.2f\"", textStyle(0, 0).Width("mean-square displacement").Points())
	if !strings.Contains(b.String(), want) {
		t.Errorf("no %s", want)
	}
}

// What an axis cannot show has no part in a band either, and error bars belong to their points.
func TestBandsAndBars(t *testing.T) {
	c := Curve{X: []float64{0, 1, 10, 100}, Y: []float64{1, 2, 3, 4}, Low: []float64{0.5, 1.5, math.NaN(), 3}, High: []float64{1.5, 2.5, 3, 5}}
	bars := c
	bars.Bars = true
	for _, curve := range []Curve{c, bars} {
		g := Grid{Panels: []Panel{{LogX: true, LogY: true, Curves: []Curve{curve}}}}
		for _, format := range Formats() {
			if err := g.Draw(io.Discard, format); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	}
}

// Bounds that stand apart are drawn, but no line goes through them.
func TestBoundsApart(t *testing.T) {
	count := func(c Curve) (lines, triangles int) {
		var b bytes.Buffer
		g := Grid{Panels: []Panel{{Curves: []Curve{c}}}}
		if err := g.Draw(&b, SVG); err != nil {
			t.Fatal(err)
		}
		// Axes are black; only the line of a curve, in grey, is stroked, and only its marks are filled.
		for _, part := range strings.Split(b.String(), "<path ")[1:] {
			switch {
			case strings.Contains(part, "stroke:#6E6E6E"):
				lines += strings.Count(part, "L")
			case strings.Contains(part, "fill:#6E6E6E"):
				triangles++
			}
		}
		return lines, triangles
	}
	c := Curve{X: []float64{1, 2, 3, 4}, Y: []float64{1, 2, 4, 3}, Bounds: []int{0, 1, -1, 0}}
	if lines, triangles := count(c); lines != 3 || triangles != 2 {
		t.Errorf("joined: %d pieces of a line, %d triangles", lines, triangles)
	}
	c.Apart = true
	if lines, triangles := count(c); lines != 1 || triangles != 2 {
		t.Errorf("apart: %d pieces of a line, %d triangles", lines, triangles)
	}
	c.Bounds = []int{1, 1, 1, 1}
	if lines, triangles := count(c); lines != 0 || triangles != 4 {
		t.Errorf("bounds alone: %d pieces of a line, %d triangles", lines, triangles)
	}
}
