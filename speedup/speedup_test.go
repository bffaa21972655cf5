package speedup

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func TestTimeTo(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name    string
		s       Series
		target  float64
		falling bool
		want    float64
		reached bool
	}{
		{"interpolated", Series{[]float64{0, 10, 20}, []float64{2, 1.5, 1}}, 1.25, true, 15, true},
		{"first of several", Series{[]float64{0, 1, 2, 3}, []float64{2, 1, 2, 1}}, 1.5, true, 0.5, true},
		{"at a point", Series{[]float64{0, 1}, []float64{2, 1}}, 1, true, 1, true},
		{"from the start", Series{[]float64{0, 1}, []float64{2, 1}}, 2, true, 0, true},
		{"never", Series{[]float64{0, 1}, []float64{2, 1}}, 0.5, true, 0, false},
		{"rising", Series{[]float64{0, 4}, []float64{0.1, 0.5}}, 0.2, false, 1, true},
		{"over a NaN", Series{[]float64{0, 1, 2}, []float64{2, nan, 1}}, 1.5, true, 1, true},
		{"over an infinity", Series{[]float64{0, 1, 2}, []float64{2, math.Inf(1), 1}}, 1.5, true, 1, true},
		{"NaN to the end", Series{[]float64{0, 1, 2}, []float64{2, nan, nan}}, 1.5, true, 0, false},
		{"after a NaN at the start", Series{[]float64{0, 1, 2}, []float64{nan, 2, 1}}, 1.5, true, 1.5, true},
		{"fewer times than values", Series{[]float64{0}, []float64{2, 1}}, 1.5, true, 0, false},
		{"empty", Series{}, 1, true, 0, false},
	} {
		got, reached := c.s.TimeTo(c.target, c.falling)
		if math.Abs(got-c.want) > 1e-12 || reached != c.reached {
			t.Errorf("%s: %g, %v, want %g, %v", c.name, got, reached, c.want, c.reached)
		}
	}
}

// The example of Kaplan and Meier's method in every textbook: remission under
// 6-MP (Freireich et al. 1963), times in weeks, + still in remission.
func TestKaplanMeier(t *testing.T) {
	times := []float64{6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35}
	censored := []bool{false, false, false, true, false, true, false, true, true, false, false, true, true, true, false, false, true, true, true, true, true}
	reached := make([]bool, len(times))
	for i, c := range censored {
		reached[i] = !c
	}
	s := KaplanMeier(times, reached)
	want := map[float64]float64{6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
	if len(s.Time) != len(want) {
		t.Fatalf("steps at %v", s.Time)
	}
	for k, time := range s.Time {
		if math.Abs(s.Share[k]-want[time]) > 0.0006 {
			t.Errorf("S(%g) = %.4f, want %.3f", time, s.Share[k], want[time])
		}
	}
	if s.Median() != 23 {
		t.Errorf("median %g, want 23", s.Median())
	}
	if m := KaplanMeier([]float64{1, 2, 2}, []bool{true, false, false}).Median(); !math.IsInf(m, 1) {
		t.Errorf("median %g of one arrival in three, want none", m)
	}
}

// Worked by hand: sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, never falling.
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, 0.03, math.NaN(), 0.005})
	want := []float64{0.03, 0.06, 0.06, math.NaN(), 0.02}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 || (got[i] != got[i]) != (want[i] != want[i]) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func TestRatio(t *testing.T) {
	pairs := []Pair{{100, 50, true, true}, {200, 50, true, true}, {100, 100, true, true}}
	e := Ratio(pairs, stream(1))
	if math.Abs(e.Speedup-2) > 1e-12 || e.Pairs != 3 {
		t.Errorf("geometric mean of 2, 4, 1 is %g over %d pairs", e.Speedup, e.Pairs)
	}
	if !(e.Low < 2 && e.High > 2) {
		t.Errorf("interval [%g, %g]", e.Low, e.High)
	}
	if again := Ratio(pairs, stream(1)); again != e {
		t.Errorf("not reproducible: %+v, %+v", e, again)
	}

	e = Ratio([]Pair{{100, 500, true, false}, {500, 100, false, true}, {500, 500, false, false}, {3, 3, true, true}}, stream(1))
	if e.Pairs != 3 || e.AtMost != 1 || e.AtLeast != 1 || e.Neither != 1 || math.Abs(e.Speedup-1) > 1e-12 {
		t.Errorf("censored pairs: %+v", e)
	}
	if e := Ratio(nil, stream(1)); e.Pairs != 0 || e.Speedup == e.Speedup {
		t.Errorf("no pairs: %+v", e)
	}
	if e := Ratio(pairs[:2], stream(1)); e.Low == e.Low || math.Abs(e.Speedup-math.Sqrt(8)) > 1e-12 {
		t.Errorf("two pairs: %+v", e)
	}
	for _, bad := range []Pair{{0, 5, true, true}, {5, 0, true, true}, {math.NaN(), 5, true, true}, {math.Inf(1), 5, true, true}} {
		if e := Ratio([]Pair{bad, {4, 2, true, true}}, stream(1)); e.Pairs != 1 || e.Speedup != 2 {
			t.Errorf("%+v is no pair of times, but gives %+v", bad, e)
		}
	}
}

