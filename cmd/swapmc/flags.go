package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"swapmc/internal/lab"
)

// specFlags are the flags that say what a spec says. Those that are given
// override the spec.
type specFlags struct {
	flags *pflag.FlagSet
	base  lab.Spec                       // what is changed by file and flags
	given lab.Spec                       // the values of the flags
	at    map[string]func(*lab.Spec) any // where a flag's value lies in a spec
	out   string
	file  string // the spec that was read, "" for none
}

// addSpecFlags gives a command all flags of a spec, with that spec's values as
// their defaults.
func addSpecFlags(cmd *cobra.Command, base lab.Spec) *specFlags {
	f := &specFlags{flags: cmd.Flags(), base: base, given: base, at: map[string]func(*lab.Spec) any{}}
	f.flags.SortFlags = false
	f.flags.StringVar(&f.out, "out", "", "results `folder` (default results/NAME)")
	f.add("name", "name of the results", func(s *lab.Spec) any { return &s.Name })
	f.add("data", "data set: "+strings.Join(lab.Sets(), ", "), func(s *lab.Spec) any { return &s.Data.Set })
	f.add("data-path", "where the data set's files are (default: where swapmc data fetch puts them)", func(s *lab.Spec) any { return &s.Data.Path })
	f.add("train", "training images to use, 0 for all", func(s *lab.Spec) any { return &s.Data.Train })
	f.add("test", "test images to use, 0 for all", func(s *lab.Spec) any { return &s.Data.Test })
	f.add("network", `mlp, lenet, cnn, resnet20, "mlp 256 256", or layers: "conv 6 5x5, relu, maxpool 2, linear 10"`, func(s *lab.Spec) any { return &s.Network })
	f.add("init", "initial weights: pytorch, he, xavier", func(s *lab.Spec) any { return &s.Init })
	f.add("loss", "cross-entropy, mean-squared, quadratic-hinge", func(s *lab.Spec) any { return &s.Loss })
	f.add("precision", "of the products of convolutions: float32 or bf16 (processors with AMX or AVX512_BF16)", func(s *lab.Spec) any { return &s.Precision })
	f.add("optimizer", "sgd, adam, adamw, langevin, gd (full batch), signum, none (swaps alone)", func(s *lab.Spec) any { return &s.Optimizer.Name })
	f.add("lr", "learning rate", func(s *lab.Spec) any { return &s.Optimizer.LR })
	f.add("momentum", "momentum of sgd; averaging of signum, 0 is its default", func(s *lab.Spec) any { return &s.Optimizer.Momentum })
	f.add("nesterov", "Nesterov's momentum", func(s *lab.Spec) any { return &s.Optimizer.Nesterov })
	f.add("sign", "sgd plus sign step: how far each weight moves along the sign of the momentum after an update", func(s *lab.Spec) any { return &s.Optimizer.Sign })
	f.add("weight-decay", "weight decay", func(s *lab.Spec) any { return &s.Optimizer.WeightDecay })
	f.add("beta1", "of adam; 0 is its default", func(s *lab.Spec) any { return &s.Optimizer.Beta1 })
	f.add("beta2", "of adam; 0 is its default", func(s *lab.Spec) any { return &s.Optimizer.Beta2 })
	f.add("epsilon", "of adam; 0 is its default", func(s *lab.Spec) any { return &s.Optimizer.Epsilon })
	f.add("temperature", "of langevin", func(s *lab.Spec) any { return &s.Optimizer.Temperature })
	f.add("schedule", "of the learning rate: constant, step, cosine", func(s *lab.Spec) any { return &s.Schedule.Name })
	f.add("warmup", "iterations of warm-up", func(s *lab.Spec) any { return &s.Schedule.Warmup })
	f.add("step-every", "iterations between the steps of schedule step", func(s *lab.Spec) any { return &s.Schedule.Every })
	f.add("step-gamma", "factor of each step of schedule step", func(s *lab.Spec) any { return &s.Schedule.Gamma })
	f.add("batch", "images in a batch", func(s *lab.Spec) any { return &s.Batch })
	f.add("iterations", "length of a run", func(s *lab.Spec) any { return &s.Iterations })
	f.add("eval-every", "iterations between evaluations", func(s *lab.Spec) any { return &s.Eval.Every })
	f.add("eval-train", "training images in an evaluation, 0 for all", func(s *lab.Spec) any { return &s.Eval.Train })
	f.add("eval-test", "test images in an evaluation, 0 for all", func(s *lab.Spec) any { return &s.Eval.Test })
	f.add("checkpoint-every", "iterations between checkpoints, 0 for none but when stopped", func(s *lab.Spec) any { return &s.Checkpoint.Every })
	for name, words := range map[string]string{
		"data":      strings.Join(lab.Sets(), " "),
		"network":   "mlp lenet cnn resnet20",
		"init":      "pytorch he xavier",
		"loss":      "cross-entropy mean-squared quadratic-hinge",
		"precision": "float32 bf16",
		"optimizer": "sgd adam adamw langevin gd signum none",
		"schedule":  "constant step cosine",
	} {
		cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(strings.Fields(words), cobra.ShellCompDirectiveNoFileComp))
	}
	return f
}

