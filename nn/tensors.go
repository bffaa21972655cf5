package nn

import (
	"fmt"
	"slices"

	"swapmc/internal/safetensors"
)

// Tensors returns the parameters and buffers under the names and shapes of
// PyTorch's state_dict. Their data are views of the network's own storage.
func (n *Network) Tensors() []safetensors.Tensor {
	var list []safetensors.Tensor
	add := func(name string, data []float32, shape ...int) {
		list = append(list, safetensors.Tensor{Name: name, Shape: shape, Data: data})
	}
	for _, l := range n.parts {
		add(l.Name+".weight", n.params[l.Weight.Offset:][:l.Weight.Len], l.shape...)
		if l.Bias.Len > 0 {
			add(l.Name+".bias", n.params[l.Bias.Offset:][:l.Bias.Len], l.Bias.Len)
		}
		if l.Norm {
			add(l.Name+".running_mean", n.buffers[l.running:][:l.Rows], l.Rows)
			add(l.Name+".running_var", n.buffers[l.running+l.Rows:][:l.Rows], l.Rows)
		}
	}
	return list
}

// SetTensors copies tensors of the same names and shapes into the network, for
// example a state_dict that PyTorch saved. Others, such as
// num_batches_tracked, are ignored; one that is missing is an error, and
// then nothing has changed.
func (n *Network) SetTensors(tensors []safetensors.Tensor) error {
	byName := map[string]safetensors.Tensor{}
	for _, t := range tensors {
		byName[t.Name] = t
	}
	own := n.Tensors()
	for _, t := range own {
		got, ok := byName[t.Name]
		switch {
		case !ok:
			return fmt.Errorf("nn: no tensor %q", t.Name)
		case !slices.Equal(got.Shape, t.Shape) || len(got.Data) != len(t.Data):
			return fmt.Errorf("nn: tensor %q has shape %v, want %v", t.Name, got.Shape, t.Shape)
		}
	}
	for _, t := range own {
		copy(t.Data, byName[t.Name].Data)
	}
	return nil
}
