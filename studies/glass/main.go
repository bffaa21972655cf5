// Glass makes the figure, the CSV and the table of one of the studies in this folder from
// the runs that run.sh has made.
//
//	go run ./studies/glass --study relaxation --results results/glass-relaxation --out studies/glass
package main

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/liquid"
	"swapmc/internal/report"
)

// A study says how the runs of one table are ordered.
type study struct {
	key    string                       // what the runs differ in, besides the protocol
	value  func(*liquid.Config) float64 // of it
	figure func(points []*point) []report.Panel
	legend []string
}

// A point is the runs at one value of the key, and of the sizes, one for each protocol.
type point struct {
	sizes string
	x     float64
	arms  map[string]*liquid.Record // none, swap, lift
}

var protocols = []string{"none", "swap", "lift"}

var legends = map[string]string{"none": "no swaps", "swap": "diameters:S p=0.2", "lift": "diameters:S p=0.2 lift=true"}

func temperature(c *liquid.Config) float64 { return c.Temperature }

var studies = map[string]study{
	"relaxation":     {key: "T", value: temperature, figure: relaxation, legend: []string{"no swaps", legends["swap"], legends["lift"]}},
	"kob-andersen":   {key: "T", value: temperature, figure: pair("T"), legend: []string{"no swaps", legends["swap"]}},
	"soft-binary":    {key: "Gamma", value: func(c *liquid.Config) float64 { return math.Round(1000*math.Pow(c.Temperature, -0.25)) / 1000 }, figure: pair("Γ"), legend: []string{"no swaps", legends["swap"]}},
	"polydispersity": {key: "T", value: temperature, figure: polydispersity},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("glass: ")
	name := flag.String("study", "relaxation", "relaxation, polydispersity, soft-binary or kob-andersen")
	results := flag.String("results", "", "folder of run.sh")
	out := flag.String("out", "studies/glass", "folder for the figure and the CSV")
	flag.Parse()
	s, ok := studies[*name]
	if !ok {
		log.Fatalf("--study %s: want relaxation, polydispersity, soft-binary or kob-andersen", *name)
	}
	points, err := read(*results, s)
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(*out, *name)
	if err := atomicfile.Write(path+".csv", func(w io.Writer) error { return table(w, s, points) }); err != nil {
		log.Fatal(err)
	}
	legend := s.legend
	if legend == nil {
		legend = sizesOf(points)
	}
	if err := report.Panels(path, legend, s.figure(points)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(path + ".csv, .svg, .png")
	markdown(os.Stdout, s, points)
	if *name == "relaxation" {
		extrapolate(os.Stdout, points)
	}
}

// read collects the finished runs.
func read(folder string, s study) ([]*point, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "runs", "*", "run.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no runs in %s", folder)
	}
	var points []*point
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var r liquid.Record
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if r.Result == nil {
			log.Printf("%s is not finished: left out", file)
			continue
		}
		x, sizes := s.value(&r.Config), sizesName(&r.Config)
		i := slices.IndexFunc(points, func(p *point) bool { return p.x == x && p.sizes == sizes })
		if i < 0 {
			i = len(points)
			points = append(points, &point{sizes: sizes, x: x, arms: map[string]*liquid.Record{}})
		}
		arm := "none"
		if len(r.Config.Protocol) > 0 {
			arm = "swap"
			if r.Config.Protocol[0].Lift {
				arm = "lift"
			}
		}
		points[i].arms[arm] = &r
	}
	slices.SortFunc(points, func(a, b *point) int {
		if a.sizes != b.sizes {
			return strings.Compare(a.sizes, b.sizes)
		}
		return int(math.Copysign(1, a.x-b.x))
	})
	return points, nil
}

// sizesName names a distribution of diameters by its relative standard deviation.
func sizesName(c *liquid.Config) string {
	switch c.Sizes.Kind {
	case "uniform":
		return fmt.Sprintf("%02.0f%%, uniform", 100*c.Sizes.Spread)
	case "list":
		return "00%, all alike"
	}
	if c.Model == "soft-poly" {
		return "23%, the model's own"
	}
	return "the model's own"
}

func sizesOf(points []*point) []string {
	var names []string
	for _, p := range points {
		if !slices.Contains(names, p.sizes) {
			names = append(names, p.sizes)
		}
	}
	return names
}

// tau returns the relaxation time of an arm, NaN where it was not reached.
func (p *point) tau(arm string) float64 {
	if r := p.arms[arm]; r != nil && r.Result.Tau.Reached {
		return r.Result.Tau.Value
	}
	return math.NaN()
}

// speedup returns tau(no swaps)/tau(arm).
func (p *point) speedup(arm string) float64 { return p.tau("none") / p.tau(arm) }

// accepted returns the share of swaps that were accepted, NaN of none.
func (p *point) accepted(arm string) float64 {
	r := p.arms[arm]
	if r == nil {
		return math.NaN()
	}
	for _, x := range r.Result.Protocols {
		return float64(x.Rate)
	}
	return math.NaN()
}

func number(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}

// time writes a relaxation time, or that it is longer than what was measured.
func (p *point) time(arm string) string {
	r := p.arms[arm]
	switch {
	case r == nil:
		return ""
	case !r.Result.Tau.Reached:
		return fmt.Sprintf("> %.3g", r.Result.Tau.Value)
	}
	return fmt.Sprintf("%.3g", r.Result.Tau.Value)
}

