package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"swapmc/internal/spelling"
)

// Info describes a data set that [Open] knows.
type Info struct {
	Name, Description string
	Source            *Source // nil: made in code
}

// Known lists the data sets.
func Known() []Info {
	return []Info{
		{"synth", "5,000 + 1,000 images of 3x32x32 in 10 classes, made in code", nil},
		{"cifar10", "50,000 + 10,000 photographs of 3x32x32 in 10 classes (Krizhevsky 2009), 170 MB", &cifar10Source},
	}
}

// Dir returns the folder in which data sets are kept: $SWAPMC_DATA, or swapmc in the
// user's cache folder.
func Dir() (string, error) {
	if dir := os.Getenv("SWAPMC_DATA"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for data sets: %w: set SWAPMC_DATA", err)
	}
	return filepath.Join(cache, "swapmc"), nil
}

// Open returns a data set by name, from path or, if path is empty, from [Dir].
func Open(name, path string) (*Set, error) {
	switch name {
	case "synth":
		return Synth(SynthOptions{}), nil
	case "cifar10":
		found, err := Find(name, path)
		if err != nil {
			return nil, err
		}
		return CIFAR10(found)
	}
	return nil, unknown(name)
}

// Find returns where the files of a data set are: path, or if that is empty the
// place in [Dir] at which they are. An error says how to get them.
func Find(name, path string) (string, error) {
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return path, nil
	}
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	for _, candidate := range []string{filepath.Join(dir, cifarFolder), filepath.Join(dir, cifar10Source.File)} {
		if _, err := os.Stat(candidate); err == nil {
			return candidate, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("%s is not in %s: run \"swapmc data fetch %s\", or give the folder of its files with --data-path (data.path in a spec)", name, dir, name)
}

// Fetch downloads a data set into dir, or [Dir] if that is empty, and returns the
// file's path.
func Fetch(ctx context.Context, name, dir string, progress func(have, total int64)) (string, error) {
	for _, info := range Known() {
		if info.Name != name {
			continue
		}
		if info.Source == nil {
			return "", fmt.Errorf("%s is made in code: there is nothing to fetch", name)
		}
		if dir == "" {
			var err error
			if dir, err = Dir(); err != nil {
				return "", err
			}
		}
		return info.Source.Fetch(ctx, dir, progress)
	}
	return "", unknown(name)
}

// ErrUnknown is wrapped by errors about a name that no data set has.
var ErrUnknown = errors.New("unknown data set")

// unknown is the error for a name that no data set has.
func unknown(name string) error {
	var names []string
	for _, info := range Known() {
		names = append(names, info.Name)
	}
	return fmt.Errorf("%w %q%s: want %s", ErrUnknown, name, spelling.Hint(name, names), strings.Join(names, " or "))
}
