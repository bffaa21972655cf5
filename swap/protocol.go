package swap

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Target names what a protocol exchanges.
type Target string

// The targets and their axes.
const (
	Features  Target = "features"  // (image, channel, pixel) of the batch
	Weights   Target = "weights"   // (layer, row, column): row = output unit, column = input
	Biases    Target = "biases"    // (layer, unit)
	Params    Target = "params"    // (layer, entry): weights and biases in one pool
	Diameters Target = "diameters" // (particle)
	Lengths   Target = "lengths"   // (spin)
)

var axes = map[Target][]string{
	Features:  {"image", "channel", "pixel"},
	Weights:   {"layer", "row", "column"},
	Biases:    {"layer", "unit"},
	Params:    {"layer", "entry"},
	Diameters: {"particle"},
	Lengths:   {"spin"},
}

// Targets lists all targets.
func Targets() []Target {
	return []Target{Features, Weights, Biases, Params, Diameters, Lengths}
}

// Axes returns the names of the target's axes, one for each letter of its codes;
// nil for an unknown target.
func (t Target) Axes() []string { return slices.Clone(axes[t]) }

// ofNetwork tells whether the target is a trainable parameter of a network.
func (t Target) ofNetwork() bool { return t == Weights || t == Biases || t == Params }

// ofParticles tells whether the target belongs to a system with an energy and a temperature.
func (t Target) ofParticles() bool { return t == Diameters || t == Lengths }

// accept returns the rule where a protocol names none.
func (t Target) accept() Accept {
	if t.ofParticles() {
		return Metropolis
	}
	return Always
}

// An Accept rule decides whether a proposed swap is kept.
type Accept string

// The acceptance rules. dL is the change of the loss or energy, or with a
// [Guide] its first-order estimate.
const (
	Always     Accept = "always"     // every swap is kept
	Metropolis Accept = "metropolis" // kept with probability min(1, exp(-dL/T))
	Greedy     Accept = "greedy"     // Metropolis at T = 0
)

// A Guide replaces the change of the loss, which costs a forward pass, by its
// first-order estimate
//
//	dL1 = (g_i - g_j)(w_j - w_i)
//
// where g is the gradient of the loss with respect to the exchanged values w.
type Guide string

// The guides.
const (
	Unguided    Guide = ""
	ByGradient  Guide = "gradient" // g is this iteration's gradient
	ByMomentum  Guide = "momentum" // g is its exponential average, g <- beta g + (1-beta) gradient
	DefaultBeta       = 0.9        // where a Protocol names none

	ByLookahead Guide = "lookahead" // no gradient but the order in which the optimiser has left the values: see [Mover.Step]
)

// A Ramp is how a strength changes between iterations From and Until.
// With x growing from 0 to 1 the strength goes from start to end as
type Ramp string

// The ramps.
const (
	NoRamp Ramp = ""
	Linear Ramp = "linear" // start + (end-start) x
	Cosine Ramp = "cosine" // start + (end-start) (1 - cos(pi x))/2
	Exp    Ramp = "exp"    // start + (end-start) (1 - exp(-5x))/(1 - exp(-5))
)

// A Count is a number of swaps.
type Count struct {
	Value float64 // a whole number, or with Batch a fraction
	Batch bool    // Value is a fraction of the batch
	All   bool    // a random perfect matching of all entries in scope
}

func (c Count) String() string {
	switch {
	case c.All:
		return "all"
	case c.Batch:
		return number(c.Value) + "B"
	}
	return number(c.Value)
}