// add adds one flag, whose default is that of a spec.
func (f *specFlags) add(name, usage string, at func(*lab.Spec) any) {
	f.at[name] = at
	switch p := at(&f.given).(type) {
	case *string:
		f.flags.StringVar(p, name, *p, usage)
	case *lab.Network:
		f.flags.StringVar((*string)(p), name, string(*p), usage)
	case *int:
		f.flags.IntVar(p, name, *p, usage)
	case *float64:
		f.flags.Float64Var(p, name, *p, usage)
	case *bool:
		f.flags.BoolVar(p, name, *p, usage)
	case *lab.Seeds:
		f.flags.Var((*seedsFlag)(p), name, usage)
	case *[]float64:
		f.flags.Var((*targetsFlag)(p), name, usage)
	case *[]lab.Protocols:
		f.flags.Var((*protocolsFlag)(p), name, usage)
	default:
		panic(fmt.Sprintf("flag --%s: no support for %T", name, p))
	}
}

// spec returns what file and flags ask for, and the results folder. The file may
// be a results folder with a spec.yaml in it, "" for none.
func (f *specFlags) spec(file string) (lab.Spec, string, error) {
	base, s, out := f.base, f.base, f.out
	if file != "" {
		path := file
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			path = filepath.Join(file, "spec.yaml")
			if out == "" {
				out = file
			}
			base.Name = filepath.Base(filepath.Clean(file))
		} else {
			base.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		}
		f.file = path
		var err error
		if s, err = lab.ReadFile(path, base); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return s, "", &usageError{fmt.Errorf("no spec file %s", path)}
			}
			return s, "", &usageError{err}
		}
	}
	for name, at := range f.at {
		if f.flags.Changed(name) {
			reflect.ValueOf(at(&s)).Elem().Set(reflect.ValueOf(at(&f.given)).Elem())
		}
	}
	if err := s.Validate(); err != nil {
		return s, "", &usageError{err}
	}
	if out == "" {
		out = filepath.Join("results", s.Name)
	}
	return s, out, nil
}

// locate names the line of the spec file in an error about a protocol that stands there.
func (f *specFlags) locate(err error) error {
	if f.file == "" || f.flags.Changed("protocol") {
		return err
	}
	return lab.Locate(f.file, err)
}

// protocolsFlag is a flag that may be repeated: each time one entry of a spec's
// protocols.
type protocolsFlag []lab.Protocols

func (f *protocolsFlag) String() string {
	var texts []string
	for _, p := range *f {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, "; ")
}

func (f *protocolsFlag) Type() string { return "protocol" }

func (f *protocolsFlag) Set(text string) error {
	p, err := lab.ParseProtocols(text)
	if err != nil {
		return err
	}
	*f = append(*f, p)
	return nil
}

// seedsFlag reads a number of seeds, or a list with commas.
type seedsFlag lab.Seeds

func (f *seedsFlag) String() string {
	if lab.IsFirstSeeds(lab.Seeds(*f)) {
		return strconv.Itoa(len(*f))
	}
	return join(*f, ",")
}

func (f *seedsFlag) Type() string { return "n or list" }

func (f *seedsFlag) Set(text string) error {
	s, err := lab.ParseSeeds(text)
	*f = seedsFlag(s)
	return err
}

// targetsFlag reads training losses with commas between them.
type targetsFlag []float64

func (f *targetsFlag) String() string { return join(*f, ",") }

func (f *targetsFlag) Type() string { return "losses" }

func (f *targetsFlag) Set(text string) error {
	*f = nil
	for part := range strings.SplitSeq(text, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return fmt.Errorf("%q is no number: want training losses such as 1.5,1.0", part)
		}
		*f = append(*f, x)
	}
	return nil
}

func join[T any](list []T, separator string) string {
	var texts []string
	for _, x := range list {
		texts = append(texts, fmt.Sprint(x))
	}
	return strings.Join(texts, separator)
}
