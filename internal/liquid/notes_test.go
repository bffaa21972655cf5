package liquid

import (
	"context"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swapmc/internal/lab"
	"swapmc/speedup"
)

func TestValueString(t *testing.T) {
	for want, v := range map[string]Value{
		"0.5560(4)":    {Mean: 0.55603, Error: 0.0004},
		"0.5560(>4)":   {Mean: 0.55603, Error: 0.0004, LowerBound: true},
		"0.5560(14)":   {Mean: 0.55603, Error: 0.00142},
		"0.556(2)":     {Mean: 0.55603, Error: 0.00196},
		"0.56(10)":     {Mean: 0.55603, Error: 0.0999},
		"-6.35(3)":     {Mean: -6.3488, Error: 0.0299},
		"12(3)":        {Mean: 12.4, Error: 3},
		"888(14)":      {Mean: 888.4, Error: 14},
		"12300(300)":   {Mean: 12345, Error: 330},
		"12350(130)":   {Mean: 12345, Error: 129},
		"0":            {},
		"2.5(?)":       {Mean: 2.5, Error: speedup.Number(math.NaN())},
		"0.00000(10)":  {Mean: 0, Error: 1e-4},
		"0.100000(10)": {Mean: 0.1, Error: 1e-5},
	} {
		if got := v.String(); got != want {
			t.Errorf("%g +- %g: %q, want %q", float64(v.Mean), float64(v.Error), got, want)
		}
	}
}

// record is that of a run without swaps whose averages nothing speaks against.
func record(change func(*Record)) *Record {
	s := Default()
	s.Complete()
	plan, err := Plan(s, nil)
	if err != nil {
		panic(err) // the default
	}
	r := &Record{Config: plan[0].Config, Result: &Result{
		EnergyPerParticle: Value{Mean: 0.55, Error: 0.001}, Pressure: Value{Mean: 4, Error: 0.01},
		Drift: Value{Mean: 0.001, Error: 0.001}, Tau: Time{Value: 100, Reached: true}}}
	if change != nil {
		change(r)
	}
	return r
}