// A Protocol says what is swapped, how many times, when, and whether a swap is
// kept. The zero value of each option stands for its default.
type Protocol struct {
	Target Target
	Code   string // one letter of "1SA" for each of the target's axes

	N     Count    // swaps an event; default 1
	Each  bool     // run over every index of the first axis instead of drawing one
	P     float64  // probability of an event per iteration (with Each: per index), in [0, 1]; default 1
	Every int      // iterations between events; default 1
	From  int      // first iteration with an event
	Until int      // events happen before this iteration; 0 means no end
	Ramp  Ramp     // of N where NTo is set, of Window where it anneals, else of P
	PTo   float64  // P at the end of a ramp
	NTo   Count    // N at the end of a ramp
	Layer []string // names of the layers concerned; empty means all

	UntilLoss float64 // the events end when the averaged loss has fallen to this fraction of the first, in (0, 1); 0 means not so

	Window Window  // only pairs whose values differ by at most this
	Accept Accept  // default Always; of diameters and lengths Metropolis
	T      float64 // temperature of Metropolis, in units of the loss or energy; diameters and lengths may leave it to their system
	Guide  Guide
	Beta   float64 // averaging of ByMomentum, in [0, 1); default 0.9

	Cycles  bool    // guided values move in cycles, not pairs
	Subset  int     // least number of entries among which cycles are sought; default 10
	Propose Propose // how a pair is proposed
	Pairs   int     // pairs among which ProposeByGradient chooses; default 64

	Carry bool // optimiser state travels with the weights
	Gauge bool // exchange the next layer's matching columns too: the network's function does not change
	Keep  bool // features: the swap stays in the data set; otherwise it is undone after the iteration
	Lift  bool // diameters and lengths: one of them climbs until a swap is refused, then the one in its way
}

// normal fills in the defaults.
func (p Protocol) normal() Protocol {
	if p.N == (Count{}) {
		p.N.Value = 1
	}
	if p.P == 0 && (p.Ramp == NoRamp || p.PTo == 0) {
		p.P = 1
	}
	if p.Every == 0 {
		p.Every = 1
	}
	if p.Accept == "" {
		p.Accept = p.Target.accept()
	}
	if p.Guide == ByMomentum && p.Beta == 0 {
		p.Beta = DefaultBeta
	}
	if p.Cycles && p.Subset == 0 {
		p.Subset = defaultSubset
	}
	if p.Propose == ProposeByGradient && p.Pairs == 0 {
		p.Pairs = defaultPairs
	}
	return p
}

