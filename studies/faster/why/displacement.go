package main

import (
	"fmt"
	"math"

	"swapmc/internal/report"
)

const bins = 20

// A law is what many events of guided swaps with one window do to the weights, beside what the
// theory says. Displacements of different layers are put together in units of each
// layer's standard deviation.
type law struct {
	*moment
	window            float64
	passes, events    int
	within            float64       // share of the pairs within the window, from the layers' weights
	accepted          float64       // of all pairs
	distance          [bins]float64 // density of |d|/window over the exchanged weights
	response          [bins]float64 // by rank: mean of d, in units of the predicted amplitude
	slope             float64       // of d against rank, in the same units: predicted -1
	lowest, highest   float64       // slope of a single layer
	signal, predicted float64       // square of the displacement in proportion to the rank, over the square of all the rest
	towards           float64       // cosine of one event with the predicted mean
	towardsPredicted  float64
}

// look makes the events.
func look(m *moment, window float64, passes, n int) (law, error) {
	r := law{moment: m, window: window, passes: passes, events: n}
	e, err := newEvents(m.net, guided, window, m.average)
	if err != nil {
		return r, err
	}
	sum, squares := make([]float64, len(m.average)), make([]float64, len(m.average))
	expected := make([]float32, len(m.average))
	var moved float64
	layers := m.net.Layers()
	means := make([]pairs, len(layers))
	var weights float64
	for k, l := range layers {
		means[k] = pairsWithin(m.net.Params()[l.Weight.Offset:][:l.Weight.Len], window*m.sigma[k])
		for i := l.Weight.Offset; i < l.Weight.Offset+l.Weight.Len; i++ {
			expected[i] = -float32(means[k].distance/2) * m.rank[i]
		}
		r.within += float64(l.Weight.Len) * means[k].within
		weights += float64(l.Weight.Len)
	}
	r.within /= weights
	for range n {
		d := e.next(passes)
		for k, l := range layers {
			for i := l.Weight.Offset; i < l.Weight.Offset+l.Weight.Len; i++ {
				x := float64(d[i])
				if x == 0 {
					continue
				}
				sum[i] += x
				squares[i] += x * x
				r.distance[min(bins-1, int(bins*math.Abs(x)/(window*m.sigma[k])))]++
				moved++
			}
		}
		r.towards += cosine(d, expected) / float64(n)
	}
	e.back()
	r.accepted = float64(e.accepted) / float64(e.proposed)
	for b := range r.distance {
		r.distance[b] *= bins / moved
	}

	r.compare(means, sum, squares)
	return r, nil
}

// compare takes what the events did to each weight, the sums of d and of d^2, beside what the
// theory says.
func (r *law) compare(means []pairs, sum, squares []float64) {
	n, passes := float64(r.events), float64(r.passes)
	var count [bins]float64
	var xy, xx, signal, noise, signalPredicted, noisePredicted float64
	r.lowest, r.highest = math.Inf(1), math.Inf(-1)
	for k, l := range r.net.Layers() {
		var layerXY, layerXX float64
		amplitude := passes * means[k].distance / 2
		unit := r.sigma[k] * r.sigma[k]
		var total, predicted float64 // squared displacements, all and of the predicted mean
		for i := l.Weight.Offset; i < l.Weight.Offset+l.Weight.Len; i++ {
			rank := float64(r.rank[i])
			y := sum[i] / n / amplitude
			b := min(bins-1, int(bins*(rank+1)/2))
			r.response[b] += y
			count[b]++
			layerXY += y * rank
			layerXX += rank * rank
			total += squares[i] / n / unit
			predicted += amplitude * rank * amplitude * rank / unit
		}
		slope := layerXY / layerXX
		signal += slope * slope * predicted
		noise += total - slope*slope*predicted
		signalPredicted += predicted
		noisePredicted += passes*float64(l.Weight.Len)*means[k].square/2/unit - predicted/passes
		xy, xx = xy+layerXY, xx+layerXX
		r.lowest, r.highest = min(r.lowest, slope), max(r.highest, slope)
	}
	for b := range r.response {
		r.response[b] /= count[b]
	}
	r.slope, r.signal, r.predicted = xy/xx, signal/noise, signalPredicted/noisePredicted
	r.towardsPredicted = math.Sqrt(r.predicted / (1 + r.predicted))
}

// lawTables are the CSVs of laws.
func lawTables(laws []law) (numbers, distances, responses table) {
	numbers = table{{"network", "iteration", "window_std", "passes", "events", "pairs_within", "accepted_of_all", "accepted_of_within", "slope", "slope_lowest_layer", "slope_highest_layer", "signal_to_noise", "signal_to_noise_predicted", "cosine_with_rank", "cosine_with_rank_predicted"}}
	distances = table{{"network", "iteration", "window_std", "distance_over_window", "density"}}
	responses = table{{"network", "iteration", "window_std", "rank", "displacement_over_predicted_amplitude"}}
	for _, r := range laws {
		numbers.add(r.name, r.iterations, r.window, r.passes, r.events, r.within, r.accepted, r.accepted/r.within, r.slope, r.lowest, r.highest, r.signal, r.predicted, r.towards, r.towardsPredicted)
		if r.passes > 1 {
			continue
		}
		for b := range bins {
			distances.add(r.name, r.iterations, r.window, (float64(b)+0.5)/bins, r.distance[b])
			responses.add(r.name, r.iterations, r.window, -1+(2*float64(b)+1)/bins, r.response[b])
		}
	}
	return numbers, distances, responses
}

// lawPanels show the displacements of one moment for several windows, and the signal.
func lawPanels(laws []law, network string, iterations int, windows []float64) (legend []string, panels []report.Panel) {
	distance := report.Panel{X: "distance of an exchanged pair / window", Y: "density"}
	response := report.Panel{X: "rank of the average gradient, 2F-1", Y: "mean displacement / amplitude"}
	legend = []string{"theory (dashed: window 1 in a box of weights)"}
	flat := report.Curve{X: []float64{0, 1}, Y: []float64{1, 1}}
	box := 2 * math.Sqrt(3) // width of a flat density, in standard deviations
	sloping := report.Curve{X: []float64{0, 1}, Y: []float64{box / (box - 0.5), (box - 1) / (box - 0.5)}, Dashed: true}
	line := report.Curve{X: []float64{-1, 1}, Y: []float64{1, -1}}
	distance.Curves, response.Curves = append(distance.Curves, flat, sloping), append(response.Curves, line)
	for _, w := range windows {
		for _, r := range laws {
			if r.name != network || r.iterations != iterations || r.window != w || r.passes > 1 {
				continue
			}
			legend = append(legend, fmt.Sprintf("window %g (standard deviations of the layer)", w))
			d, m := report.Curve{Entry: len(legend) - 1}, report.Curve{Entry: len(legend) - 1}
			for b := range bins {
				d.X, d.Y = append(d.X, (float64(b)+0.5)/bins), append(d.Y, r.distance[b])
				m.X, m.Y = append(m.X, -1+(2*float64(b)+1)/bins), append(m.Y, r.response[b])
			}
			distance.Curves, response.Curves = append(distance.Curves, d), append(response.Curves, m)
		}
	}
	return legend, []report.Panel{distance, response}
}
