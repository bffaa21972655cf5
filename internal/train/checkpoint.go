package train

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"swapmc/internal/safetensors"
	"swapmc/swap"
)

// Save returns all that the run needs to go on bit-identically: the weights
// under PyTorch's names, the optimiser's state, the averages that guide swaps
// or end them, the images changed for good, and the positions of the random streams.
func (r *Run) Save() *safetensors.File {
	f := &safetensors.File{Metadata: map[string]string{
		"iteration":       strconv.Itoa(r.iteration),
		"nanoseconds":     strconv.FormatInt(int64(r.elapsed), 10),
		"optimizer.steps": strconv.Itoa(r.updater.Steps()),
		"stream.noise":    position(r.noise),
	}}
	add := func(name string, data []float32, shape ...int) {
		f.Tensors = append(f.Tensors, safetensors.Tensor{Name: name, Shape: shape, Data: slices.Clone(data)})
	}
	for _, t := range r.network.Tensors() {
		add(t.Name, t.Data, t.Shape...)
	}
	for k, state := range r.updater.State() {
		add(fmt.Sprintf("optimizer.%d", k), state, len(state))
	}
	for k, p := range r.protocols {
		name := fmt.Sprintf("swap.%d", k)
		f.Metadata["stream."+name] = position(p.stream)
		f.Metadata[name+".proposed"] = strconv.FormatInt(p.proposed, 10)
		f.Metadata[name+".accepted"] = strconv.FormatInt(p.accepted, 10)
		if a := p.Average(); a != nil {
			add(name+".average", a, len(a))
		}
		if progress := p.Progress(); progress != nil {
			f.Metadata[name+".progress"] = text(progress)
		}
	}
	if r.kept != nil {
		var index, images []float32 // an index below 2^24 is exact
		for i, changed := range r.kept.changed {
			if changed {
				index = append(index, float32(i))
				images = append(images, r.kept.at(i)...)
			}
		}
		add("kept.index", index, len(index))
		add("kept.images", images, len(index), r.pixels())
	}
	return f
}

type binaryMarshaler interface{ MarshalBinary() ([]byte, error) }

func position(s binaryMarshaler) string {
	state, err := s.MarshalBinary()
	if err != nil { // a PCG always has a state
		panic(err)
	}
	return hex.EncodeToString(state)
}

// Load continues from what Save returned for a run of the same Config and data.
// On an error the run is in no defined state and must not be used.
func (r *Run) Load(f *safetensors.File) error {
	l := loader{file: f}
	weights := r.network.Tensors()
	for k := range weights {
		weights[k].Data = l.tensor(weights[k].Name, len(weights[k].Data))
	}
	if l.err != nil {
		return l.err
	}
	if err := r.network.SetTensors(weights); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	r.iteration = int(l.number("iteration"))
	r.elapsed = time.Duration(l.number("nanoseconds"))
	r.updater.SetSteps(int(l.number("optimizer.steps")))
	for k, state := range r.updater.State() {
		copy(state, l.tensor(fmt.Sprintf("optimizer.%d", k), len(state)))
	}
	l.stream("stream.noise", r.noise)
	for k, p := range r.protocols {
		name := fmt.Sprintf("swap.%d", k)
		l.stream("stream."+name, p.stream)
		p.proposed, p.accepted = l.number(name+".proposed"), l.number(name+".accepted")
		if a := p.Average(); a != nil {
			copy(a, l.tensor(name+".average", len(a)))
		}
		if progress := p.Progress(); progress != nil {
			l.progress(name+".progress", progress)
		}
	}
	if r.kept != nil {
		l.kept(r.kept)
	}
	if l.err == nil && (r.iteration < 0 || r.iteration > r.cfg.Iterations) {
		return fmt.Errorf("checkpoint: iteration %d of a run of %d", r.iteration, r.cfg.Iterations)
	}
	r.epoch = -1
	return l.err
}

// A loader reads parts of a checkpoint and keeps the first error.
type loader struct {
	file *safetensors.File
	err  error
}

func (l *loader) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("checkpoint: "+format, args...)
	}
}

// tensor returns n values; zeros after an error. A negative n takes any number.
func (l *loader) tensor(name string, n int) []float32 {
	t, ok := l.file.Tensor(name)
	switch {
	case !ok:
		l.fail("no tensor %q", name)
	case n >= 0 && len(t.Data) != n:
		l.fail("tensor %q has %d values, want %d", name, len(t.Data), n)
	default:
		return t.Data
	}
	return make([]float32, max(n, 0))
}

func (l *loader) number(name string) int64 {
	n, err := strconv.ParseInt(l.file.Metadata[name], 10, 64)
	if err != nil {
		l.fail("%s = %q is no whole number", name, l.file.Metadata[name])
	}
	return n
}

// text writes what until= has seen of the loss, to the last bit.
func text(p *swap.Progress) string {
	data, err := json.Marshal(p)
	if err != nil { // the losses of a run that goes on are finite
		panic(err)
	}
	return string(data)
}

func (l *loader) progress(name string, p *swap.Progress) {
	if err := json.Unmarshal([]byte(l.file.Metadata[name]), p); err != nil {
		l.fail("%s: %v", name, err)
	}
}

type binaryUnmarshaler interface{ UnmarshalBinary([]byte) error }

func (l *loader) stream(name string, s binaryUnmarshaler) {
	state, err := hex.DecodeString(l.file.Metadata[name])
	if err == nil {
		err = s.UnmarshalBinary(state)
	}
	if err != nil {
		l.fail("%s: %v", name, err)
	}
}

func (l *loader) kept(k *kept) {
	index := l.tensor("kept.index", -1)
	images := l.tensor("kept.images", len(index)*k.pixels)
	clear(k.changed)
	for n, x := range index {
		i := int(x)
		if i < 0 || i >= len(k.changed) {
			l.fail("image %d of %d", i, len(k.changed))
			return
		}
		copy(k.at(i), images[n*k.pixels:][:k.pixels])
		k.changed[i] = true
	}
}
