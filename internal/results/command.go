package results

import (
	"cmp"
	"strconv"
	"strings"
)

func parseUint(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) }

// Command is the command line that makes the run again, to the same bits on the same
// kernel.
func (r *Run) Command() string {
	var b strings.Builder
	flag := func(name, key string) {
		if v, ok := r.Config[key]; ok && v != "" && v != "false" {
			b.WriteString(" --" + name + " " + Quote(v))
		}
	}
	if r.System == "glass" {
		b.WriteString("swapmc glass")
		for _, f := range [][2]string{{"model", "model"}, {"particles", "particles"}, {"dimension", "dimension"}, {"density", "density"}, {"packing", "packing"},
			{"non-additive", "non_additive"}, {"domains", "domains"}} {
			flag(f[0], f[1])
		}
		if r.Config["tempering.every"] != "" { // a run of a ladder is made with all of it
			b.WriteString(" --temperature " + Quote(strings.ReplaceAll(r.Config["tempering.temperatures"], " ", "")))
			flag("tempering", "tempering.every")
		} else {
			flag("temperature", "temperature")
		}
		switch kind := r.Config["sizes.kind"]; {
		case kind == "list" && r.Config["sizes.values"] == "1":
			b.WriteString(" --sizes one")
		case kind == "list":
			b.WriteString(" --sizes FILE")
		case kind != "":
			more := cmp.Or(r.Config["sizes.exponent"], r.Config["sizes.large"])
			b.WriteString(" --sizes " + Quote(strings.TrimSpace(kind+" "+cmp.Or(r.Config["sizes.ratio"], r.Config["sizes.spread"])+" "+more)))
		}
		for _, p := range r.protocols {
			b.WriteString(" --protocol " + Quote(p))
		}
		if first := r.Config["first"]; first != "" && (first != "none" || len(r.protocols) > 0) {
			b.WriteString(" --equilibrate-with " + Quote(first))
		}
		for _, f := range [][2]string{{"equilibrate", "equilibrate"}, {"sweeps", "sweeps"}, {"acceptance", "acceptance"}, {"k", "measure.k"},
			{"overlap", "measure.overlap"}, {"origins", "measure.origins"}, {"inherent", "measure.inherent"}, {"structure", "measure.structure"},
			{"trajectory", "trajectory.times"}, {"frames", "trajectory.frames"}} {
			flag(f[0], f[1])
		}
		if r.Config["start"] != "" {
			b.WriteString(" --start FILE.xyz")
		}
	} else {
		b.WriteString("swapmc train")
		for _, f := range [][2]string{{"data", "data.set"}, {"train", "data.train"}, {"test", "data.test"}, {"network", "network"}, {"init", "init"}, {"loss", "loss"},
			{"optimizer", "optimizer.name"}, {"lr", "optimizer.lr"}, {"momentum", "optimizer.momentum"}, {"sign", "optimizer.sign"}, {"weight-decay", "optimizer.weight-decay"},
			{"beta1", "optimizer.beta1"}, {"beta2", "optimizer.beta2"}, {"epsilon", "optimizer.epsilon"}, {"temperature", "optimizer.temperature"},
			{"schedule", "schedule.name"}, {"warmup", "schedule.warmup"}, {"step-every", "schedule.every"}, {"step-gamma", "schedule.gamma"},
			{"batch", "batch"}, {"iterations", "iterations"}, {"eval-every", "eval.every"}, {"eval-train", "eval.train"}, {"eval-test", "eval.test"}} {
			flag(f[0], f[1])
		}
		if r.Config["precision"] != float32Name {
			flag("precision", "precision")
		}
		if r.Config["optimizer.nesterov"] == "true" {
			b.WriteString(" --nesterov")
		}
		for _, p := range r.protocols {
			b.WriteString(" --protocol " + Quote(p))
		}
	}
	b.WriteString(" --seed " + strconv.FormatUint(r.Seed, 10))
	return b.String()
}

// Quote makes a word safe for a shell.
func Quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,@%+", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
