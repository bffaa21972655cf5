package nn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/spelling"
)

// A Spec is a network as text, one layer an entry; the sizes of inputs follow
// from the layer before.
//
//	conv 32 3x3 [stride 2] [pad 1] [nobias]   convolution to 32 channels
//	linear 512 [nobias]                       fully connected to 512 units ("linear classes": as many as classes)
//	batchnorm                                 batch normalisation of each channel (or unit)
//	relu | sigmoid | tanh
//	maxpool 2                                 maximum over 2x2, stride 2
//	avgpool                                   mean over each channel
//	block 32 [stride 2]                       the residual block of ResNet-20 (He et al. 2016)
//	flatten                                   implied before the first linear layer
type Spec []string

// references are the reference networks; their layers are numbered as in
// PyTorch's Sequential.
var references = map[string]string{
	"mlp":      "flatten, linear 512, relu, linear 512, relu, linear classes",
	"lenet":    "conv 6 5x5, relu, maxpool 2, conv 16 5x5, relu, maxpool 2, flatten, linear 120, relu, linear 84, relu, linear classes",
	"cnn":      "conv 32 3x3 pad 1, relu, conv 32 3x3 pad 1, relu, maxpool 2, conv 64 3x3 pad 1, relu, conv 64 3x3 pad 1, relu, maxpool 2, flatten, linear 512, relu, linear classes",
	"resnet20": "conv 16 3x3 pad 1 nobias, batchnorm, relu, block 16, block 16, block 16, block 32 stride 2, block 32, block 32, block 64 stride 2, block 64, block 64, avgpool, flatten, linear classes",
}

// References returns the names of the reference networks.
func References() []string { return []string{"mlp", "lenet", "cnn", "resnet20"} }

var layerNames = []string{"conv", "linear", "batchnorm", "relu", "sigmoid", "tanh", "maxpool", "avgpool", "block", "flatten"}

// Parse reads a network: the name of a reference network, "mlp 256 256" for a
// perceptron with hidden layers of these widths, or layers separated by commas.
func Parse(text string) (Spec, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return nil, fmt.Errorf("network: empty: want one of %s, or layers separated by commas", strings.Join(References(), ", "))
	}
	if layers, ok := references[text]; ok {
		text = layers
	} else if widths, ok := strings.CutPrefix(text, "mlp "); ok {
		text = "flatten"
		for _, w := range strings.FieldsFunc(widths, func(r rune) bool { return r == ' ' || r == ',' }) {
			if _, err := size(w, "a width"); err != nil {
				return nil, fmt.Errorf("network: mlp: %w", err)
			}
			text += ", linear " + w + ", relu"
		}
		text += ", linear classes"
	}
	var spec Spec
	for layer := range strings.SplitSeq(text, ",") {
		spec = append(spec, strings.TrimSpace(layer))
	}
	for i, layer := range spec {
		if _, err := parseLayer(layer); err != nil {
			if len(spec) == 1 {
				return nil, fmt.Errorf("network %q: %w (or a reference network: %s)", layer, err, strings.Join(References(), ", "))
			}
			return nil, fmt.Errorf("network: layer %d %q: %w", i, layer, err)
		}
	}
	return spec, nil
}

// String returns the layers, joined by ", ", as [Parse] reads them.
func (s Spec) String() string { return strings.Join(s, ", ") }

// layerSpec is one parsed layer.
type layerSpec struct {
	kind                string
	units               int // channels or units; 0 stands for the number of classes
	kernel, stride, pad int
	bias                bool
}

// parseLayer reads one entry of a Spec.
func parseLayer(text string) (layerSpec, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return layerSpec{}, fmt.Errorf("empty: want one of %s", strings.Join(layerNames, ", "))
	}
	l := layerSpec{kind: words[0], stride: 1, bias: true}
	if !slices.Contains(layerNames, l.kind) {
		return l, fmt.Errorf("unknown layer %q%s: want one of %s", l.kind, spelling.Hint(l.kind, append(References(), layerNames...)), strings.Join(layerNames, ", "))
	}
	rest := words[1:]
	next := func() string {
		if len(rest) == 0 {
			return ""
		}
		w := rest[0]
		rest = rest[1:]
		return w
	}
	var err error
	switch l.kind {
	case "conv":
		if l.units, err = size(next(), "channels"); err != nil {
			return l, err
		}
		w := next()
		a, b, ok := strings.Cut(w, "x")
		if l.kernel, err = size(a, "a kernel such as 3x3"); err != nil || !ok || a != b {
			return l, fmt.Errorf("kernel %q: want a square one such as 3x3", w)
		}
	case "linear":
		if w := next(); w != "classes" {
			if l.units, err = size(w, "units"); err != nil {
				return l, err
			}
		}
	case "block":
		if l.units, err = size(next(), "channels"); err != nil {
			return l, err
		}
	case "maxpool":
		if l.kernel, err = size(next(), "a width"); err != nil {
			return l, err
		}
		l.stride = l.kernel
	}
	for len(rest) > 0 {
		option := next()
		switch {
		case option == "stride" && (l.kind == "conv" || l.kind == "block"):
			if l.stride, err = size(next(), "a stride"); err != nil {
				return l, err
			}
		case option == "pad" && l.kind == "conv":
			w := next()
			if l.pad, err = strconv.Atoi(w); err != nil || l.pad < 0 || l.pad > 1<<10 {
				return l, fmt.Errorf("pad %q: want a whole number from 0 to %d", w, 1<<10)
			}
		case option == "nobias" && (l.kind == "conv" || l.kind == "linear"):
			l.bias = false
		default:
			return l, fmt.Errorf("%q does not belong to %s", option, l.kind)
		}
	}
	return l, nil
}

func size(word, what string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > 1<<20 {
		return 0, fmt.Errorf("%q: want %s, a whole number from 1 to %d", word, what, 1<<20)
	}
	return n, nil
}
