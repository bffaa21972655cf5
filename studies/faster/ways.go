package main

import (
	"math"
	"strconv"
)

// A kind says what a way of training is there for.
type kind string

const (
	baseline kind = "baseline"
	swaps    kind = "swap"    // what is asked about
	peer     kind = "peer"    // the like from the literature
	control  kind = "control" // what an effect of swaps might be mistaken for
)

// A way is a way of training: an optimiser and protocols, as texts with {lr} and
// {x} for what is tuned and {end} for the number of iterations. Its trials are all
// combinations of learning rates and xs.
type way struct {
	name      string
	kind      kind
	base      string // the baseline under it, with which it is compared besides the best; "" for none
	optimizer string // as in a spec
	schedule  string // of the learning rate, which is constant where there is none
	protocol  string
	rates     rates
	xs        []float64
}

// trials is how many settings each way is tried at.
const trials = 8

// Rates say which learning rates are tried: all those of a baseline, or the middle
// half of them, so that there is room for another number.
type rates struct {
	of   string // the baseline; "" for none
	half bool
}

// ranges of the learning rates of the baselines; a problem may have its own.
var ranges = map[string][2]float64{
	"sgd":      {0.01, 1},
	"momentum": {0.001, 0.1},
	"nesterov": {0.001, 0.1},
	"adam":     {1e-4, 1e-2},
	"signum":   {3e-5, 3e-3},
}

// rates returns the learning rates of a way on the problem.
func (p *problem) rates(r rates) []float64 {
	if r.of == "" {
		return nil
	}
	ends, own := p.ranges[r.of]
	if !own {
		ends = ranges[r.of]
	}
	list := spread(ends[0], ends[1], trials)
	if r.half {
		list = list[trials/4 : trials*3/4]
	}
	return list
}

// optimizers are the baselines.
var optimizers = map[string]string{
	"sgd":      "{name: sgd, lr: {lr}}",
	"momentum": "{name: sgd, lr: {lr}, momentum: 0.9}",
	"nesterov": "{name: sgd, lr: {lr}, momentum: 0.9, nesterov: true}",
	"adam":     "{name: adam, lr: {lr}}",
	"signum":   "{name: signum, lr: {lr}}",
}

const (
	guided   = "weights:1SS each n=all guide=momentum window={x}std accept=greedy"
	annealed = "weights:1SS each n=all guide=momentum window={x}std..0std until={end} ramp=linear accept=greedy"
	// From 24, so that what is measured every 25 iterations is a permutation.
	lookahead = "weights:11S each n=all from=24 every={x} guide=lookahead"
	cycles    = "weights:11S each n=all guide=momentum cycles subset=10 window={x}std accept=greedy"
	unguided  = "weights:1SS each n=all window={x}std"
	gauge     = "weights:1SA every=10 gauge=true"
)

// Windows, in standard deviations of a layer's initial weights.
var (
	two   = []float64{0.02, 0.1}
	eight = spread(0.01, 1, trials)
)

// ways in the order in which they are run: the baselines first.
var ways = []way{
	{name: "sgd", kind: baseline, optimizer: optimizers["sgd"], rates: rates{of: "sgd"}},
	{name: "momentum", kind: baseline, optimizer: optimizers["momentum"], rates: rates{of: "momentum"}},
	{name: "nesterov", kind: baseline, optimizer: optimizers["nesterov"], rates: rates{of: "nesterov"}},
	{name: "adam", kind: baseline, optimizer: optimizers["adam"], rates: rates{of: "adam"}},
	{name: "signum", kind: baseline, optimizer: optimizers["signum"], rates: rates{of: "signum"}},
	// What a window annealed to nothing has to be compared with.
	{name: "adam-cosine", kind: baseline, optimizer: optimizers["adam"], schedule: "cosine", rates: rates{of: "adam"}},
	{name: "signum-cosine", kind: baseline, optimizer: optimizers["signum"], schedule: "cosine", rates: rates{of: "signum"}},

	on("guided", swaps, "sgd", guided, two),
	on("guided", swaps, "momentum", guided, two),
	on("guided", swaps, "nesterov", guided, two),
	on("guided", swaps, "adam", guided, two),
	on("guided", swaps, "signum", guided, two),
	on("annealed", swaps, "adam", annealed, two),
	{name: "annealed-adam-cosine", kind: swaps, base: "adam-cosine", optimizer: optimizers["adam"], schedule: "cosine", protocol: annealed,
		rates: rates{of: "adam", half: true}, xs: []float64{0.1, 0.4}},
	{name: "alone", kind: swaps, optimizer: "{name: none}", protocol: guided, xs: eight},
	{name: "alone-annealed", kind: swaps, optimizer: "{name: none}", protocol: annealed, xs: eight},

	on("lookahead", peer, "adam", lookahead, []float64{5, 25}),
	{name: "permutation", kind: peer, optimizer: "{name: none}", protocol: cycles, xs: eight},

	{name: "sign-sgd", kind: control, base: "sgd", optimizer: "{name: sgd, lr: {lr}, sign: {x}}", rates: rates{of: "sgd", half: true}, xs: []float64{3e-5, 3e-4}},
	on("unguided", control, "sgd", unguided, two),
	{name: "gauge-sgd", kind: control, base: "sgd", optimizer: optimizers["sgd"], protocol: gauge, rates: rates{of: "sgd"}},
}

// on is a protocol on top of a baseline, at its middle learning rates.
func on(name string, k kind, base, protocol string, xs []float64) way {
	return way{name: name + "-" + base, kind: k, base: base, optimizer: optimizers[base], protocol: protocol, rates: rates{of: base, half: true}, xs: xs}
}

// spread returns n values with equal ratios, rounded to three digits.
func spread(from, to float64, n int) []float64 {
	var list []float64
	for i := range n {
		x := from * math.Pow(to/from, float64(i)/float64(n-1))
		x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
		list = append(list, x)
	}
	return list
}
