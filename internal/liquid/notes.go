package liquid

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"swapmc/dynamics"
	"swapmc/glass"
	"swapmc/speedup"
)

// How long a run must be, in relaxation times of F_s. Energies fluctuate on longer times, those in which
// sizes mix: docs/glass.md has the tests behind these numbers.
const (
	equilibrated = 20  // before it is measured
	measured     = 100 // for the errors of its averages to be known
)

// short tells whether a run with that relaxation time is too short to know its errors.
func (c *Config) short(tau Time) bool {
	return c.Tempering == nil && (!tau.Reached || float64(c.Sweeps) < measured*tau.Value)
}

// drift is the mean of the second half of a series less that of the first tenth (Geweke, in Bayesian Statistics 4,
// Oxford, 1992, has the second half and the first tenth too).
func drift(x []float64) Value {
	first, last := dynamics.Average(x[:len(x)/10]), dynamics.Average(x[len(x)/2:])
	if len(x) < 10 {
		first.Mean = math.NaN()
	}
	return Value{speedup.Number(last.Mean - first.Mean), speedup.Number(math.Hypot(first.Error, last.Error)), !(first.Plateau && last.Plateau)}
}

// Notes tells what speaks against the averages of runs, each in a sentence that names the remedy.
func Notes(records []*Record) []string {
	var notes []string
	all := groups(records)
	several := false
	for _, g := range all {
		several = several || g[0].Config.Protocol.String() != all[0][0].Config.Protocol.String()
	}
	for _, g := range all {
		c := &g[0].Config
		name := fmt.Sprintf("T = %g", c.Temperature)
		if several {
			name += ", " + c.Protocol.String()
		}
		for _, text := range []string{relaxed(g), equilibrium(g, all), drifts(g), scatters(g)} {
			if text != "" {
				notes = append(notes, name+": "+text)
			}
		}
	}
	notes = append(notes, rungs(records)...)
	if len(records) > 0 {
		if c := &records[0].Config; c.Sizes.Kind == "list" && len(c.Sizes.Values) > 1 && len(c.Sizes.Values) < c.Particles {
			notes = append(notes, fmt.Sprintf("sizes: a list of %d for %d particles: each is that of equally many, give or take one.", len(c.Sizes.Values), c.Particles))
		}
	}
	return notes
}

// together returns the geometric mean of the relaxation times of runs, or the longest lower bound.
func together(g []*Record) Time {
	t, longest := Time{Reached: true}, 0.0
	for _, r := range g {
		x := r.Result.Tau
		t.Reached = t.Reached && x.Reached
		t.Value += math.Log(x.Value) / float64(len(g))
		longest = max(longest, x.Value)
	}
	if t.Value = math.Exp(t.Value); !t.Reached {
		t.Value = longest
	}
	return t
}

// relaxed is about runs that are not many relaxation times long.
func relaxed(g []*Record) string {
	c, tau := &g[0].Config, together(g)
	switch {
	case !slices.ContainsFunc(g, func(r *Record) bool { return c.short(r.Result.Tau) }):
		return ""
	case !tau.Reached:
		text := fmt.Sprintf("F_s is not below 1/e in all runs after %d sweeps: relaxation times and errors are lower bounds", c.Sweeps)
		if c.Start == "" && len(c.First) == 0 {
			text += ", and nothing says that it was equilibrated"
		}
		text += fmt.Sprintf(". Want more, such as --sweeps %d", upwards(10*float64(c.Sweeps)))
		if len(c.First) == 0 && c.mixes() {
			text += `, and --equilibrate-with "diameters:S p=0.2"`
		}
		return text + "."
	}
	text := fmt.Sprintf("%d sweeps are %s relaxation times: below %d, errors are lower bounds. Want --sweeps %d", c.Sweeps, times(float64(c.Sweeps)/tau.Value), measured, upwards(measured*tau.Value))
	if len(g) < fewest {
		return text + fmt.Sprintf(", or --seeds %d or more and their mean.", fewest)
	}
	return text + ", or trust the mean over seeds only."
}

// equilibrium is about too short an equilibration, where the relaxation time under its protocol is known.
func equilibrium(g []*Record, all [][]*Record) string {
	c := &g[0].Config
	if c.Start != "" || c.Tempering != nil {
		return ""
	}
	i := slices.IndexFunc(all, func(g []*Record) bool {
		return g[0].Config.Temperature == c.Temperature && g[0].Config.Protocol.String() == c.First.String()
	})
	if i < 0 {
		return ""
	}
	tau := together(all[i])
	if !tau.Reached || float64(c.Equilibrate) >= equilibrated*tau.Value {
		return ""
	}
	text := fmt.Sprintf("%d sweeps of equilibration are %s relaxation times: below %d, averages may still drift. Want --equilibrate %d", c.Equilibrate, times(float64(c.Equilibrate)/tau.Value), equilibrated, upwards(equilibrated*tau.Value))
	if len(c.First) == 0 && c.mixes() {
		text += `, or --equilibrate-with "diameters:S p=0.2"`
	}
	return text + "."
}

