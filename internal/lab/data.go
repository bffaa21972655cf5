package lab

import (
	"fmt"

	"swapmc/dataset"
)

// Sets lists the data sets that a Spec may name.
func Sets() []string { return []string{"synth", "cifar10"} }

// Load returns the data that a Spec names, cut to the number of images that it
// asks for.
func Load(d Data) (*dataset.Set, error) {
	switch d.Set {
	case "synth":
		return dataset.Synth(dataset.SynthOptions{Train: d.Train, Test: d.Test}), nil
	case "cifar10":
		set, err := dataset.CIFAR10(d.Path)
		if err != nil {
			return nil, err
		}
		if err := cut(set, d); err != nil {
			return nil, err
		}
		return set, nil
	}
	return nil, fmt.Errorf("data set %q: want %s", d.Set, alternatives(Sets()))
}

// cut keeps the first images of each split.
func cut(set *dataset.Set, d Data) error {
	pixels := set.Shape.C * set.Shape.H * set.Shape.W
	for _, part := range []struct {
		name  string
		split *dataset.Split
		n     int
	}{{"training", &set.Train, d.Train}, {"test", &set.Test, d.Test}} {
		switch have := part.split.Len(); {
		case part.n > have:
			return fmt.Errorf("data set %s has %d %s images: want no more", set.Name, have, part.name)
		case part.n > 0:
			part.split.Labels = part.split.Labels[:part.n]
			part.split.Images = part.split.Images[:part.n*pixels]
		}
	}
	return nil
}
