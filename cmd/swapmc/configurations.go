package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"swapmc/glass"
	"swapmc/internal/atomicfile"
	"swapmc/internal/draw"
)

// configurations returns the XYZ files that an argument of show stands for: itself, or
// those of a results folder or of the folder of one run. It returns none for what is no file.
func configurations(name string) ([]string, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil && strings.EqualFold(filepath.Ext(name), ".xyz"):
		return nil, fmt.Errorf("no file %s", name)
	case err != nil && !strings.Contains(name, ":") && strings.ContainsRune(filepath.ToSlash(name), '/'): // no protocol
		return nil, fmt.Errorf("no file or folder %s", name)
	case err != nil:
		return nil, nil
	case !info.IsDir():
		return []string{name}, nil
	}
	for _, pattern := range []string{"final.xyz", filepath.Join("runs", "*", "final.xyz")} {
		if files, err := filepath.Glob(filepath.Join(escape(name), pattern)); err != nil || len(files) > 0 {
			return files, err
		}
	}
	return nil, fmt.Errorf("%s: no final.xyz there: want the results of swapmc glass, with a finished run", name)
}

// escape quotes what has a meaning in a pattern.
func escape(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// showConfigurations draws XYZ files, to out or else each beside its file as an SVG.
func showConfigurations(w io.Writer, files []string, out string) error {
	if out != "" && len(files) > 1 {
		return &usageError{fmt.Errorf("-o %s: there are %d runs: want the folder of one, such as %s, or no -o to draw each", out, len(files), filepath.Dir(files[0]))}
	}
	for _, name := range files {
		picture, err := readConfiguration(name)
		if err != nil {
			return err
		}
		to := out
		if to == "" {
			to = strings.TrimSuffix(name, filepath.Ext(name)) + ".svg"
		}
		if err := writePicture(to, picture.SVG, picture.PNG); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w, "Figure:", to); err != nil {
			return err
		}
	}
	return nil
}

func readConfiguration(name string) (*draw.Particles, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := glass.ReadConfiguration(file)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) { // it has the name
			return nil, err
		}
		return nil, &usageError{fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "glass: XYZ: "))}
	}
	volume := 1.0
	for range c.Dim {
		volume *= c.Side
	}
	caption := fmt.Sprintf("%d particles", len(c.Diameters))
	if c.Model != "" {
		caption += " of " + c.Model
	}
	caption += fmt.Sprintf(" in %d dimensions, density %.4g", c.Dim, float64(len(c.Diameters))/volume)
	if c.Temperature > 0 {
		caption += fmt.Sprintf(", T = %.4g", c.Temperature)
	}
	return &draw.Particles{Dim: c.Dim, Side: c.Side, Places: c.Places, Diameters: c.Diameters, Caption: caption + "."}, nil
}

// writePicture writes a file in the form that its name asks for.
func writePicture(path string, svg, png func(io.Writer) error) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".svg":
		return atomicfile.Write(path, svg)
	case ".png":
		return atomicfile.Write(path, png)
	default:
		return &usageError{fmt.Errorf("-o %s: a picture is .svg or .png, not %q", path, ext)}
	}
}
