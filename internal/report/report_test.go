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
		{250, 9e6, "10³ 10⁴ 10⁵ 10⁶"},
		{4e5, 3e6, "5·10⁵ 10⁶ 2·10⁶"},
		{1e-5, 1, "10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰"},
		{300, 2e13, "10⁴ 10⁶ 10⁸ 10¹⁰ 10¹²"},
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