func TestNotes(t *testing.T) {
	swaps, err := lab.ParseProtocols("diameters:S p=0.2")
	if err != nil {
		t.Fatal(err)
	}
	seed := func(n int, change func(*Record, int)) []*Record {
		var records []*Record
		for i := range n {
			records = append(records, record(func(r *Record) {
				r.Config.Seed = uint64(i)
				r.Result.Drift.Mean = speedup.Number(0.001 - 0.002*float64(i%2))
				if change != nil {
					change(r, i)
				}
			}))
		}
		return records
	}
	one := func(change func(*Record)) []*Record { return []*Record{record(change)} }
	rung := func(r *Record, number int, accepted, trips int64) {
		r.Config.Tempering = &Rung{Every: 10, Temperatures: []float64{0.1, 0.2}, Number: number}
		r.Result.Tau, r.Result.Exchanges = Time{}, &Exchanges{RoundTrips: trips}
		if number == 0 {
			r.Result.Exchanges.Next = &Rate{100, accepted, speedup.Number(float64(accepted) / 100)}
		}
	}
	for name, c := range map[string]struct {
		records []*Record
		want    []string // in order, one for each note
	}{
		"nothing":        {one(nil), nil},
		"nothing, seeds": {seed(5, nil), nil},
		"nothing at all": {nil, nil},
		"short":          {one(func(r *Record) { r.Config.Sweeps = 9999 }), []string{"T = 0.2: 9999 sweeps are 99 relaxation times: below 100, errors are lower bounds. Want --sweeps 10000, or --seeds 3"}},
		"short, seeds":   {seed(3, func(r *Record, _ int) { r.Config.Sweeps = 500 }), []string{"or trust the mean over seeds only"}},
		"barely":         {one(func(r *Record) { r.Config.Equilibrate = 1999 }), []string{`1999 sweeps of equilibration are 19 relaxation times: below 20, averages may still drift. Want --equilibrate 2000, or --equilibrate-with "diameters:S p=0.2".`}},
		"kob-andersen":   {one(func(r *Record) { r.Config.Model, r.Config.Equilibrate = "kob-andersen", 10 }), []string{"Want --equilibrate 2000."}},
		"all of one size": {one(func(r *Record) {
			r.Config.Sizes.Kind, r.Config.Sizes.Values, r.Config.Equilibrate = "list", []float64{1}, 10
		}), []string{"Want --equilibrate 2000."}},
		"from a file":        {one(func(r *Record) { r.Config.Equilibrate, r.Config.Start = 0, "sum" }), nil},
		"not reached":        {one(func(r *Record) { r.Result.Tau = Time{Value: 10000} }), []string{`F_s is not below 1/e in all runs after 10000 sweeps: relaxation times and errors are lower bounds, and nothing says that it was equilibrated. Want more, such as --sweeps 100000, and --equilibrate-with "diameters:S p=0.2".`}},
		"not reached by one": {seed(3, func(r *Record, i int) { r.Result.Tau.Reached = i > 0 }), []string{"in all runs"}},
		"equilibrated otherwise": {one(func(r *Record) {
			r.Result.Tau, r.Config.First = Time{Value: 10000}, swaps
		}), []string{"lower bounds. Want more, such as --sweeps 100000."}},
		"equilibrated otherwise, for how long is known": {append(one(func(r *Record) { r.Config.First, r.Config.Equilibrate = swaps, 500 }),
			record(func(r *Record) {
				r.Config.First, r.Config.Protocol, r.Config.Equilibrate, r.Result.Tau.Value = swaps, swaps, 500, 50
			})), []string{"T = 0.2, none: 500 sweeps of equilibration are 10 relaxation times", "T = 0.2, diameters:S p=0.2: 500 sweeps of equilibration are 10 relaxation times"}},
		"drift":          {one(func(r *Record) { r.Result.Drift.Mean = -0.005 }), []string{"the energy a particle changes by -0.005 from the first tenth of the run to the second half: it was not at equilibrium, or fluctuates slowly. Want more than --equilibrate 20000."}},
		"drift of one":   {seed(2, func(r *Record, i int) { r.Result.Drift.Mean = speedup.Number(-0.005 * float64(i)) }), nil},
		"two ways":       {seed(2, func(r *Record, i int) { r.Result.Drift.Mean = speedup.Number(0.01 - 0.02*float64(i)) }), nil},
		"drift of all":   {seed(3, func(r *Record, i int) { r.Result.Drift.Mean = speedup.Number(-0.05 - 0.005*float64(i)) }), []string{"changes by -0.055"}},
		"slow, no drift": {seed(3, func(r *Record, i int) { r.Result.Drift.Mean = speedup.Number(0.05*float64(i) - 0.04) }), nil},
		"hard":           {one(func(r *Record) { r.Config.Model, r.Result.Drift.Mean = "hard-poly", 1 }), []string{"the pressure changes by 1"}},
		"scatter":        {seed(6, func(r *Record, i int) { r.Result.EnergyPerParticle.Mean += speedup.Number(0.003 * float64(i)) }), []string{"energies of the seeds differ by 5.6 times what their errors say"}},
		"no exchanges":   {[]*Record{record(func(r *Record) { rung(r, 0, 0, 0) }), record(func(r *Record) { rung(r, 1, 0, 0) })}, []string{"T = 0.2 and 0.2, seed 1, none: 0 of 100 exchanges were accepted", "no configuration went from one end"}},
		"exchanges":      {[]*Record{record(func(r *Record) { rung(r, 0, 30, 2) }), record(func(r *Record) { rung(r, 1, 0, 2) })}, nil},
		"few sizes":      {one(func(r *Record) { r.Config.Sizes.Kind, r.Config.Sizes.Values = "list", []float64{1, 1.1, 1.3} }), []string{"sizes: a list of 3 for 1000 particles"}},
	} {
		got := Notes(c.records)
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %d notes", name, got, len(c.want))
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
	}
}

