package main

import (
	"fmt"
	"math"

	"swapmc/internal/report"
)

// windows that are tried, in standard deviations of each layer.
var windows = []float64{0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 3}

// A change is what the events with one window do to the loss, as a mean over moments.
//
// To second order the loss changes by g d + 1/2 d H d. Nearly all of the squared
// displacement is noise, with no direction; the price of such noise is measured by
// random exchanges within the same window, of which there are twice as many as guided ones.
// If the noise were all that costs anything, it would be
//
//	dL = g d + 1/2 (dL of random exchanges)
type change struct {
	*moment
	window    float64
	byBatch   promise // guided by the gradient of the batch
	byAverage promise // guided by the average of the gradients
	random    float64 // exchanges without a guide: dL - g d on the other images
}

// noisePrice is what the loss of the other images would change by if only the noise were to be paid for.
func (c *change) noisePrice() float64 { return c.byAverage.first + c.random/2 }

// mix makes o a share of the mean.
func (c *change) mix(o *change, share float64) {
	c.byBatch.mix(o.byBatch, share)
	c.byAverage.mix(o.byAverage, share)
	c.random += share * (o.random - c.random)
}

// A promise is what the guide says, and what comes of it.
type promise struct {
	guide  float64 // dL1 summed over the exchanges, by the gradient that guides
	first  float64 // the same by the gradient on the other images
	batch  float64 // dL on the batch
	others float64 // dL on the other images
}

func (p *promise) mix(o promise, share float64) {
	p.guide += share * (o.guide - p.guide)
	p.first += share * (o.first - p.first)
	p.batch += share * (o.batch - p.batch)
	p.others += share * (o.others - p.others)
}

// changes makes an event of each kind with each window.
func changes(m *moment) ([]change, error) {
	var list []change
	// The average begins at 0: what it says of the loss is to be divided by what it has seen.
	seen := 1 - math.Pow(beta, float64(m.iteration))
	for _, w := range windows {
		c := change{moment: m, window: w}
		var err error
		if c.byBatch, err = m.promised(guided, w, m.gradient); err != nil {
			return nil, err
		}
		if c.byAverage, err = m.promised(guided, w, scaled(m.average, 1/seen)); err != nil {
			return nil, err
		}
		r, err := m.promised(unguided, w, m.average)
		if err != nil {
			return nil, err
		}
		c.random = r.others - r.first
		list = append(list, c)
	}
	return list, nil
}

// promised makes an event and measures it.
func (m *moment) promised(protocol string, window float64, guide []float32) (promise, error) {
	e, err := newEvents(m.net, protocol, window, guide)
	if err != nil {
		return promise{}, err
	}
	defer e.back()
	d := e.next(1)
	return promise{guide: dot(guide, d), first: dot(m.full, d), batch: m.lossOfBatch() - m.batchLoss, others: m.lossOfOthers() - m.othersLoss}, nil
}

// useful returns the window at which the change of some loss turns from a gain to a loss, in
// between those that were tried; NaN if it does not.
func useful(list []change, dL func(*change) float64) float64 {
	for i := len(list) - 1; i > 0; i-- {
		a, b := dL(&list[i-1]), dL(&list[i])
		if a < 0 && b >= 0 {
			// In units of window squared both are nearly linear in the logarithm of the window.
			a, b = a/(list[i-1].window*list[i-1].window), b/(list[i].window*list[i].window)
			return list[i-1].window * math.Pow(list[i].window/list[i-1].window, a/(a-b))
		}
	}
	return math.NaN()
}

func ofBatch(c *change) float64  { return c.byBatch.batch }
func ofOthers(c *change) float64 { return c.byAverage.others }
func ofNoise(c *change) float64  { return c.noisePrice() }

func changeTables(all [][]change) (numbers, limits table) {
	numbers = table{{"network", "iteration", "window_std", "batch_guide_promise", "batch_guide_dL_batch", "batch_guide_first_order_others", "batch_guide_dL_others",
		"average_guide_promise", "average_guide_dL_batch", "average_guide_first_order_others", "average_guide_dL_others", "random_second_order", "average_guide_dL_if_only_noise_cost"}}
	limits = table{{"network", "iteration", "loss_of_others", "zero_window", "zero_window_if_only_noise_cost", "zero_window_batch_on_batch"}}
	for _, list := range all {
		for _, c := range list {
			numbers.add(c.name, c.iterations, c.window, c.byBatch.guide, c.byBatch.batch, c.byBatch.first, c.byBatch.others,
				c.byAverage.guide, c.byAverage.batch, c.byAverage.first, c.byAverage.others, c.random, c.noisePrice())
		}
		m := list[0].moment
		limits.add(m.name, m.iterations, m.othersLoss, useful(list, ofOthers), useful(list, ofNoise), useful(list, ofBatch))
	}
	return numbers, limits
}

// changePanels show which share of its promise an event keeps.
func changePanels(all [][]change) (legend []string, panels []report.Panel) {
	legend = []string{
		"first order + price of the noise (theory)",
		"guide: batch; loss of the batch",
		"guide: batch; loss of other images",
		"guide: average; loss of other images",
	}
	const lowest = -1 // of the axis
	for _, list := range all {
		m := list[0].moment
		p := report.Panel{X: fmt.Sprintf("window (standard deviations), %s from iteration %d", m.name, m.iterations), Y: "dL / promised dL", LogX: true, Level: 1}
		for k, ratio := range []func(*change) float64{
			func(c *change) float64 { return c.noisePrice() / c.byAverage.guide },
			func(c *change) float64 { return c.byBatch.batch / c.byBatch.guide },
			func(c *change) float64 { return c.byBatch.others / c.byBatch.guide },
			func(c *change) float64 { return c.byAverage.others / c.byAverage.guide },
		} {
			curve := report.Curve{Entry: k, Points: k > 0}
			for i := range list {
				y := ratio(&list[i])
				if y < lowest {
					if i > 0 && len(curve.Y) > 0 { // to the edge of the diagram
						before := curve.Y[len(curve.Y)-1]
						f := (before - lowest) / (before - y)
						x := curve.X[len(curve.X)-1] * math.Pow(list[i].window/list[i-1].window, f)
						curve.X, curve.Y = append(curve.X, x), append(curve.Y, lowest)
					}
					break
				}
				curve.X, curve.Y = append(curve.X, list[i].window), append(curve.Y, y)
			}
			p.Curves = append(p.Curves, curve)
		}
		p.Curves = append(p.Curves, report.Curve{X: []float64{windows[0], windows[len(windows)-1]}, Y: []float64{0, 0}, Dashed: true})
		panels = append(panels, p)
	}
	return legend, panels
}