// Equal times show no difference; ratios that agree exactly have no scatter, and
// decide only by their number.
func TestRatioWithoutScatter(t *testing.T) {
	for _, c := range []struct {
		ratio   float64
		n       int
		p       float64
		verdict Verdict
	}{
		{1, 3, 1, NoDifference},
		{1, 10, 1, NoDifference},
		{2, 3, 0.25, NoDifference},
		{2, 5, 0.0625, NoDifference},
		{2, 6, 0.03125, Faster},
		{0.5, 6, 0.03125, Slower},
	} {
		var pairs []Pair
		for i := range c.n {
			pairs = append(pairs, Pair{c.ratio * float64(7+i), float64(7 + i), true, true})
		}
		e := Ratio(pairs, stream(1))
		if v := e.Verdict(e.P); math.Abs(e.P-c.p) > 1e-12 || v != c.verdict {
			t.Errorf("%d ratios of %g: %+v: %s; want P = %g and %s", c.n, c.ratio, e, v, c.p, c.verdict)
		}
	}
}

// A bound that flatters the protocol cannot make it faster.
func TestVerdictDistrustsBounds(t *testing.T) {
	fast := []Pair{{100, 50, true, true}, {100, 51, true, true}, {100, 49, true, true}, {100, 50.5, true, true}}
	e := Ratio(fast, stream(1))
	if v := e.Verdict(e.P); v != Faster {
		t.Errorf("%+v: %s", e, v)
	}
	fast[0].TestReached = false
	e = Ratio(fast, stream(1))
	if v := e.Verdict(e.P); v == Faster || !e.Fitted || e.Mark() != "~" || !(e.Low < e.Speedup && e.Speedup < e.High) || e.P != 0.625 {
		t.Errorf("one run never arrived: %+v: %s", e, v)
	}
	fast[0] = Pair{100, 50, false, true} // now the one without swaps
	e = Ratio(fast, stream(1))
	if v := e.Verdict(e.P); v != Faster || !e.Fitted || !(e.Low > 1 && e.High > e.Low) {
		t.Errorf("one run without swaps never arrived: %+v: %s", e, v)
	}
	for i, p := range fast {
		fast[i] = Pair{p.Test, p.Base, p.TestReached, p.BaseReached}
	}
	fast[0] = Pair{50, 100, false, true}
	e = Ratio(fast, stream(1))
	if v := e.Verdict(e.P); v != NoDifference {
		t.Errorf("slow, but one run without swaps never arrived: %+v: %s", e, v)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	r := stream(6)
	base, test := arm("none", 1, 0.05, 4, r), arm("few", 1, 0.05, 4, r)
	base.Runs[0].Loss[60] = math.NaN()
	test.Runs = append(test.Runs, Run{Seed: 9})
	c := Compare(base, []Arm{test, {Text: "nothing"}}, Options{Targets: []float64{1, 0.3, 0.31, 1e-9}})
	c.Name, c.Version = "name", "v1"
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Comparison
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(c, back, cmpopts.EquateNaNs(), cmp.Transformer("median", func(n Number) float64 {
		if math.IsInf(float64(n), 0) {
			return math.NaN() // no median is null, and null is NaN
		}
		return float64(n)
	})) {
		t.Errorf("reading compare.json back: %s", cmp.Diff(c, back, cmpopts.EquateNaNs()))
	}
	open := Estimate{Speedup: 2, Low: 1.5, High: math.Inf(1), P: 0.01, Pairs: 4, AtLeast: 1}
	text, err = json.Marshal(open)
	if err != nil || !strings.Contains(string(text), `"high":null`) {
		t.Fatalf("%s, %v", text, err)
	}
	var e Estimate
	if err := json.Unmarshal(text, &e); err != nil || e != open {
		t.Errorf("%+v, %v; want %+v", e, err, open)
	}
	if err := json.Unmarshal([]byte(`{"speedup":"fast"}`), &e); err == nil {
		t.Error("no error for a speed-up that is a word")
	}
}

// arm makes runs whose loss falls as 2.3 exp(-speed t/500), with noise in speed.
func arm(text string, speed, noise float64, seeds int, r *rand.Rand) Arm {
	a := Arm{Text: text}
	for s := range seeds {
		v := speed * math.Exp(noise*r.NormFloat64())
		run := Run{Seed: uint64(s + 1)}
		for it := 0.0; it <= 1000; it += 10 {
			run.Iterations = append(run.Iterations, it)
			run.Seconds = append(run.Seconds, it*0.003)
			run.Loss = append(run.Loss, 2.3*math.Exp(-v*it/500))
		}
		a.Runs = append(a.Runs, run)
	}
	return a
}

func TestCompareFindsWhatIsThere(t *testing.T) {
	r := stream(3)
	base := arm("none", 1, 0.05, 6, r)
	c := Compare(base, []Arm{arm("double", 2, 0.05, 6, r), arm("half", 0.5, 0.05, 6, r), arm("same", 1, 0.05, 6, r)}, Options{})
	want := map[string]Verdict{"double": Faster, "half": Slower, "same": NoDifference}
	speed := map[string]float64{"double": 2, "same": 1}
	for _, p := range c.Protocols {
		if p.Verdict != want[p.Text] {
			t.Errorf("%s: %s, want %s: %+v", p.Text, p.Verdict, want[p.Text], p.At(c.HeadlineTarget()))
		}
		if s := p.At(c.HeadlineTarget()).Iterations.Speedup; speed[p.Text] != 0 && math.Abs(math.Log(s/speed[p.Text])) > 0.12 {
			t.Errorf("%s: speed-up %g, want about %g", p.Text, s, speed[p.Text])
		}
		if len(p.Targets) != 18 {
			t.Errorf("%s: %d targets", p.Text, len(p.Targets))
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Protocols []struct {
			Text    string
			Targets []struct {
				Target     float64
				Iterations struct{ Speedup, Low, High *float64 }
				Seeds      int
				Verdict    string
			}
		}
	}
	if err := json.Unmarshal(text, &back); err != nil || back.Protocols[0].Targets[3].Iterations.Low == nil || back.Protocols[0].Targets[3].Seeds != 6 {
		t.Errorf("%v: %.300s", err, text)
	}
}

func TestDivergedNeverArrives(t *testing.T) {
	r := stream(4)
	base, test := arm("none", 1, 0.05, 4, r), arm("bad", 1, 0.05, 4, r)
	for i := range test.Runs {
		run := &test.Runs[i]
		run.Iterations, run.Seconds, run.Loss = run.Iterations[:5], run.Seconds[:5], run.Loss[:5]
	}
	c := Compare(base, []Arm{test}, Options{Targets: []float64{1}})
	got := c.Protocols[0].Targets[0]
	if got.Reached != 0 || got.ReachedBaseline != 4 || got.Iterations.AtMost != 4 || got.Iterations.Speedup > 0.5 || got.Verdict != Slower {
		t.Errorf("%+v", got)
	}
}

func TestTargetsComeFromTheBaseline(t *testing.T) {
	targets := Targets(arm("none", 1, 0, 2, stream(1)))
	first, last := 2.3, 2.3*math.Exp(-2)
	if math.Abs(targets[0]-(first-0.1*(first-last))) > 1e-3 || math.Abs(targets[17]-(first-0.95*(first-last))) > 1e-3 {
		t.Errorf("targets %v", targets)
	}
	if !slices.IsSortedFunc(targets, func(a, b float64) int { return int(math.Copysign(1, b-a)) }) {
		t.Errorf("not falling: %v", targets)
	}
	small := arm("none", 1, 0, 2, stream(1))
	for _, run := range small.Runs {
		for i := range run.Loss {
			run.Loss[i] *= 1e-9
		}
	}
	for i, target := range Targets(small) {
		if math.Abs(target/(1e-9*targets[i])-1) > 1e-3 {
			t.Errorf("losses of 1e-9: target %g, want %g", target, 1e-9*targets[i])
		}
	}
	var edge Arm
	for _, loss := range [][]float64{{2, 0, -2}, {math.NaN(), 1}, {math.Inf(1), 1}, {}} {
		edge.Runs = append(edge.Runs, Run{Loss: loss})
	}
	if got := Targets(edge); len(got) != 18 || got[8] != 0 || got[17] != -1.8 {
		t.Errorf("through zero, beside runs that diverged: %v", got)
	}
	if got := Targets(Arm{Runs: []Run{{Loss: []float64{1, 2}}}}); got != nil {
		t.Errorf("a loss that never falls gives targets %v", got)
	}
}

// Against scipy.stats.bootstrap(x, np.mean, method="BCa", n_resamples=400000).
func TestBCa(t *testing.T) {
	for _, c := range []struct{ x, want []float64 }{
		{[]float64{0.31, 0.12, 0.55, 0.20, 0.95}, []float64{0.222, 0.784}},
		{[]float64{0.31, 0.12, 0.55, 0.20, 0.95, -0.10, 0.02, 0.44, 1.60, 0.27}, []float64{0.212, 0.847}},
	} {
		low, high := resample(c.x, 0, 400000, stream(1)).bca()
		if math.Abs(low-c.want[0]) > 0.006 || math.Abs(high-c.want[1]) > 0.006 {
			t.Errorf("%v: [%.4f, %.4f], want %v", c.x, low, high, c.want)
		}
	}
}

// Where all runs arrive the likelihood's interval is Student's, and P its P.
func TestEstimateIsStudents(t *testing.T) {
	d := []float64{0.31, 0.12, 0.55, 0.20, 0.95}
	p := newPairing()
	for i, v := range d {
		p.add(5+v+0.1*float64(i*i%3), 5+0.1*float64(i*i%3), true, true)
	}
	mean, low, high, prob, ok := p.estimate()
	wantLow, wantHigh := student(d)
	// scipy.stats.ttest_1samp(d, 0).pvalue
	if !ok || math.Abs(mean-0.426) > 1e-3 || math.Abs(low-wantLow) > 2e-3 || math.Abs(high-wantHigh) > 2e-3 || math.Abs(prob-0.046586) > 5e-5 {
		t.Errorf("%.4f [%.4f, %.4f], P = %.5f, %v; want 0.426 [%.4f, %.4f]", mean, low, high, prob, ok, wantLow, wantHigh)
	}
}

// The chance that neither of two normal times has come at their ends, against
// independence, where it is a product, and against scipy's multivariate_normal.cdf.
func TestNeither(t *testing.T) {
	p := newPairing()
	// x and y of variance a^2 + b^2/4 and covariance a^2 - b^2/4.
	for _, c := range []struct{ x, y, mu, m, a, b, want float64 }{
		{0.3, -0.2, 0, 0, math.Sqrt(0.5), math.Sqrt2, tail(0.3) * tail(-0.2)},
		{1, 1, 0.5, 0.2, 0.6, 0.4, 0.0428358},
	} {
		if got := p.neither(c.x, c.y, c.mu, c.m, c.a, c.b); math.Abs(got-c.want) > 2e-5 {
			t.Errorf("%+v: %.6f", c, got)
		}
	}
}

// Seconds of a run that ended early are extended at its own pace, not at its partner's.
func TestEndsOfSeconds(t *testing.T) {
	base := Run{Iterations: []float64{0, 100}, Seconds: []float64{0, 1}, Loss: []float64{2, 1.5}}
	test := Run{Iterations: []float64{0, 100, 200}, Seconds: []float64{0, 5, 10}, Loss: []float64{2, 1, 0.5}}
	c := Compare(Arm{Runs: []Run{base}}, []Arm{{Text: "slow", Runs: []Run{test}}}, Options{Targets: []float64{1}})
	got := c.Protocols[0].Targets[0]
	if s := got.Iterations.Speedup; math.Abs(s-2) > 1e-12 { // at least 200/100
		t.Errorf("iterations: %g", s)
	}
	if s := got.Time.Speedup; math.Abs(s-2.0/5) > 1e-12 { // at least 2 s, not 10 s, over 5 s
		t.Errorf("seconds: %g", s)
	}
}
