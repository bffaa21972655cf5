package lab

import (
	"fmt"

	"swapmc/dataset"
)

// Sets lists the data sets that a Spec may name.
func Sets() []string {
	var names []string
	for _, info := range dataset.Known() {
		names = append(names, info.Name)
	}
	return names
}

// Load returns the data that a Spec names, cut to the number of images that it
// asks for.
func Load(d Data) (*dataset.Set, error) {
	if d.Set == "synth" { // made in the number that is asked for
		return dataset.Synth(dataset.SynthOptions{Train: d.Train, Test: d.Test}), nil
	}
	set, err := dataset.Open(d.Set, d.Path)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Train > set.Train.Len():
		return nil, fmt.Errorf("data set %s has %d training images: want no more", set.Name, set.Train.Len())
	case d.Test > set.Test.Len():
		return nil, fmt.Errorf("data set %s has %d test images: want no more", set.Name, set.Test.Len())
	case d.Train == 0 && d.Test == 0:
		return set, nil
	}
	return set.First(d.Train, d.Test), nil
}