// String returns the shortest text that [Parse] reads back as p.
func (p Protocol) String() string {
	p = p.normal()
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%s", p.Target, p.Code)
	option := func(name, value string) { fmt.Fprintf(&b, " %s=%s", name, value) }
	flag := func(name string, on bool) {
		if on {
			b.WriteString(" " + name)
		}
	}
	flag("each", p.Each)
	switch {
	case p.NTo != (Count{}):
		option("n", p.N.String()+".."+p.NTo.String())
	case p.N != (Count{Value: 1}):
		option("n", p.N.String())
	}
	switch {
	case p.Ramp != NoRamp && p.PTo != 0:
		option("p", number(p.P)+".."+number(p.PTo))
	case p.P != 1:
		option("p", number(p.P))
	}
	if p.Every != 1 {
		option("every", strconv.Itoa(p.Every))
	}
	if p.From != 0 {
		option("from", strconv.Itoa(p.From))
	}
	if p.Until != 0 {
		option("until", strconv.Itoa(p.Until))
	}
	if p.UntilLoss != 0 {
		option("until", number(p.UntilLoss)+"L")
	}
	if p.Ramp != NoRamp {
		option("ramp", string(p.Ramp))
	}
	if len(p.Layer) > 0 {
		option("layers", strings.Join(p.Layer, ","))
	}
	if p.Guide != Unguided {
		option("guide", string(p.Guide))
	}
	if p.Guide == ByMomentum && p.Beta != DefaultBeta {
		option("beta", number(p.Beta))
	}
	flag("cycles", p.Cycles)
	if p.Cycles && p.Subset != defaultSubset {
		option("subset", strconv.Itoa(p.Subset))
	}
	if p.Propose != Uniform {
		option("propose", string(p.Propose))
	}
	if p.Propose == ProposeByGradient && p.Pairs != defaultPairs {
		option("pairs", strconv.Itoa(p.Pairs))
	}
	if p.Window != (Window{}) {
		option("window", p.Window.String())
	}
	if p.Accept != p.Target.accept() {
		option("accept", string(p.Accept))
	}
	if p.T != 0 {
		option("T", number(p.T))
	}
	if p.Carry {
		option("carry", "momentum")
	}
	if p.Gauge {
		option("gauge", "true")
	}
	if p.Keep {
		option("keep", "true")
	}
	if p.Lift {
		option("lift", "true")
	}
	return b.String()
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// MarshalText writes the protocol as [Protocol.String] does, for JSON and YAML.
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what [Parse] reads.
func (p *Protocol) UnmarshalText(text []byte) (err error) {
	*p, err = Parse(string(text))
	return err
}

// letters returns the code on the three axes of blocks (item, row, column):
// a target with fewer axes has blocks of one row.
func (p Protocol) letters() (item, row, column byte) {
	switch c := p.Code; len(c) {
	case 3:
		return c[0], c[1], c[2]
	case 2:
		return c[0], '1', c[1]
	default:
		return '1', '1', c[0]
	}
}

// single tells whether a swap exchanges two entries, not two blocks of entries.
// An A on the layer axis makes one such swap in each layer.
func (p Protocol) single() bool {
	item, row, column := p.letters()
	return row != 'A' && column != 'A' && (item != 'A' || p.Target != Features)
}

// Validate reports the first combination of options that cannot be. What
// depends on the sizes of a network is left to [New].
func (p Protocol) Validate() error {
	if _, msg := p.fault(); msg != "" {
		return fmt.Errorf("%s:%s: %s", p.Target, p.Code, msg)
	}
	return nil
}

// fault returns what is wrong with the protocol, and what would be right, with the
// option that is to blame; that is empty where it is the target or code.
func (p Protocol) fault() (option, msg string) {
	p = p.normal()
	names, ok := axes[p.Target]
	if !ok {
		return "", fmt.Sprintf("unknown target %q: want %s", p.Target, targetList())
	}
	if _, msg := codeFault(p.Code, names); msg != "" {
		return "", msg
	}
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	whole := func(c Count) bool { return c.All || c.Batch || c.Value == math.Trunc(c.Value) && c.Value <= 1<<31 }
	switch {
	case !p.N.All && !(p.N.Value > 0 && finite(p.N.Value)), !whole(p.N):
		return "n", fmt.Sprintf("n=%s: want a whole number of at least 1, a fraction of the batch such as 0.1B, or all", p.N)
	case p.NTo != (Count{}) && (p.N.All || p.NTo.All || !(p.NTo.Value > 0 && finite(p.NTo.Value)) || !whole(p.NTo) || p.N.Batch != p.NTo.Batch):
		return "n", fmt.Sprintf("n=%s..%s: want two numbers of the same kind, each at least 1 (to fade out, ramp p)", p.N, p.NTo)
	case p.N.Batch && p.Target != Features:
		return "n", fmt.Sprintf("n=%s: a fraction of the batch is for features; want a whole number or all", p.N)
	case !(p.P >= 0 && p.P <= 1) || !(p.PTo >= 0 && p.PTo <= 1):
		return "p", fmt.Sprintf("p=%s: want a probability above 0, at most 1", number(p.P))
	case p.Every < 1:
		return "every", fmt.Sprintf("every=%d: want at least 1", p.Every)
	case p.From < 0:
		return "from", fmt.Sprintf("from=%d: want at least 0", p.From)
	case p.Until < 0 || p.Until != 0 && p.Until <= p.From:
		return "until", fmt.Sprintf("until=%d: want more than from=%d", p.Until, p.From)
	case p.Ramp != NoRamp && p.Ramp != Linear && p.Ramp != Cosine && p.Ramp != Exp:
		return "ramp", fmt.Sprintf("ramp=%s: want linear, cosine or exp", p.Ramp)
	case p.Ramp != NoRamp && p.Until == 0:
		return "ramp", "ramp needs until= to say at which iteration it ends"
	case p.Ramp == NoRamp && p.PTo != 0:
		return "p", "a range of p or n needs ramp=linear, cosine or exp and until="
	case p.Ramp == NoRamp && p.NTo != (Count{}):
		return "n", "a range of p or n needs ramp=linear, cosine or exp and until="
	case p.PTo != 0 && p.NTo != (Count{}):
		return "ramp", "a ramp of p and of n at once: want one of them"
	case p.Each && len(p.Code) < 2:
		return "each", "each needs a first axis to run over"
	case p.Each && p.Code[0] != '1':
		return "each", fmt.Sprintf("each runs over every %s in place of drawing one: want 1, not %c, on the first axis", names[0], p.Code[0])
	case len(p.Layer) > 0 && !p.Target.ofNetwork():
		return "layers", fmt.Sprintf("layers= is for weights, biases and params, not %s", p.Target)
	case p.Window.fault(p) != "":
		return "window", p.Window.fault(p)
	case p.Window.Anneal && (p.PTo != 0 || p.NTo != (Count{})):
		return "ramp", "a ramp of the window and of p or n at once: want one of them"
	case p.Accept != Always && p.Accept != Metropolis && p.Accept != Greedy:
		return "accept", fmt.Sprintf("accept=%s: want always, metropolis or greedy", p.Accept)
	case p.T < 0 || !finite(p.T):
		return "T", fmt.Sprintf("T=%s: want a temperature above 0", number(p.T))
	case p.Accept == Metropolis && !p.Target.ofParticles() && p.T == 0:
		return "accept", "accept=metropolis needs a temperature: want T= above 0 (T = 0 is accept=greedy)"
	case p.Accept != Metropolis && p.T != 0:
		return "T", fmt.Sprintf("T=%s has no meaning with accept=%s: want accept=metropolis", number(p.T), p.Accept)
	case p.Guide != Unguided && p.Guide != ByGradient && p.Guide != ByMomentum && p.Guide != ByLookahead:
		return "guide", fmt.Sprintf("guide=%s: want gradient, momentum or lookahead", p.Guide)
	case p.Guide != Unguided && !p.Target.ofNetwork():
		return "guide", fmt.Sprintf("guide=%s needs a gradient: want weights, biases or params, not %s", p.Guide, p.Target)
	case p.Guide != Unguided && p.Guide != ByLookahead && p.Accept == Always:
		return "guide", fmt.Sprintf("guide=%s decides which swaps are kept: want accept=greedy, or accept=metropolis T=", p.Guide)
	case p.Beta != 0 && p.Guide != ByMomentum:
		return "beta", "beta= is the averaging of guide=momentum: want that guide"
	case !(p.Beta >= 0 && p.Beta < 1):
		return "beta", fmt.Sprintf("beta=%s: want at least 0 and below 1", number(p.Beta))
	case p.Carry && !p.Target.ofNetwork():
		return "carry", fmt.Sprintf("carry=momentum is for weights, biases and params, not %s", p.Target)
	case p.Gauge && (p.Target != Weights || p.Code != "1SA"):
		return "gauge", "gauge=true exchanges whole output units: want weights:1SA"
	case p.Gauge && p.Guide != Unguided:
		return "gauge", "gauge=true changes no loss, so that no guide can steer it: want guide= away"
	case p.Gauge && p.N.All:
		return "gauge", "gauge=true draws its pairs: want a whole number for n"
	case p.Keep && p.Target != Features:
		return "keep", fmt.Sprintf("keep=true is for features, not %s", p.Target)
	case p.Lift && !p.Target.ofParticles():
		return "lift", fmt.Sprintf("lift=true is for diameters and lengths, not %s", p.Target)
	}
	for _, fault := range []func() (string, string){p.lookaheadFault, p.cyclesFault, p.proposeFault, p.untilFault} {
		if option, msg := fault(); msg != "" {
			return option, msg
		}
	}
	return "", ""
}

func targetList() string { return alternatives(targetNames()) }
