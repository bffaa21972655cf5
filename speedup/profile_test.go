package speedup

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Worked by hand: four problems, three ways of training.
func TestProfiles(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	p := Profiles([][]float64{
		{10, 20, 30, inf},
		{20, 10, 30, nan},
		{40, 25, inf, inf},
	})
	want := []Profile{
		{[]float64{1, 2}, []float64{0.5, 0.75}},
		{[]float64{1, 2}, []float64{0.5, 0.75}},
		{[]float64{2.5, 4}, []float64{0.25, 0.5}},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Fatal(d)
	}
	for factor, share := range map[float64]float64{0.9: 0, 1: 0.5, 1.9: 0.5, 2: 0.75, 100: 0.75} {
		if got := p[0].At(factor); got != share {
			t.Errorf("At(%g) = %g, want %g", factor, got, share)
		}
	}
	// (1 0.5 + 2 0.75)/3, and 1.5 0.25/3.
	if a, b := p[0].Score(4), p[2].Score(4); math.Abs(a-2.0/3) > 1e-15 || math.Abs(b-0.125) > 1e-15 {
		t.Errorf("scores %g, %g", a, b)
	}
	if s := Profiles([][]float64{{5, 6}})[0].Score(4); s != 1 {
		t.Errorf("the best on all has score %g", s)
	}
	if p := Profiles([][]float64{{inf}, nil}); p[0].Score(4) != 0 || p[1].At(1e9) != 0 {
		t.Errorf("nobody arrives: %+v", p)
	}
}

func TestProfileTimes(t *testing.T) {
	r := stream(12)
	var cs []Comparison
	for _, speed := range []float64{2, 0.5} {
		arms := []Arm{arm("a", speed, 0.01, 3, r), arm("b", 1, 0.01, 3, r), arm(fmt.Sprint("only", speed), 1, 0.01, 3, r)}
		cs = append(cs, Compare(arm("none", 1, 0.01, 3, r), arms, Options{}))
	}
	names, times := ProfileTimes(cs)
	if d := cmp.Diff([]string{"none", "a", "b"}, names); d != "" || len(times) != 3 || len(times[1]) != 2 {
		t.Fatal(d, times)
	}
	if a := times[0][0] / times[1][0]; math.Abs(a-2) > 0.2 {
		t.Errorf("twice as fast is %g times as fast", a)
	}
	if !math.IsInf(times[1][1], 1) && !(times[1][1] > times[0][1]) {
		t.Errorf("half as fast: %v", times)
	}
	if names, _ := ProfileTimes(nil); names != nil {
		t.Error(names)
	}
}

// A protocol that only makes a learning rate larger is faster at small rates, and no
// faster once both are tuned; one that is truly faster stays so.
func TestSensitivities(t *testing.T) {
	r := stream(13)
	// Speed of training at a rate: rises, and beyond 0.2 falls.
	speed := func(rate float64) float64 { return 10 * math.Min(rate, 0.04/rate) }
	var rates []Rate
	for _, rate := range []float64{0.4, 0.05, 0.1, 0.2} { // not in order
		rates = append(rates, Rate{rate, arm("none", speed(rate), 0.05, 5, r), []Arm{
			arm("disguised", speed(2*rate), 0.05, 5, r), arm("faster", 1.5*speed(rate), 0.05, 5, r)}})
	}
	s, err := Sensitivities(rates, Options{Targets: []float64{1.5}})
	if err != nil {
		t.Fatal(err)
	}
	if s.BaseBest != 0.2 || s.Protocols[0].Best != 0.1 || s.Protocols[1].Best != 0.2 {
		t.Errorf("best rates %g, %g, %g", s.BaseBest, s.Protocols[0].Best, s.Protocols[1].Best)
	}
	d, f := s.Protocols[0], s.Protocols[1]
	if d.Points[0].Rate != 0.05 || math.Abs(d.Points[0].Speedup.Speedup-2) > 0.2 {
		t.Errorf("at rate 0.05: %+v", d.Points[0])
	}
	if d.VerdictAtOwn != NoDifference || d.VerdictAtBase != Slower {
		t.Errorf("disguised: %s at its own best, %s at the baseline's", d.VerdictAtOwn, d.VerdictAtBase)
	}
	if f.VerdictAtOwn != Faster || f.VerdictAtBase != Faster || math.Abs(f.AtOwnBest.Speedup-1.5) > 0.15 {
		t.Errorf("faster: %+v", f)
	}
	if s, err := Sensitivities(rates, Options{}); err != nil || !(s.Target > 0 && s.Target < 2.3) {
		t.Errorf("%v: %+v", err, s)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string][]Rate{
		"none":          nil,
		"twice":         {rates[0], rates[0]},
		"other":         {rates[0], {0.3, rates[1].Base, rates[1].Arms[:1]}},
		"other name":    {rates[0], {0.3, rates[1].Base, []Arm{{Text: "x"}, {Text: "y"}}}},
		"untuned":       {rates[0], {0.3, Arm{Text: "none"}, rates[1].Arms}},
		"never falling": {{0.1, Arm{Runs: []Run{{Loss: []float64{1, 2}}}}, nil}},
	} {
		if _, err := Sensitivities(bad, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// A rate that nobody survives is not chosen, and a baseline that never arrives is compared all the same.
	s, err = Sensitivities(rates, Options{Targets: []float64{1e-30}})
	if err != nil || s.BaseBest == s.BaseBest || s.Protocols[1].VerdictAtOwn != NotReached {
		t.Errorf("%v: %+v", err, s)
	}
}

// Where nothing differs, choosing each side's best rate makes no difference either.
func TestSensitivitiesChooseFairly(t *testing.T) {
	r := stream(14)
	studies, wrong := studies(t)/4, 0
	for range studies {
		var rates []Rate
		for k := range 4 {
			d := design{seeds: 5, run: 0.2, seed: 0.2, speedups: []float64{1}}
			base, arms := d.arms(r)
			rates = append(rates, Rate{0.1 * float64(k+1), base, arms})
		}
		s, err := Sensitivities(rates, Options{Targets: []float64{1.5}, resamples: 500})
		if err != nil {
			t.Fatal(err)
		}
		if v := s.Protocols[0].VerdictAtOwn; v != NoDifference {
			wrong++
		}
	}
	share := 100 * float64(wrong) / float64(studies)
	t.Logf("%.1f%% of %d studies name a difference", share, studies)
	if share > 5+300*math.Sqrt(0.05*0.95/float64(studies)) {
		t.Errorf("%.1f%% of the studies name a difference", share)
	}
}
