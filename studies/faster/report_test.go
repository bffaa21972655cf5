package main

import (
	"context"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swapmc/internal/report"
	"swapmc/speedup"
)

// made is a problem whose losses fall from 2.3 to 1 by a law.
var made = problem{name: "made", iterations: 1000, every: 10, targets: []float64{2, 1.5, 1.2}, headline: 1.5, tuning: []uint64{101}}

// synthetic is a tuned way whose loss falls with that speed on the fresh seeds, of which
// some are slow and some fast for all ways, and whose accuracy is 2.3 minus the loss. tuned are
// the iterations to the headline in tuning.
func synthetic(w way, speed, tuned float64) *result {
	r := &result{cost: 0.01, choice: &choice{
		arm:    &arm{problem: &made, way: &w, trials: []trial{{lr: "0.1"}}},
		scores: []score{{runs: 1, reached: 1, iterations: tuned, loss: 1}},
	}}
	own := rand.New(rand.NewPCG(math.Float64bits(speed), 1)).Perm(len(fresh))
	for i, seed := range fresh {
		v := speed * math.Exp(0.1*float64(i-2)+0.005*float64(own[i]-2))
		o := outcome{Run: speedup.Run{Seed: seed}}
		for n := 0; n <= made.iterations; n += made.every {
			loss := 1 + 1.3*math.Exp(-v*float64(n)/200)
			o.Iterations, o.Loss = append(o.Iterations, float64(n)), append(o.Loss, loss)
			o.accuracy = append(o.accuracy, 2.3-loss)
		}
		r.runs = append(r.runs, o)
	}
	return r
}

func base(name string) way { return way{name: name, kind: baseline} }

func TestKnownRatio(t *testing.T) {
	way := synthetic(on("guided", swaps, "slow", "", nil), 2.5, 100)
	way.cost = 0.0125
	f := judge(&made, []*result{synthetic(base("slow"), 0.5, 500), synthetic(base("good"), 1, 250), way}, nil)
	if f.base.way.name != "good" {
		t.Fatalf("best baseline is %s", f.base.way.name)
	}
	best, own := f.at(f.best, way), f.at(f.own, way)
	for _, c := range []struct {
		what      string
		e         speedup.Estimate
		want      float64
		got, then speedup.Verdict
	}{
		{"iterations over the best", best.Iterations, 2.5, best.Verdict, speedup.Faster},
		{"time over the best", best.Time, 2, best.VerdictTime, speedup.Faster},
		{"iterations over its own", own.Iterations, 5, own.Verdict, speedup.Faster},
		{"time over its own", own.Time, 4, own.VerdictTime, speedup.Faster},
	} {
		if math.Abs(c.e.Speedup/c.want-1) > 0.03 || c.e.Low > c.want || c.e.High < c.want || c.got != c.then {
			t.Errorf("%s: %.3f [%.3f, %.3f], %s: want %g, %s", c.what, c.e.Speedup, c.e.Low, c.e.High, c.got, c.want, c.then)
		}
	}
	if yes, why := holds(best); !yes {
		t.Errorf("the claim does not hold: %s", why)
	}
	// The law says when a loss of 1.5 is reached, and the accuracy there.
	if m, n := way.median(1.5); n != len(fresh) || math.Abs(m/(200/2.5*math.Log(2.6))-1) > 0.2 {
		t.Errorf("median %g, %d reached", m, n)
	}
	if _, at := way.accuracies(); at.n != len(fresh) || math.Abs(at.mean-0.8) > 1e-9 {
		t.Errorf("accuracy at a loss of 1.5 is %+v: want 0.8", at)
	}
	if g := way.gained(f.base); g.n != len(fresh) || math.Abs(g.mean) > 0.02 {
		t.Errorf("final accuracies differ by %+v", g)
	}
}

// The claim fails for each of its reasons.
func TestClaim(t *testing.T) {
	for _, c := range []struct {
		speed, cost float64
		why         string
	}{
		{1.7, 0.01, "less than 2 times in iterations"},
		{2.2, 0.016, "less than 1.5 times in time"},
		{2.2, math.NaN(), "time not measured"},
		{0.5, 0.01, "less than 2"},
		{3, 0.01, ""},
	} {
		way := synthetic(on("guided", swaps, "sgd", "", nil), c.speed, 100)
		way.cost = c.cost
		f := judge(&made, []*result{synthetic(base("sgd"), 1, 250), way}, nil)
		yes, why := holds(f.at(f.best, way))
		if yes != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%g times at a cost of %g: %v, %q: want %q", c.speed, c.cost, yes, why, c.why)
		}
	}
}

