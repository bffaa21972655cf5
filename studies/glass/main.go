// Glass makes the figure, the CSV and the table of one of the studies in this folder from
// the runs that run.sh has made.
//
//	go run ./studies/glass --study relaxation --results results/glass-relaxation --out studies/glass
package main

import (
	"cmp"
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

	"gonum.org/v1/gonum/stat"

	"swapmc/glass"
	"swapmc/internal/atomicfile"
	"swapmc/internal/liquid"
	"swapmc/internal/report"
	"swapmc/internal/rng"
	"swapmc/speedup"
)

// A study says how the runs of one table are ordered.
type study struct {
	key    string                       // what the runs differ in, besides the protocol
	value  func(*liquid.Config) float64 // of it
	figure func(points []*point) *report.Grid
}

// A point is the runs at one value of the key, and of the sizes: of each protocol one for each seed.
type point struct {
	sizes  string
	spread float64 // of these, relative
	x      float64
	arms   map[string][]*liquid.Record // none, swap, lift; in order of seeds
}

var protocols = []string{"none", "swap", "lift"}

var legends = map[string]string{"none": "no swaps", "swap": "diameters:S p=0.2", "lift": "diameters:S p=0.2 lift=true"}

func temperature(c *liquid.Config) float64 { return c.Temperature }

var studies = map[string]study{
	"relaxation":     {key: "T", value: temperature, figure: relaxation},
	"kob-andersen":   {key: "T", value: temperature, figure: pair("T")},
	"soft-binary":    {key: "Gamma", value: func(c *liquid.Config) float64 { return math.Round(1000*math.Pow(c.Temperature, -0.25)) / 1000 }, figure: pair("Γ")},
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
	if err := atomicfile.Write(path+".csv", func(w io.Writer) error { return runs(w, s, points) }); err != nil {
		log.Fatal(err)
	}
	if err := atomicfile.Write(path+"-speedup.csv", func(w io.Writer) error { return speedups(w, s, points) }); err != nil {
		log.Fatal(err)
	}
	if err := s.figure(points).Write(path); err != nil {
		log.Fatal(err)
	}
	fmt.Println(path + ".csv, -speedup.csv, .svg, .png")
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
		x := s.value(&r.Config)
		sizes, spread := sizesName(&r.Config)
		i := slices.IndexFunc(points, func(p *point) bool { return p.x == x && p.sizes == sizes })
		if i < 0 {
			i = len(points)
			points = append(points, &point{sizes: sizes, spread: spread, x: x, arms: map[string][]*liquid.Record{}})
		}
		arm := "none"
		if len(r.Config.Protocol) > 0 {
			arm = "swap"
			if r.Config.Protocol[0].Lift {
				arm = "lift"
			}
		}
		points[i].arms[arm] = append(points[i].arms[arm], &r)
	}
	for _, p := range points {
		for _, of := range p.arms {
			slices.SortFunc(of, func(a, b *liquid.Record) int { return cmp.Compare(a.Config.Seed, b.Config.Seed) })
		}
	}
	slices.SortFunc(points, func(a, b *point) int {
		return cmp.Or(cmp.Compare(a.spread, b.spread), strings.Compare(a.sizes, b.sizes), cmp.Compare(a.x, b.x))
	})
	return points, nil
}

