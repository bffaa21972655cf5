package speedup

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Rate is the runs at one learning rate: of the baseline and of each protocol, with the
// same protocols in the same order at each rate. An arm without runs was not tried there.
type Rate struct {
	Rate float64
	Base Arm
	Arms []Arm
}

// A Sensitivity says what of a speed-up is left when the learning rate is tuned. A
// protocol that is faster only at the baseline's bad rates is a better learning rate in
// disguise.
type Sensitivity struct {
	Target    float64         `json:"target"`    // training loss
	BaseBest  Number          `json:"base_best"` // the baseline's best rate; null if it arrives at none
	Base      []RatePoint     `json:"base"`      // of the baseline, by rate
	Protocols []ProtocolRates `json:"protocols"`
}

// A ProtocolRates is the sensitivity of one protocol. Both estimates are against the baseline at its
// own best rate; verdicts are after Holm's correction over the protocols.
type ProtocolRates struct {
	Text          string      `json:"text"`
	Best          Number      `json:"best"` // its own best rate; null if it arrives at none
	AtBaseBest    Estimate    `json:"at_base_best"`
	VerdictAtBase Verdict     `json:"verdict_at_base_best"`
	AtOwnBest     Estimate    `json:"at_own_best"`
	VerdictAtOwn  Verdict     `json:"verdict_at_own_best"`
	Points        []RatePoint `json:"points"` // by rate
}

// A RatePoint is how runs at one rate arrive.
type RatePoint struct {
	Rate    float64   `json:"rate"`
	Seeds   int       `json:"seeds"`
	Reached int       `json:"reached"`
	Time    Number    `json:"time"`              // geometric mean of the iterations of those that arrive; null if none
	Median  Number    `json:"median"`            // Kaplan-Meier; null where fewer than half arrive
	Speedup *Estimate `json:"speedup,omitempty"` // against the baseline at this same rate; absent for the baseline
}

// Sensitivities compares each protocol with the baseline at the best learning rate of
// each. The best is the rate at which most seeds reach the target and, among those, the
// one with the smallest geometric mean of iterations; of equals the smaller rate. The
// target is opt.Targets[0] or, without any, the lowest of the headline targets that the
// baseline's runs at each rate would set.
//
// It is an error if a protocol was tried at rates at which the baseline was not: tuned
// more than its opponent it would win for that alone (Dahl et al., arXiv:2306.07179). The
// best rates are chosen with the seeds that are then compared; as both sides choose, from
// equally many, neither gains by it.
func Sensitivities(rates []Rate, opt Options) (*Sensitivity, error) {
	if len(rates) == 0 {
		return nil, errors.New("no learning rates: nothing to compare")
	}
	rates = slices.Clone(rates)
	slices.SortStableFunc(rates, func(a, b Rate) int { return cmp.Compare(a.Rate, b.Rate) })
	for i, r := range rates {
		if i > 0 && r.Rate == rates[i-1].Rate {
			return nil, fmt.Errorf("learning rate %g is given twice", r.Rate)
		}
		if len(r.Arms) != len(rates[0].Arms) {
			return nil, fmt.Errorf("learning rate %g has %d protocols, %g has %d: want the same at each", r.Rate, len(r.Arms), rates[0].Rate, len(rates[0].Arms))
		}
		for k, a := range r.Arms {
			if a.Text != rates[0].Arms[k].Text {
				return nil, fmt.Errorf("learning rate %g has %s where %g has %s: want the same protocols at each", r.Rate, a.Text, rates[0].Rate, rates[0].Arms[k].Text)
			}
			if len(a.Runs) > 0 && len(r.Base.Runs) == 0 {
				return nil, fmt.Errorf("learning rate %g: %s was tried and the baseline was not: an opponent tuned less is beaten for that alone", r.Rate, a.Text)
			}
		}
	}
	s := &Sensitivity{Target: math.Inf(1), BaseBest: Number(math.NaN())}
	if len(opt.Targets) > 0 {
		s.Target = opt.Targets[0]
	} else {
		for _, r := range rates {
			targets := Targets(r.Base)
			if t := headline(r.Base, targets, true); t < s.Target {
				s.Target = t
			}
		}
		if math.IsInf(s.Target, 0) {
			return nil, errors.New("the baseline's loss falls at no learning rate: no target to compare at")
		}
	}
	for _, r := range rates {
		s.Base = append(s.Base, ratePoint(r.Rate, r.Base, s.Target))
	}
	base := best(s.Base)
	if base >= 0 {
		s.BaseBest = Number(rates[base].Rate)
	}
	// Where the baseline arrives at no rate any of its rates is as good: the one that was tried with most seeds.
	opponent := base
	if opponent < 0 {
		opponent = 0
		for i, p := range s.Base {
			if p.Seeds > s.Base[opponent].Seeds {
				opponent = i
			}
		}
	}
	for k, arm := range rates[0].Arms {
		p := ProtocolRates{Text: arm.Text, Best: Number(math.NaN())}
		for _, r := range rates {
			point := ratePoint(r.Rate, r.Arms[k], s.Target)
			same := compareAt(r.Base, r.Arms[k], s.Target, opt).Iterations
			point.Speedup = &same
			p.Points = append(p.Points, point)
		}
		own := best(p.Points)
		if own >= 0 {
			p.Best = Number(rates[own].Rate)
		} else {
			own = opponent
		}
		p.AtBaseBest = compareAt(rates[opponent].Base, rates[opponent].Arms[k], s.Target, opt).Iterations
		p.AtOwnBest = compareAt(rates[opponent].Base, rates[own].Arms[k], s.Target, opt).Iterations
		s.Protocols = append(s.Protocols, p)
	}
	var atBase, atOwn []float64
	for _, p := range s.Protocols {
		atBase, atOwn = append(atBase, p.AtBaseBest.P), append(atOwn, p.AtOwnBest.P)
	}
	atBase, atOwn = Holm(atBase), Holm(atOwn)
	for i := range s.Protocols {
		p := &s.Protocols[i]
		p.VerdictAtBase, p.VerdictAtOwn = p.AtBaseBest.Verdict(atBase[i]), p.AtOwnBest.Verdict(atOwn[i])
	}
	return s, nil
}

func ratePoint(rate float64, a Arm, target float64) RatePoint {
	p := RatePoint{Rate: rate, Seeds: len(a.Runs), Time: Number(math.NaN()), Median: Number(math.NaN())}
	var all arrivals
	sum := 0.0
	for _, r := range a.Runs {
		t, ok := timeOrEnd(r, r, Run.iterations, target)
		all.add(t, ok)
		if ok {
			sum += math.Log(t)
		}
	}
	if p.Reached = all.count; p.Reached > 0 {
		p.Time = Number(math.Exp(sum / float64(p.Reached)))
	}
	if p.Seeds > 0 {
		p.Median = Number(KaplanMeier(all.times, all.reached).Median())
	}
	return p
}

// best is the number of the best point, -1 if no run arrives at any.
func best(points []RatePoint) int {
	choice := -1
	share := func(p RatePoint) float64 { return float64(p.Reached) / float64(max(p.Seeds, 1)) }
	for i, p := range points {
		if p.Reached == 0 {
			continue
		}
		if choice < 0 || share(p) > share(points[choice]) || share(p) == share(points[choice]) && p.Time < points[choice].Time {
			choice = i
		}
	}
	return choice
}
