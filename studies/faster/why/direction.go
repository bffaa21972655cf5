package main

import (
	"fmt"
	"math"

	"swapmc/internal/report"
)

// A direction is where an update goes, compared with others.
type direction struct {
	*moment
	name                    string
	batch, full, sign, rank float64 // cosines with minus the gradient of the batch and of the other images, minus the sign of the average, minus its rank
	step, gain              float64 // the best length, in root mean squares over those of the weights, and what it gains on the other images; NaN if not sought
}

const (
	swapWindow = 0.1 // of the events whose direction is taken
	lengths    = 14
)

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
		d.step, d.gain = m.search(u.d)
		list = append(list, d)
	}
	e, err := newEvents(m.net, guided, swapWindow, m.average)
	if err != nil {
		return nil, err
	}
	defer e.back()
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
	return direction{moment: m, name: name, batch: -cosine(d, m.gradient), full: -cosine(d, m.full), sign: -cosine(d, sign), rank: -cosine(d, rank), step: math.NaN(), gain: math.NaN()}
}

// search goes along d with growing steps and returns the one, relative to the norm of the weights,
// that lowers the loss of the other images the most.
func (m *moment) search(d []float32) (step, gain float64) {
	params := m.net.Params()
	start := m.weightsOf(params)
	unit := math.Sqrt(dot(start, start) / dot(d, d))
	before := append([]float32(nil), params...)
	defer copy(params, before)
	for k := range lengths {
		s := 1e-3 * math.Pow(300, float64(k)/(lengths-1))
		for i := range params {
			params[i] = before[i] + float32(s*unit*float64(d[i]))
		}
		if g := m.othersLoss - m.lossOfOthers(); g > gain {
			step, gain = s, g
		}
	}
	return step, gain
}

// directionTable has the gains of swaps below the directions, their windows in place of steps.
func directionTable(all [][]direction, gains []gain) table {
	t := table{{"network", "iteration", "update", "cosine_batch_gradient", "cosine_gradient_of_others", "cosine_sign", "cosine_rank", "best_step_over_norm_or_window", "gain_at_best"}}
	for _, list := range all {
		for _, d := range list {
			t.add(d.moment.name, d.iterations, d.name, d.batch, d.full, d.sign, d.rank, d.step, d.gain)
		}
		for _, g := range gains {
			if g.moment == list[0].moment {
				nan := math.NaN()
				t.add(g.name, g.iterations, fmt.Sprintf("swaps, %d passes at best window", g.passes), nan, nan, nan, nan, g.window, g.gain)
			}
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
			if !isSwaps(d.name) {
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

func isSwaps(name string) bool { return len(name) > 5 && name[:5] == "swaps" }
