package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"swapmc/dataset"
)

// Sets lists the data sets that a Spec may name.
func Sets() []string { return []string{"synth", "cifar10"} }

// DataFolder is where data sets are kept when no path is given: $SWAPMC_DATA, or
// the user's cache folder.
func DataFolder() string {
	if path := os.Getenv("SWAPMC_DATA"); path != "" {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "data"
	}
	return filepath.Join(cache, "swapmc")
}

// Load returns the data that a Spec names, cut to the number of images that it
// asks for.
func Load(d Data) (*dataset.Set, error) {
	switch d.Set {
	case "synth":
		return dataset.Synth(dataset.SynthOptions{Train: d.Train, Test: d.Test}), nil
	case "cifar10":
		path := d.Path
		if path == "" {
			path = DataFolder()
		}
		set, err := dataset.CIFAR10(path)
		if errors.Is(err, fs.ErrNotExist) && d.Path == "" {
			return nil, fmt.Errorf("no CIFAR-10 in %s: download it with \"swapmc data cifar10\", or name its folder with --data-path", path)
		}
		if err != nil {
			return nil, err
		}
		return cut(set, d)
	}
	return nil, fmt.Errorf("data set %q: want %s", d.Set, alternatives(Sets()))
}

// cut keeps the first images of each split.
func cut(set *dataset.Set, d Data) (*dataset.Set, error) {
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
