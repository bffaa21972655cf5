package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"swapmc/internal/report"
)

// A direction is where an update goes, compared with others, as a mean over moments.
type direction struct {
	*moment
	name                    string
	batch, full, sign, rank float64   // cosines with minus the gradient of the batch and of the other images, minus the sign of the average, minus its rank
	gains                   []float64 // on the other images, of steps of each length; nil if not sought
}

// mix makes o a share of the mean.
func (d *direction) mix(o *direction, share float64) {
	d.batch += share * (o.batch - d.batch)
	d.full += share * (o.full - d.full)
	d.sign += share * (o.sign - d.sign)
	d.rank += share * (o.rank - d.rank)
	for i, g := range o.gains {
		d.gains[i] += share * (g - d.gains[i])
	}
}

// lengths of steps, in norms of the weights.
var lengths = []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2}

const swapWindow = 0.1 // of the events whose direction is taken

// directions compares the updates of optimisers with swaps, alone and as means over up to so
// many events.
func directions(m *moment, n int) ([]direction, error) {
	sign := signs(m.average)
	byRank := m.layerwise(m.rank)
	var list []direction
	for _, u := range []struct {
		name string
		d    []float32
	}{
		{"SGD", scaled(m.gradient, -1)},
		{"SGD with momentum", scaled(m.average, -1)},
		{"signum", scaled(sign, -1)},
		{"Adam", m.adam},
		{"rank", scaled(byRank, -1)},
	} {
		d := m.compare(u.name, u.d, sign, byRank)
		d.gains = m.search(u.d)
		list = append(list, d)
	}
	e, err := newEvents(m.net, guided, swapWindow, m.average)
	if err != nil {
		return nil, err
	}
	mean := make([]float32, len(m.average))
	for k := 1; k <= n; k++ {
		for i, d := range e.next(1) {
			mean[i] += d
		}
		if k&(k-1) == 0 { // powers of 2
			name := fmt.Sprintf("swaps, mean of %d events", k)
			if k == 1 {
				name = "swaps, one event"
			}
			list = append(list, m.compare(name, mean, sign, byRank))
		}
	}
	e.back()
	for _, passes := range []int{1, 4, 16} {
		d, err := m.searchWindows(passes)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// layerwise multiplies each layer by the standard deviation of its weights, to which windows
// are proportional.
func (m *moment) layerwise(x []float32) []float32 {
	y := make([]float32, len(x))
	for k, l := range m.net.Layers() {
		for i := l.Weight.Offset; i < l.Weight.Offset+l.Weight.Len; i++ {
			y[i] = float32(m.sigma[k]) * x[i]
		}
	}
	return y
}

func (m *moment) compare(name string, d, sign, rank []float32) direction {
	return direction{moment: m, name: name, batch: -cosine(d, m.gradient), full: -cosine(d, m.full), sign: -cosine(d, sign), rank: -cosine(d, rank)}
}

// search goes along d and returns what each length gains.
func (m *moment) search(d []float32) []float64 {
	params := m.net.Params()
	start := m.weightsOf(params)
	unit := math.Sqrt(dot(start, start) / dot(d, d))
	before := slices.Clone(params)
	defer copy(params, before)
	var gains []float64
	for _, s := range lengths {
		for i := range params {
			params[i] = before[i] + float32(s*unit*float64(d[i]))
		}
		gains = append(gains, m.othersLoss-m.lossOfOthers())
	}
	return gains
}

// searchWindows returns what an event of so many passes gains with each window.
func (m *moment) searchWindows(passes int) (direction, error) {
	r := direction{moment: m, name: fmt.Sprintf("swaps, passes: %d", passes), batch: math.NaN(), full: math.NaN(), sign: math.NaN(), rank: math.NaN()}
	for _, w := range windows {
		e, err := newEvents(m.net, guided, w, m.average)
		if err != nil {
			return r, err
		}
		e.next(passes)
		r.gains = append(r.gains, m.othersLoss-m.lossOfOthers())
		e.back()
	}
	return r, nil
}

func directionTable(all [][]direction) table {
	t := table{{"network", "iteration", "update", "cosine_batch_gradient", "cosine_gradient_of_others", "cosine_sign", "cosine_rank", "best_step_over_norm", "best_window", "gain_at_best"}}
	for _, list := range all {
		for _, d := range list {
			step, window, gain := math.NaN(), math.NaN(), math.NaN()
			if d.gains != nil {
				gain = slices.Max(d.gains)
				at := slices.Index(d.gains, gain)
				if isSwaps(d.name) {
					window = windows[at]
				} else {
					step = lengths[at]
				}
			}
			t.add(d.moment.name, d.iterations, d.name, d.batch, d.full, d.sign, d.rank, step, window, gain)
		}
	}
	return t
}

// noisePanels show how the direction comes out of the noise: with the number of events, and
// with the window.
func noisePanels(all [][]direction, laws []law, iterations int) (legend []string, panels []report.Panel) {
	legend = []string{"theory"}
	turn := report.Panel{X: "events averaged (window 0.1)", Y: "cosine with the rank update", LogX: true}
	ratio := report.Panel{X: "window (standard deviations)", Y: "signal / noise of one event", LogX: true, LogY: true}
	for _, list := range all {
		if list[0].iterations != iterations {
			continue
		}
		name := list[0].moment.name
		legend = append(legend, name)
		entry := len(legend) - 1
		c, theory := report.Curve{Entry: entry, Points: true}, report.Curve{}
		measured, predicted := report.Curve{Entry: entry, Points: true}, report.Curve{}
		var one float64
		for _, r := range laws {
			if r.name != name || r.iterations != iterations || r.passes > 1 {
				continue
			}
			if r.window == swapWindow {
				one = r.predicted
			}
			measured.X, measured.Y = append(measured.X, r.window), append(measured.Y, r.signal)
			predicted.X, predicted.Y = append(predicted.X, r.window), append(predicted.Y, r.predicted)
		}
		events := 1.0
		for _, d := range list {
			if !isSwaps(d.name) || d.gains != nil {
				continue
			}
			c.X, c.Y = append(c.X, events), append(c.Y, d.rank)
			theory.X, theory.Y = append(theory.X, events), append(theory.Y, math.Sqrt(events*one/(1+events*one)))
			events *= 2
		}
		turn.Curves = append(turn.Curves, theory, c)
		ratio.Curves = append(ratio.Curves, predicted, measured)
	}
	return legend, []report.Panel{turn, ratio}
}

func isSwaps(name string) bool { return strings.HasPrefix(name, "swaps") }