func table(w io.Writer, s study, points []*point) error {
	c := csv.NewWriter(w)
	c.Write([]string{"sizes", s.key, "protocol", "sweeps", "tau", "tau_reached", "tau_overlap", "speedup", "energy_per_particle", "energy_error", "pressure", "pressure_error", "swaps_accepted", "displacements_accepted", "seconds_per_sweep"})
	for _, p := range points {
		for _, arm := range protocols {
			r := p.arms[arm]
			if r == nil {
				continue
			}
			x := r.Result
			c.Write([]string{p.sizes, number(p.x), arm, strconv.Itoa(r.Config.Sweeps), number(x.Tau.Value), strconv.FormatBool(x.Tau.Reached), number(x.TauOverlap.Value), number(p.speedup(arm)),
				number(float64(x.EnergyPerParticle.Mean)), number(float64(x.EnergyPerParticle.Error)), number(float64(x.Pressure.Mean)), number(float64(x.Pressure.Error)),
				number(p.accepted(arm)), number(float64(x.Displacement.Rate)), number(x.SecondsPerSweep)})
		}
	}
	c.Flush()
	return c.Error()
}

func markdown(w io.Writer, s study, points []*point) {
	lifted := slices.ContainsFunc(points, func(p *point) bool { return p.arms["lift"] != nil })
	fmt.Fprintf(w, "\n| sizes | %s | tau, no swaps | tau, swaps | speed-up | swaps accepted |", s.key)
	if lifted {
		fmt.Fprint(w, " tau, lifted | speed-up |")
	}
	fmt.Fprint(w, "\n|---|---|---|---|---|---|")
	if lifted {
		fmt.Fprint(w, "---|---|")
	}
	fmt.Fprintln(w)
	ratio := func(p *point, arm string) string {
		if x := p.speedup(arm); !math.IsNaN(x) {
			return fmt.Sprintf("%.3g", x)
		}
		if r := p.arms["none"]; r != nil && !r.Result.Tau.Reached && !math.IsNaN(p.tau(arm)) {
			return fmt.Sprintf("> %.3g", r.Result.Tau.Value/p.tau(arm))
		}
		return ""
	}
	for _, p := range points {
		accepted := ""
		if x := p.accepted("swap"); !math.IsNaN(x) {
			accepted = fmt.Sprintf("%.2g%%", 100*x)
		}
		fmt.Fprintf(w, "| %s | %g | %s | %s | %s | %s |", p.sizes, p.x, p.time("none"), p.time("swap"), ratio(p, "swap"), accepted)
		if lifted {
			fmt.Fprintf(w, " %s | %s |", p.time("lift"), ratio(p, "lift"))
		}
		fmt.Fprintln(w)
	}
}

// curve collects y over x where both are numbers.
func curve(entry int, points []*point, y func(*point) float64) report.Curve {
	c := report.Curve{Entry: entry, Points: true}
	for _, p := range points {
		if v := y(p); !math.IsNaN(v) {
			c.X, c.Y = append(c.X, p.x), append(c.Y, v)
		}
	}
	return c
}

// pair is the figure of two protocols: relaxation times, their ratio, and how many swaps were accepted.
func pair(x string) func([]*point) []report.Panel {
	return func(points []*point) []report.Panel {
		return []report.Panel{
			{X: x, Y: "relaxation time (sweeps)", LogY: true, Curves: []report.Curve{
				curve(0, points, func(p *point) float64 { return p.tau("none") }), curve(1, points, func(p *point) float64 { return p.tau("swap") })}},
			{X: x, Y: "speed-up", Level: 1, Curves: []report.Curve{curve(1, points, func(p *point) float64 { return p.speedup("swap") })}},
			{X: x, Y: "swaps accepted", LogY: true, Curves: []report.Curve{curve(1, points, func(p *point) float64 { return p.accepted("swap") })}},
		}
	}
}

func polydispersity(points []*point) []report.Panel {
	var times, ratios report.Panel
	times = report.Panel{X: "T", Y: "tau, no swaps", LogY: true}
	ratios = report.Panel{X: "tau, no swaps", Y: "speed-up", LogX: true, LogY: true, Level: 1}
	for n, name := range sizesOf(points) {
		var of []*point
		for _, p := range points {
			if p.sizes == name {
				of = append(of, p)
			}
		}
		times.Curves = append(times.Curves, curve(n, of, func(p *point) float64 { return p.tau("none") }))
		c := report.Curve{Entry: n, Points: true}
		for _, p := range of {
			if s := p.speedup("swap"); !math.IsNaN(s) {
				c.X, c.Y = append(c.X, p.tau("none")), append(c.Y, s)
			}
		}
		ratios.Curves = append(ratios.Curves, c)
	}
	return []report.Panel{times, ratios}
}

func relaxation(points []*point) []report.Panel {
	tau := report.Panel{X: "T", Y: "relaxation time (sweeps)", LogY: true}
	gain := report.Panel{X: "T", Y: "speed-up", LogY: true, Level: 1000}
	for n, arm := range protocols {
		tau.Curves = append(tau.Curves, curve(n, points, func(p *point) float64 { return p.tau(arm) }))
		if n > 0 {
			gain.Curves = append(gain.Curves, curve(n, points, func(p *point) float64 { return p.speedup(arm) }))
		}
	}
	for _, f := range fits(points) {
		line := report.Curve{Entry: 0, Dashed: true}
		for _, p := range points {
			if p.x <= highest {
				line.X, line.Y = append(line.X, p.x), append(line.Y, f.at(p.x))
			}
		}
		tau.Curves = append(tau.Curves, line)
		over := report.Curve{Entry: 1, Dashed: true}
		for _, p := range points {
			if s := f.at(p.x) / p.tau("swap"); p.x <= highest && !math.IsNaN(s) {
				over.X, over.Y = append(over.X, p.x), append(over.Y, s)
			}
		}
		gain.Curves = append(gain.Curves, over)
	}
	return []report.Panel{tau, gain}
}

// highest temperature that the fits are made to: about the onset.
const highest = 0.165