// The rule of drifts against simulated runs: those that fluctuate slowly around equilibrium are seldom blamed where there
// are seeds to compare, and those that relax are found.
func TestDriftIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	series := func(tau, amplitude float64) []float64 {
		phi, v := math.Exp(-1/tau), r.NormFloat64()
		x := make([]float64, 1000)
		for i := range x {
			v = phi*v + math.Sqrt(1-phi*phi)*r.NormFloat64()
			x[i] = v + amplitude*math.Exp(-float64(i)/200)
		}
		return x
	}
	for _, c := range []struct {
		seeds          int
		tau, amplitude float64
		least, most    float64 // share of groups with a note
	}{
		{1, 2, 0, 0, 0.01},
		{1, 2, 3, 0.95, 1},
		{4, 2, 0, 0, 0.04},
		{4, 1000, 0, 0, 0.04},
		{4, 100, 0, 0, 0.04},
		{4, 100, 6, 0.9, 1},
	} {
		found := 0.0
		const groups = 400
		for range groups {
			var g []*Record
			for range c.seeds {
				g = append(g, &Record{Result: &Result{Drift: drift(series(c.tau, c.amplitude))}})
			}
			if drifts(g) != "" {
				found += 1. / groups
			}
		}
		t.Logf("%d seeds, tau %g, amplitude %g: %.1f%%", c.seeds, c.tau, c.amplitude, 100*found)
		if found < c.least || found > c.most {
			t.Errorf("%d seeds, tau %g, amplitude %g: found in %.1f%%, want %g%% to %g%%", c.seeds, c.tau, c.amplitude, 100*found, 100*c.least, 100*c.most)
		}
	}
}

func TestAverages(t *testing.T) {
	var records []*Record
	for i, tau := range []float64{100, 200, 400, 50, 60} {
		records = append(records, record(func(r *Record) {
			r.Result.EnergyPerParticle.Mean = speedup.Number(0.5 + 0.01*float64(i))
			r.Result.Tau.Value = tau
			if i > 2 {
				r.Config.Temperature = 0.3
			}
		}))
	}
	a := Averages(records)
	if len(a) != 1 || a[0].Seeds != 3 || a[0].Temperature != 0.2 {
		t.Fatalf("%+v, want one of three seeds", a)
	}
	// 0.5, 0.51, 0.52: 0.51 +- 0.01/sqrt(3). ln tau: ln 200 +- ln 2/sqrt(3).
	e, tau := a[0].EnergyPerParticle, a[0].TauError
	if math.Abs(float64(e.Mean)-0.51) > 1e-12 || math.Abs(float64(e.Error)-0.01/math.Sqrt(3)) > 1e-12 || e.LowerBound ||
		math.Abs(a[0].Tau.Value-200) > 1e-9 || math.Abs(float64(tau.Error)-200*math.Ln2/math.Sqrt(3)) > 1e-9 || !a[0].Tau.Reached {
		t.Errorf("%+v", a[0])
	}
	f := &Folder{Path: t.TempDir()}
	if err := f.WriteAverages(records); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(f.Path, "averages.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) != len(rows[0]) || rows[1][2] != "3" || rows[1][11] != "true" {
		t.Errorf("%q, %v", rows, err)
	}
	records[1].Result.Tau.Reached = false
	if a := Averages(records); a[0].Tau.Reached || a[0].tau() != "> 200" {
		t.Errorf("a lower bound: %q", a[0].tau())
	}
	// Without means there is no file of them.
	for range 2 {
		if err := f.WriteAverages(records[:2]); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("averages.csv stays")
		}
	}
}

// A run that is short in its relaxation times does not claim to know its errors.
func TestShortRunsSaySo(t *testing.T) {
	f, plan := planned(t, "temperature: 1\nequilibrate: {sweeps: 200}\nsweeps: 6000\nprotocols: [diameters:S p=0.2]")
	records, err := f.Run(context.Background(), plan, 1, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	x := records[0].Result
	if !x.Tau.Reached || x.Tau.Value > 60 || x.Tau.Value < 3 {
		t.Fatalf("relaxation time %v: want this test another temperature", x.Tau)
	}
	short := plan[0].Config
	short.Sweeps = int(99 * x.Tau.Value)
	if !short.short(x.Tau) || !short.short(Time{Value: 1}) {
		t.Error("99 relaxation times are not short")
	}
	if plan[0].Config.short(x.Tau) {
		t.Errorf("%g relaxation times are short", 6000/x.Tau.Value)
	}
	if v := newValue(make([]float64, 100), true); v.LowerBound || v.Error != 0 {
		t.Errorf("the energy of hard particles: %+v", v)
	}
	f, plan = planned(t, "")
	if records, err = f.Run(context.Background(), plan, 1, "", nil); err != nil {
		t.Fatal(err)
	}
	if x := records[0].Result; !x.EnergyPerParticle.LowerBound || !x.Pressure.LowerBound {
		t.Errorf("60 sweeps: %+v", x.EnergyPerParticle)
	}
}