// drifts is about averages that change in the course of the runs: of three or more by their differences, whose errors are
// their scatter, of fewer by the errors of each.
func drifts(g []*Record) string {
	var d []float64
	sure := true
	for _, r := range g {
		x := r.Result.Drift
		d = append(d, float64(x.Mean))
		sure = sure && math.Abs(float64(x.Mean)) > 4*float64(x.Error) && (x.Mean > 0) == (g[0].Result.Drift.Mean > 0)
	}
	v := scatter(d)
	if n := float64(len(g)); len(g) >= fewest {
		t := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.995) // 1% on both sides together
		sure = math.Abs(float64(v.Mean)) > t*float64(v.Error)
	}
	if !sure {
		return ""
	}
	c, what := &g[0].Config, "the energy a particle"
	if m, err := glass.FindModel(c.Model); err == nil && m.Hard {
		what = "the pressure"
	}
	text := fmt.Sprintf("%s changes by %.2g from the first tenth of the run to the second half: it was not at equilibrium", what, float64(v.Mean))
	if len(g) < fewest {
		text += ", or fluctuates slowly"
	}
	return text + fmt.Sprintf(". Want more than --equilibrate %d.", c.Equilibrate)
}

// scatters is about seeds that differ by more than their errors say.
func scatters(g []*Record) string {
	if len(g) < fewest {
		return ""
	}
	squares := 0.0
	var means []float64
	for _, r := range g {
		v := r.Result.EnergyPerParticle
		if v.LowerBound {
			return "" // is said already
		}
		squares += float64(v.Error) * float64(v.Error)
		means = append(means, float64(v.Mean))
	}
	n := float64(len(g))
	ratio := float64(scatter(means).Error) * n / math.Sqrt(squares)
	if limit := (distuv.ChiSquared{K: n - 1}).Quantile(0.999); !(ratio*ratio*(n-1) > limit) {
		return ""
	}
	return fmt.Sprintf("energies of the seeds differ by %.2g times what their errors say: trust the mean over seeds only.", ratio)
}

// rungs is about temperatures that do not exchange their configurations.
func rungs(records []*Record) []string {
	var notes []string
	said := map[string]bool{}
	for _, r := range records {
		c, x := &r.Config, r.Result.Exchanges
		if x == nil || c.Tempering == nil {
			continue
		}
		name := fmt.Sprintf("seed %d, %s", c.Seed, c.Protocol)
		if x.Next != nil && !(x.Next.Rate >= 0.01) && c.Tempering.Number+1 < len(c.Tempering.Temperatures) {
			notes = append(notes, fmt.Sprintf("T = %g and %g, %s: %d of %d exchanges were accepted: want a temperature between them.",
				c.Temperature, c.Tempering.Temperatures[c.Tempering.Number+1], name, x.Next.Accepted, x.Next.Proposed))
		}
		if x.RoundTrips == 0 && !said[name] {
			said[name] = true
			notes = append(notes, fmt.Sprintf("%s: no configuration went from one end of the temperatures to the other and back: want more sweeps, or temperatures closer to each other.", name))
		}
	}
	return notes
}

// mixes tells whether there are sizes that swaps would mix. Those of kob-andersen they hardly do.
func (c *Config) mixes() bool {
	m, err := glass.FindModel(c.Model)
	if err != nil || m.Name == "kob-andersen" {
		return false
	}
	s := c.Sizes
	if s.Kind == "" {
		s = m.Sizes
	}
	d := s.Draw(10, rand.New(rand.NewPCG(0, 0)))
	return c.Start != "" || slices.Min(d) != slices.Max(d)
}

// times writes how many relaxation times, never more than there are.
func times(x float64) string {
	if x < 10 {
		return strconv.FormatFloat(math.Floor(10*x)/10, 'g', -1, 64)
	}
	return strconv.FormatFloat(math.Floor(x), 'f', 0, 64)
}

// upwards rounds up to two digits.
func upwards(x float64) int {
	unit := math.Pow10(max(0, int(math.Log10(x))-1))
	return int(math.Ceil(x/unit-1e-9) * unit)
}