// sizesName names a distribution of diameters by its relative standard deviation, and returns that.
func sizesName(c *liquid.Config) (name string, spread float64) {
	switch c.Sizes.Kind {
	case "uniform":
		return fmt.Sprintf("%.0f%%, uniform", 100*c.Sizes.Spread), c.Sizes.Spread
	case "list":
		return "0%, all alike", 0
	}
	if c.Model == "soft-poly" {
		return "23%, the model's own", 0.23
	}
	return "the model's own", 0
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

// tau returns the relaxation time of an arm, the geometric mean over its runs, and the standard error of the mean's logarithm, NaN of a single run;
// if it was not reached in all of them, the mean is a lower bound. It is NaN of no runs.
func (p *point) tau(arm string) (mean, spread float64, reached bool) {
	var logs []float64
	reached = true
	for _, r := range p.arms[arm] {
		logs = append(logs, math.Log(r.Result.Tau.Value))
		reached = reached && r.Result.Tau.Reached
	}
	if len(logs) == 0 {
		return math.NaN(), math.NaN(), false
	}
	m, dev := stat.MeanStdDev(logs, nil)
	return math.Exp(m), dev / math.Sqrt(float64(len(logs))), reached
}

// measured returns the relaxation time of an arm, NaN where it was not reached in every run.
func (p *point) measured(arm string) float64 {
	if tau, _, reached := p.tau(arm); reached {
		return tau
	}
	return math.NaN()
}

// speedup returns tau(no swaps)/tau(arm), runs of one seed being a pair: they start from one configuration.
func (p *point) speedup(arm string) speedup.Estimate {
	var pairs []speedup.Pair
	for _, r := range p.arms[arm] {
		for _, base := range p.arms["none"] {
			if base.Config.Seed == r.Config.Seed {
				b, t := base.Result.Tau, r.Result.Tau
				pairs = append(pairs, speedup.Pair{Base: b.Value, Test: t.Value, BaseReached: b.Reached, TestReached: t.Reached})
			}
		}
	}
	return speedup.Ratio(pairs, rng.New(1, "speed-up").Rand)
}

// difference returns by how much the energy a particle under an arm's protocol is above that without swaps, over pairs of
// one seed, and its standard error, NaN of fewer than two. In equilibrium it is zero.
func (p *point) difference(arm string) (mean, e float64) {
	var d []float64
	for _, r := range p.arms[arm] {
		for _, base := range p.arms["none"] {
			if base.Config.Seed == r.Config.Seed {
				d = append(d, float64(r.Result.EnergyPerParticle.Mean-base.Result.EnergyPerParticle.Mean))
			}
		}
	}
	if len(d) < 2 {
		return math.NaN(), math.NaN()
	}
	mean, dev := stat.MeanStdDev(d, nil)
	return mean, dev / math.Sqrt(float64(len(d)))
}

// accepted returns the share of swaps that were accepted, NaN of none.
func (p *point) accepted(arm string) float64 {
	var all glass.Tally
	for _, r := range p.arms[arm] {
		for _, x := range r.Result.Protocols {
			all.Proposed += x.Proposed
			all.Accepted += x.Accepted
		}
	}
	return all.Rate()
}

func number(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}

// time writes a relaxation time and its standard error, or that it is longer than what was measured.
func (p *point) time(arm string) string {
	tau, spread, reached := p.tau(arm)
	switch {
	case math.IsNaN(tau):
		return ""
	case !reached:
		return fmt.Sprintf("> %.3g", tau)
	case math.IsNaN(spread):
		return fmt.Sprintf("%.3g", tau)
	}
	return fmt.Sprintf("%.3g ± %.0f%%", tau, 100*spread)
}

// ratio writes a speed-up and its interval.
func (p *point) ratio(arm string) string {
	e := p.speedup(arm)
	switch {
	case math.IsNaN(e.Speedup):
		return ""
	case math.IsNaN(e.Low):
		return fmt.Sprintf("%s %.3g", e.Mark(), e.Speedup)
	}
	return fmt.Sprintf("%s %.3g [%.3g, %.3g]", e.Mark(), e.Speedup, e.Low, e.High)
}

// runs writes a row for each run.
func runs(w io.Writer, s study, points []*point) error {
	c := csv.NewWriter(w)
	c.Write([]string{"sizes", s.key, "protocol", "seed", "sweeps", "tau", "tau_reached", "tau_overlap", "energy_per_particle", "energy_error", "pressure", "pressure_error", "swaps_accepted", "displacements_accepted", "seconds_per_sweep"})
	for _, p := range points {
		for _, arm := range protocols {
			for _, r := range p.arms[arm] {
				x, accepted := r.Result, math.NaN()
				for _, rate := range x.Protocols {
					accepted = float64(rate.Rate)
				}
				c.Write([]string{p.sizes, number(p.x), arm, strconv.FormatUint(r.Config.Seed, 10), strconv.Itoa(r.Config.Sweeps), number(x.Tau.Value), strconv.FormatBool(x.Tau.Reached), number(x.TauOverlap.Value),
					number(float64(x.EnergyPerParticle.Mean)), number(float64(x.EnergyPerParticle.Error)), number(float64(x.Pressure.Mean)), number(float64(x.Pressure.Error)),
					number(accepted), number(float64(x.Displacement.Rate)), number(x.SecondsPerSweep)})
			}
		}
	}
	c.Flush()
	return c.Error()
}

// speedups writes a row for each comparison with no swaps.
func speedups(w io.Writer, s study, points []*point) error {
	c := csv.NewWriter(w)
	c.Write([]string{"sizes", s.key, "protocol", "pairs", "speedup", "low", "high", "at_least", "at_most", "energy_difference", "energy_difference_error"})
	for _, p := range points {
		for _, arm := range protocols[1:] {
			if e := p.speedup(arm); e.Pairs > 0 {
				d, de := p.difference(arm)
				c.Write([]string{p.sizes, number(p.x), arm, strconv.Itoa(e.Pairs), number(e.Speedup), number(e.Low), number(e.High), strconv.Itoa(e.AtLeast), strconv.Itoa(e.AtMost), number(d), number(de)})
			}
		}
	}
	c.Flush()
	return c.Error()
}

func markdown(w io.Writer, s study, points []*point) {
	lifted := slices.ContainsFunc(points, func(p *point) bool { return len(p.arms["lift"]) > 0 })
	fmt.Fprintf(w, "\n| sizes | %s | tau, no swaps | tau, swaps | speed-up | swaps accepted | energy with swaps less without |", s.key)
	if lifted {
		fmt.Fprint(w, " tau, lifted | speed-up |")
	}
	fmt.Fprint(w, "\n|---|---|---|---|---|---|---|")
	if lifted {
		fmt.Fprint(w, "---|---|")
	}
	fmt.Fprintln(w)
	for _, p := range points {
		accepted := ""
		if x := p.accepted("swap"); !math.IsNaN(x) {
			accepted = fmt.Sprintf("%.2g%%", 100*x)
		}
		energy := ""
		if d, e := p.difference("swap"); !math.IsNaN(d) {
			energy = fmt.Sprintf("%.4f ± %.4f", d, e)
		}
		fmt.Fprintf(w, "| %s | %g | %s | %s | %s | %s | %s |", p.sizes, p.x, p.time("none"), p.time("swap"), p.ratio("swap"), accepted, energy)
		if lifted {
			fmt.Fprintf(w, " %s | %s |", p.time("lift"), p.ratio("lift"))
		}
		fmt.Fprintln(w)
	}
}
