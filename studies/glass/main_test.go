package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swapmc/glass"
	"swapmc/internal/lab"
	"swapmc/internal/liquid"
	"swapmc/internal/rng"
	"swapmc/speedup"
)

// made writes finished runs of three seeds at some temperatures, whose relaxation times scatter by 5% around
// exp(-4 + 1/T) without swaps and around a fixed multiple below with.
func made(t *testing.T, temperatures []float64, gain float64, reached bool) string {
	t.Helper()
	folder := t.TempDir()
	swaps, err := lab.ParseProtocols("diameters:S p=0.2")
	if err != nil {
		t.Fatal(err)
	}
	scatter := rng.New(1, "test")
	for _, T := range temperatures {
		for seed := range uint64(3) {
			for arm, p := range []lab.Protocols{nil, swaps} {
				r := liquid.Record{Status: lab.Done, Result: &liquid.Result{}}
				r.Config = liquid.Config{Model: "soft-poly", Temperature: T, Protocol: p, Seed: seed + 1, Sweeps: 1000}
				if arm > 0 && T > 0.15 { // below, no swap is accepted
					n := int64(500 + 10*seed)
					r.Result.Protocols = map[string]liquid.Rate{p.String(): {Proposed: 1000, Accepted: n, Rate: speedup.Number(float64(n) / 1000)}}
				} else if arm > 0 {
					r.Result.Protocols = map[string]liquid.Rate{p.String(): {Proposed: 1000}}
				}
				r.Result.Tau = liquid.Time{Value: math.Exp(-4+1/T+0.05*scatter.NormFloat64()) / math.Pow(gain, float64(arm)), Reached: reached || arm > 0}
				r.Result.EnergyPerParticle.Mean = speedup.Number(T + 0.01*float64(seed) + 0.5*float64(arm))
				text, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(folder, "study", "runs", fmt.Sprint(T, seed, arm), "run.json")
				os.MkdirAll(filepath.Dir(file), 0o755)
				if err := os.WriteFile(file, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return folder
}

func TestSpeedups(t *testing.T) {
	points, err := read(made(t, []float64{0.2, 0.1, 0.3}, 7, true), studies["relaxation"])
	if err != nil {
		t.Fatal(err)
	}
	if len(points) != 3 || points[0].x != 0.1 || points[2].x != 0.3 {
		t.Fatalf("%d points", len(points))
	}
	for _, p := range points {
		if e := p.speedup("swap"); e.Pairs != 3 || !(e.Low < e.Speedup && e.Speedup < e.High) || math.Abs(e.Speedup/7-1) > 0.2 {
			t.Errorf("T = %g: speed-up %+v, want 7", p.x, e)
		}
		if d, e := p.difference("swap"); math.Abs(d-0.5) > 1e-12 || e > 1e-12 { // the seeds' own part is in both
			t.Errorf("T = %g: energy differs by %g, %g, want 0.5", p.x, d, e)
		}
		if tau, spread, reached := p.tau("none"); !reached || math.Abs(tau/math.Exp(-4+1/p.x)-1) > 0.15 || !(spread > 0 && spread < 0.1) {
			t.Errorf("T = %g: tau %g, %g", p.x, tau, spread)
		}
	}
	var b bytes.Buffer
	if err := runs(&b, studies["relaxation"], points); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 1+3*3*2 {
		t.Errorf("%d lines of runs", n)
	}
}

// Where ordinary dynamics does not relax, the speed-up is a lower bound.
func TestSpeedupsAreBounds(t *testing.T) {
	points, err := read(made(t, []float64{0.1}, 7, false), studies["relaxation"])
	if err != nil {
		t.Fatal(err)
	}
	if text := points[0].ratio("swap"); !strings.HasPrefix(text, ">=") {
		t.Errorf("speed-up %q", text)
	}
	if text := points[0].time("none"); !strings.HasPrefix(text, "> ") {
		t.Errorf("tau %q", text)
	}
	if !math.IsNaN(points[0].measured("none")) {
		t.Error("a bound was taken for a relaxation time")
	}
}

// Both laws contain Arrhenius's, ln tau = -4 + 1/T.
func TestFits(t *testing.T) {
	var points []*point
	for _, T := range []float64{0.08, 0.1, 0.11, 0.12, 0.14, 0.16} {
		r := &liquid.Record{Result: &liquid.Result{Tau: liquid.Time{Value: math.Exp(-4 + 1/T + 0.03/(T*T)), Reached: true}}}
		points = append(points, &point{x: T, arms: map[string][]*liquid.Record{"none": {r}}})
	}
	f := fits(points, mean)
	if len(f) != 2 {
		t.Fatalf("%d fits", len(f))
	}
	if got, want := math.Log(f[0].at(0.07)), -4+1/0.07+0.03/(0.07*0.07); math.Abs(got-want) > 1e-6 || f[0].rms > 1e-6 {
		t.Errorf("the parabolic law at T = 0.07: %v, want %v (rms %g)", got, want, f[0].rms)
	}
	if f[1].rms < 1e-6 || f[1].rms > 0.1 {
		t.Errorf("Vogel, Fulcher and Tammann fit a parabola to %g", f[1].rms)
	}
}

// A figure has something to show for every entry of its legend, the laws are drawn finely, and what is only bounded
// is a triangle.
func TestFigures(t *testing.T) {
	read := func(s string, temperatures []float64, reached bool) []*point {
		points, err := read(made(t, temperatures, 7, reached), studies[s])
		if err != nil {
			t.Fatal(err)
		}
		return points
	}
	cold := []float64{0.08, 0.1, 0.12, 0.14, 0.16, 0.2}
	g := relaxation(read("relaxation", cold, true))
	fine := 0
	for _, c := range g.Panels[1].Curves {
		if c.Dashed {
			fine++
			if len(c.X) < 100 || c.X[0] != 0.08 || slices.ContainsFunc(c.Y, math.IsNaN) {
				t.Errorf("a law of %d points from T = %g", len(c.X), c.X[0])
			}
		}
	}
	if fine != 2 {
		t.Errorf("%d laws", fine)
	}
	g = pair("T")(read("kob-andersen", cold, true))
	for _, p := range g.Panels {
		c := p.Curves[len(p.Curves)-1]
		if !slices.Equal(c.X, cold) {
			t.Errorf("%s: at %g", p.Y, c.X)
			continue
		}
		for i := range c.Y {
			if none := p.Y == "swaps accepted" && c.X[i] < 0.15; none {
				if c.Bounds[i] != -1 || c.Y[i] != 0.001 {
					t.Errorf("none of 3000 accepted: %g, bound %d", c.Y[i], c.Bounds[i])
				}
				continue
			}
			if !(c.Low[i] < c.Y[i] && c.Y[i] < c.High[i]) {
				t.Errorf("%s: %g in [%g, %g]", p.Y, c.Y[i], c.Low[i], c.High[i])
			}
		}
	}
	g = polydispersity(read("polydispersity", []float64{0.1, 0.2}, false))
	if c := g.Panels[0].Curves[0]; len(c.Y) != 2 || !slices.Equal(c.Bounds, []int{1, 1}) || !g.Legend[len(g.Legend)-1].Bounds {
		t.Errorf("bounds %+v, legend %+v", c, g.Legend)
	}
}

// Between the temperatures of an Arrhenius law it is the law.
func TestCourse(t *testing.T) {
	var points []*point
	for _, T := range []float64{0.1, 0.2, 0.4} {
		r := &liquid.Record{Result: &liquid.Result{Tau: liquid.Time{Value: math.Exp(2 + 1/T), Reached: true}}}
		points = append(points, &point{x: T, arms: map[string][]*liquid.Record{"swap": {r}}})
	}
	f := course(points, "swap")
	for _, T := range []float64{0.1, 0.13, 0.2, 0.35, 0.4} {
		if got := math.Log(f(T)); math.Abs(got-2-1/T) > 1e-9 {
			t.Errorf("T = %g: %g, want %g", T, got, 2+1/T)
		}
	}
	if !math.IsNaN(f(0.09)) || !math.IsNaN(f(0.41)) {
		t.Error("a relaxation time where none was measured")
	}
}

// Distributions of sizes stand in the order of their widths.
func TestSizesAreInOrder(t *testing.T) {
	var last float64
	for i, s := range []glass.Sizes{{Kind: "list", Values: []float64{1}}, {Kind: "uniform", Spread: 0.05}, {Kind: "uniform", Spread: 0.1}, {}, {Kind: "uniform", Spread: 0.3}} {
		name, spread := sizesName(&liquid.Config{Model: "soft-poly", Sizes: s})
		if i > 0 && spread <= last || !strings.HasPrefix(name, fmt.Sprintf("%.0f%%, ", 100*spread)) {
			t.Errorf("%s: %g after %g", name, spread, last)
		}
		last = spread
	}
}
