package report

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// evenTicks marks about so many round values, with minor ticks between.
func evenTicks(about float64) plot.TickerFunc {
	return func(low, high float64) []plot.Tick {
		if !(high > low) || !ok(high-low) {
			return nil
		}
		step, minor := roundStep((high - low) / about)
		return between(low, high, step, minor)
	}
}

// roundStep returns the number of 1, 2 and 5 times a power of ten that is nearest to
// a step, and how many minor steps it has.
func roundStep(step float64) (float64, int) {
	unit := math.Pow(10, math.Floor(math.Log10(step)))
	switch x := step / unit; {
	case x < 1.5:
		return unit, 2
	case x < 3.5:
		return 2 * unit, 2
	case x < 7.5:
		return 5 * unit, 5
	}
	return 10 * unit, 2
}

// between marks the multiples of step and of step/minor in [low, high].
func between(low, high, step float64, minor int) []plot.Tick {
	var ticks []plot.Tick
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	small := step / float64(minor)
	for k := math.Ceil(low/small - 1e-9); k <= high/small+1e-9; k++ {
		t := plot.Tick{Value: k * small}
		if math.Mod(k, float64(minor)) == 0 {
			t.Label = strconv.FormatFloat(t.Value, 'f', decimals, 64)
			if t.Value == 0 {
				t.Label = "0"
			}
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// factorTicks marks an axis of factors around 1, of which low and high are the binary
// logarithms: even steps where it is short, powers of two where it is long.
func factorTicks(low, high float64) []plot.Tick {
	octaves := high - low
	if !(octaves > 0) || !ok(octaves) {
		return nil
	}
	var ticks []plot.Tick
	mark := func(factor float64, label string) {
		if v := math.Log2(factor); v >= low && v <= high {
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	plain := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch {
	case octaves < 1.2:
		for _, t := range evenTicks(5)(math.Exp2(low), math.Exp2(high)) {
			mark(t.Value, t.Label)
		}
	case octaves < 3.2:
		for _, decade := range []float64{0.1, 1} { // 1 is always in range
			for _, v := range []float64{1, 1.5, 2, 3, 5, 7} {
				mark(v*decade, strconv.FormatFloat(v*decade, 'g', 2, 64))
			}
			for _, v := range []float64{4, 6, 8, 9} {
				mark(v*decade, "")
			}
		}
	default:
		every := max(1, math.Round(octaves/6))
		for k := math.Ceil(low); k <= high; k++ {
			switch {
			case math.Mod(k, every) != 0:
				mark(math.Exp2(k), "")
			case k < 0:
				mark(math.Exp2(k), "1/"+plain(math.Exp2(-k)))
			default:
				mark(math.Exp2(k), plain(math.Exp2(k)))
			}
		}
	}
	return ticks
}

// logTicks marks an axis of decimal logarithms at the powers of ten, and where there is
// room at 2 and 5 times them. Numbers on one axis have one form.
func logTicks(low, high float64) []plot.Tick {
	decades := high - low
	if !(decades > 0) || !ok(decades) {
		return nil
	}
	every := max(1, math.Ceil(decades/7))
	var ticks []plot.Tick
	powers := false
	for k := math.Floor(low); k <= math.Ceil(high); k++ {
		for m := 1.0; m < 10; m++ {
			t := plot.Tick{Value: k + math.Log10(m)}
			if t.Value < low-1e-9 || t.Value > high+1e-9 || m > 1 && every > 1 {
				continue
			}
			if m == 1 && math.Mod(k, every) == 0 || decades < 1.5 && (m == 2 || m == 5) {
				t.Label = strconv.FormatFloat(m*math.Pow(10, k), 'g', 6, 64)
				powers = powers || k >= 5 || k < -3
			}
			ticks = append(ticks, t)
		}
	}
	for i := range ticks {
		if t := &ticks[i]; powers && t.Label != "" {
			k := math.Floor(t.Value + 1e-9)
			t.Label = fmt.Sprintf("%ge%g", math.Round(math.Pow(10, t.Value-k)), k)
			if k == 0 || k == 1 {
				t.Label = strconv.FormatFloat(math.Round(math.Pow(10, t.Value)), 'f', 0, 64)
			}
		}
	}
	return ticks
}