// Intervals that scatter do not hold what their means promise.
func TestClaimNeedsTheInterval(t *testing.T) {
	e := speedup.Estimate{Speedup: 2.5, Low: 1.4, High: 4, P: 0.01, Pairs: 5}
	target := speedup.Target{Iterations: e, Time: e, Verdict: speedup.Faster, VerdictTime: speedup.Faster}
	if yes, why := holds(&target); yes || !strings.Contains(why, "interval") {
		t.Errorf("%v, %q", yes, why)
	}
	target.Iterations.Low, target.Time.Low = 1.6, 1.6
	if yes, why := holds(&target); !yes {
		t.Error(why)
	}
	target.Verdict = speedup.NoDifference
	if yes, why := holds(&target); yes || !strings.Contains(why, "significant") {
		t.Errorf("%v, %q", yes, why)
	}
}

// Baselines that are better on the fresh seeds are not chosen for it, and of two the one
// more of whose tuning runs arrive is.
func TestOpponentIsChosenInTuning(t *testing.T) {
	lucky, tuned := synthetic(base("lucky"), 3, 300), synthetic(base("tuned"), 1, 200)
	if f := judge(&made, []*result{lucky, tuned}, nil); f.base != tuned {
		t.Errorf("%s was chosen", f.base.way.name)
	}
	tuned.scores[0].reached = 0
	if f := judge(&made, []*result{lucky, tuned}, nil); f.base != lucky {
		t.Errorf("%s was chosen", f.base.way.name)
	}
}

// Runs that do not arrive are bounds and count in the median; a diverged one has not
// arrived in all its iterations.
func TestRunsThatDoNotArrive(t *testing.T) {
	slow := synthetic(base("slow"), 0.02, 900)
	way := synthetic(on("guided", swaps, "slow", "", nil), 2, 100)
	f := judge(&made, []*result{slow, way}, nil)
	e := f.at(f.best, way)
	if e.Iterations.AtLeast != len(fresh) || !math.IsInf(e.Iterations.High, 1) || e.Iterations.Mark() != ">=" || e.ReachedBaseline != 0 {
		t.Errorf("%+v", e)
	}
	if m, n := slow.median(1.5); n != 0 || !math.IsInf(m, 1) {
		t.Errorf("median %g, %d reached", m, n)
	}
	if text := f.table(); !strings.Contains(text, "| `slow` | lr 0.1 | - | 0/5 |") || !strings.Contains(text, ">=") {
		t.Error(text)
	}
	// Three of five arrive; two diverged at once.
	for _, i := range []int{0, 3} {
		o := &way.runs[i]
		o.Iterations, o.accuracy = []float64{0, 10, 1000}, []float64{0.1, 0.1, math.NaN()}
		o.Loss = []float64{math.NaN(), math.NaN(), math.NaN()}
	}
	if m, n := way.median(1.5); n != 3 || math.IsInf(m, 1) {
		t.Errorf("median %g, %d reached", m, n)
	}
	if final, at := way.accuracies(); final.n != 5 || at.n != 3 {
		t.Errorf("%+v, %+v", final, at)
	}
	way.runs[1] = way.runs[0]
	if m, n := way.median(1.5); n != 2 || !math.IsInf(m, 1) {
		t.Errorf("median %g, %d reached", m, n)
	}
}

// A difference that one comparison would show is not shown among many that show none.
func TestHolm(t *testing.T) {
	verdict := func(others int) (best, own speedup.Verdict) {
		results := []*result{synthetic(base("sgd"), 1, 250)}
		way := synthetic(on("guided", swaps, "sgd", "", nil), 1, 100)
		// The same scatter in all: the probability is about 0.01.
		for i, shift := range []float64{0.10, 0.14, 0.04, 0.13, 0.07} {
			way.runs[i] = results[0].runs[i]
			way.runs[i].Iterations = nil
			for _, n := range results[0].runs[i].Iterations {
				way.runs[i].Iterations = append(way.runs[i].Iterations, n*math.Exp(-shift))
			}
		}
		results = append(results, way)
		for range others {
			results = append(results, synthetic(on("other", control, "sgd", "", nil), 1.001, 300))
		}
		f := judge(&made, results, nil)
		return f.at(f.best, way).Verdict, f.at(f.own, way).Verdict
	}
	if best, own := verdict(0); best != speedup.Faster || own != speedup.Faster {
		t.Errorf("alone: %s, %s", best, own)
	}
	if best, own := verdict(12); best != speedup.NoDifference || own != speedup.NoDifference {
		t.Errorf("among 13: %s, %s", best, own)
	}
}

func TestFill(t *testing.T) {
	tables := []table{{"a", "| 1 |\n"}, {"b-c", "two\n"}}
	text := "head\n<!-- table:a -->\nold\nolder\n<!-- end -->\nbetween\n<!-- table:b-c -->\n<!-- end -->\ntail\n"
	want := "head\n<!-- table:a -->\n| 1 |\n<!-- end -->\nbetween\n<!-- table:b-c -->\ntwo\n<!-- end -->\ntail\n"
	for range 2 {
		got, err := fill(text, tables)
		if err != nil || got != want {
			t.Fatalf("%v\n%s", err, got)
		}
		text = got
	}
	for _, bad := range []string{
		"<!-- table:d -->\n<!-- end -->",
		"<!-- table:a -->\n",
		"<!-- table:a -->\n<!-- table:b-c -->\n<!-- end -->",
		"<!-- end -->",
	} {
		if _, err := fill(bad, tables); err == nil {
			t.Errorf("no fault found in %q", bad)
		}
	}
}

// A report can be made at any time, and the same twice.
func TestReportOfParts(t *testing.T) {
	f := folder(t)
	s, err := newStudy(f, source(t), small, smallWays, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.w = t.Output()
	out := t.TempDir()
	readme := filepath.Join(out, "README.md")
	if err := os.WriteFile(readme, []byte("<!-- table:missing -->\n<!-- end -->\n<!-- table:claim -->\n<!-- end -->\n<!-- table:small -->\n<!-- end -->\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	written := func() string {
		t.Helper()
		if err := s.report(out); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := written(); !strings.Contains(text, "not tuned: all ways") || !strings.Contains(text, "so far: no baseline is tuned") {
		t.Error(text)
	}
	part, err := newStudy(f, source(t), small, smallWays, nil, []string{"sgd"})
	if err != nil {
		t.Fatal(err)
	}
	part.w = t.Output()
	if err := part.run(context.Background(), 2, true, true); err != nil {
		t.Fatal(err)
	}
	if text := written(); !strings.Contains(text, "not tuned: guided-sgd") || !strings.Contains(text, "no swap way is tuned") || !strings.Contains(text, "best baseline") {
		t.Error(text)
	}
	if err := s.run(context.Background(), 2, true, true); err != nil {
		t.Fatal(err)
	}
	if err := s.cost(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	text := written()
	if !strings.Contains(text, "Nothing is missing") || strings.Contains(text, "so far") {
		t.Error(text)
	}
	if again := written(); again != text {
		t.Errorf("the second report differs:\n%s\n%s", text, again)
	}
	file, err := os.Open(filepath.Join(out, "speedups.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if want := 1 + 2*len(small[0].targets); err != nil || len(rows) != want { // over the best baseline and its own, which are the same
		t.Errorf("%d rows, %v: want %d", len(rows), err, want)
	}
	for _, name := range []string{"tables.md", "tuning.csv", "seeds.csv", "ways.csv", "speedup.svg", "loss.png", "rates.svg", "profile.png"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}

// Figures of everything there may be: bounds, open intervals, runs that diverge.
func TestFigures(t *testing.T) {
	dir := t.TempDir()
	if keep := os.Getenv("SWAPMC_KEEP_FIGURES"); keep != "" {
		dir = keep // to look at them
	}
	var findings []*finding
	for n, name := range []string{"lenet", "sigmoid", "mlp", "cnn", "resnet20"} {
		p := made
		p.name = name
		speed := 1 + 0.3*float64(n)
		results := []*result{
			synthetic(base("sgd"), 0.5, 500), synthetic(base("momentum"), 1.05, 250), synthetic(base("adam"), 1, 240), synthetic(base("signum"), 0.9, 260),
			synthetic(on("guided", swaps, "sgd", "", nil), speed, 100), synthetic(on("guided", swaps, "adam", "", nil), 0.8*speed, 150),
			synthetic(way{name: "permutation", kind: peer}, 0.4, 700), synthetic(way{name: "gauge-sgd", kind: control, base: "sgd"}, 0.49, 550),
		}
		var ways []*way
		for k, r := range results {
			r.problem = &p
			ways = append(ways, r.way)
			r.trials, r.scores, r.best = nil, nil, 2
			for i, lr := range spread(0.01/float64(1+k%4*10), 1/float64(1+k%4*10), trials) {
				away := math.Abs(float64(i - r.best))
				s := score{runs: 2, reached: max(0, 2-max(0, i-4)), iterations: (200 - 9*float64(k)) * (1 + away/2) / speed, loss: 1 + away/10}
				if s.reached == 0 {
					s.iterations = math.Inf(1)
				}
				r.trials, r.scores = append(r.trials, trial{lr: values([]float64{lr})[0]}), append(r.scores, s)
			}
		}
		if n == 1 { // a baseline that hardly arrives
			for i := range results[2].runs {
				o := &results[2].runs[i]
				for k := range o.Loss {
					o.Loss[k] += 0.1 * float64(i)
				}
			}
		}
		results[5].runs[n].Loss[40] = math.NaN()
		f := judge(&p, results, nil)
		f.ways = ways
		findings = append(findings, f)
	}
	drawn := figures(findings)
	for _, f := range drawn {
		want := len(findings)
		if f.name == "profile" {
			want = 2
		}
		if len(f.Panels) != want {
			t.Errorf("%s has %d panels: want %d", f.name, len(f.Panels), want)
		}
		if err := f.Write(filepath.Join(dir, f.name), report.SVG, report.PNG); err != nil {
			t.Error(err)
		}
	}
}
