package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"swapmc/internal/lab"
)

// small is a sweep whose runs take milliseconds; %s are further keys of the block.
const small = `
name: small
data: {set: synth, train: 96, test: 32}
network: linear 10
batch: 8
iterations: 30
eval: {every: 10, train: 32, test: 32}
optimizer: {name: sgd, lr: 0.02}
checkpoint: {every: 7}
seeds: 2
protocols: [features:1SA]
sweep:
  %s
`

func read(t testing.TB, text string) *Spec {
	t.Helper()
	s, err := Read("test.yaml", []byte(text), lab.Default())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plan(t testing.TB, text string) *Plan {
	t.Helper()
	p, err := NewPlan(read(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func block(lines ...string) string { return fmt.Sprintf(small, strings.Join(lines, "\n  ")) }

func TestRanges(t *testing.T) {
	for _, test := range []struct {
		key, text, want string // want: the values, or the error after "!"
	}{
		{"batch", "[8, 16]", "8 16"},
		{"batch", "8", "8"},
		{"batch", "{from: 16, to: 64, step: 16}", "16 32 48 64"},
		{"batch", "{from: 16, to: 70, step: 16}", "16 32 48 64"},
		{"batch", "{from: 1, to: 256, factor: 4}", "1 4 16 64 256"},
		{"batch", "{from: 1, to: 8, points: 10, scale: log}", "1 2 3 4 5 6 8"},
		{"optimizer.lr", "{from: 0.01, to: 1, points: 5, scale: log}", "0.01 0.0316 0.1 0.316 1"},
		{"optimizer.lr", "{from: 0.1, to: 0.5, step: 0.1}", "0.1 0.2 0.3 0.4 0.5"},
		{"optimizer.lr", "{from: 1, to: 2, points: 5}", "1 1.25 1.5 1.75 2"},
		{"optimizer.lr", "[1e-3, 0.0020]", "0.001 0.002"},
		{"optimizer", "[{name: sgd, lr: 0.1}, {name: adam, lr: 0.001}]", "name:sgd lr:0.1|name:adam lr:0.001"},
		{"network", "[mlp, [linear 8, relu, linear 10]]", "mlp|linear 8, relu, linear 10"},
		{"optimizer.nesterov", "[true, false]", "true false"},
		{"optimizer.lr", "[0.1, 1e-1]", "!0.1 is given twice"},
		{"batch", "[]", "!an empty list"},
		{"batch", "[many]", "!many: "},
		{"batch", "{from: 1, to: 8}", "!want one of points, step, factor"},
		{"batch", "{from: 1, to: 8, points: 3, step: 1}", "!want one of points, step, factor"},
		{"batch", "{from: 8, to: 1, step: 1}", "!from 8 to 1: want from below to"},
		{"batch", "{from: 1, step: 1}", "!a range without to"},
		{"batch", "{from: 0, to: 8, factor: 2}", "!from: 0: want above 0 on a logarithmic scale"},
		{"batch", "{from: 1, to: 8, factor: 1}", "!factor: 1: want above 1"},
		{"batch", "{from: 1, to: 8, point: 3}", "!unknown key \"point\" in a range (did you mean points?)"},
		{"batch", "{from: 1, to: 1e9, step: 1}", "!want at most 100000"},
		{"batch", "{from: 1, to: 8, points: 1}", "!points: 1: want a whole number of at least 2"},
		{"batch", "{from: 1, to: 8, scale: cubic, points: 3}", "!want linear or log"},
		{"optimizer", "[{name: sgd, rate: 0.1}]", "!unknown field"},
	} {
		s, err := Read("test.yaml", []byte(block("product: {"+test.key+": "+test.text+"}")), lab.Default())
		if want, fault := strings.CutPrefix(test.want, "!"); fault {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "test.yaml:13: sweep.product."+test.key) {
				t.Errorf("%s: %s: error %v, want one with %q and the line 13", test.key, test.text, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %s: %v", test.key, test.text, err)
			continue
		}
		var texts []string
		for _, c := range s.cells {
			texts = append(texts, c[0].Text)
		}
		separator := " "
		if strings.Contains(test.want, "|") {
			separator = "|"
		}
		if got := strings.Join(texts, separator); got != test.want {
			t.Errorf("%s: %s: %s, want %s", test.key, test.text, got, test.want)
		}
	}
}

func TestReadFaults(t *testing.T) {
	for _, test := range []struct{ block, want string }{
		{"product: {optimizer.lt: [1, 2]}", `test.yaml:13: sweep.product.optimizer.lt: unknown key "optimizer.lt" (did you mean optimizer.lr?)`},
		{"products: {batch: [1, 2]}", `test.yaml:13: unknown key "products" in sweep (did you mean product?)`},
		{"product: {network.size: [1]}", `network has no keys`},
		{"product: {seeds: [1, 2]}", "seeds cannot be varied: all of them are run in every cell"},
		{"product: {checkpoint.every: [1, 2]}", "checkpoint.every cannot be varied: it changes no run"},
		{"product: {batch: [8, 16]}\n  zip: [{batch: [1, 2]}]", "test.yaml:14: sweep.zip[0].batch: batch is varied twice"},
		{"zip: [{batch: [8, 16], iterations: [100]}]", "test.yaml:13: sweep.zip[0]: batch has 2 values, iterations has 1: want as many"},
		{"protocols: [{template: 'features:1AS n={n}', values: {m: [1]}}]", "no {m} in it"},
		{"protocols: [{template: 'features:1AS n={n}'}]", "no values for {n}"},
		{"protocols: [{template: 'features:1XS n={n}', values: {n: [1]}}]", "'X' at 2"},
		{"protocols: [{template: 'features:1SA'}]", "features:1SA is given twice"},
		{"protocols: [{template: 'none'}]", "no swaps are the baseline"},
		{"protocols: [{template: 'diameters:S'}]", "a network has no diameters"},
		{"exclude: [{batch: 8}]", "test.yaml:13: sweep.exclude[0]: batch is not varied"},
		{"product: {batch: [8, 16]}\n  exclude: [{bath: 8}]", "bath is not varied (did you mean batch?)"},
		{"exclude: [{protocol: 'features:XXX'}]", "'X' at 1"},
		{"tune: {trials: 3}", "nothing to tune"},
		{"tune: {over: {optimizer.lr: [1, 2]}, trials: 3}", "test.yaml:13: sweep.tune.trials: 3: tune.over has 2 combinations"},
		{"tune: {over: {optimizer.lr: [1, 2]}, seeds: [2, 9]}", "2 is a seed of the comparison too"},
		{"budget: {runs: -1}", "want a number of runs"},
		{"budget: {draw: true}", "want budget.runs"},
		{"slurm: {chunk: soon}", `sweep.slurm.chunk: "soon": want the work of a task`},
		{"slurm: {partitoin: x}", "did you mean partition?"},
	} {
		_, err := Read("test.yaml", []byte(block(test.block)), lab.Default())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:\n got %v\nwant %s", test.block, err, test.want)
		}
	}
	for _, text := range []string{"{name: x, sweep: {}}", "- sweep", "sweep: [1]", "sweep: \n  product: 3", "batch: 0\nsweep: {}"} {
		if _, err := Read("test.yaml", []byte(text), lab.Default()); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// TestPlanIsTheProduct counts a plan of everything at once against loops.
func TestPlanIsTheProduct(t *testing.T) {
	p := plan(t, block(
		"product: {batch: [4, 8], network: [linear 10, 'linear 4, relu, linear 10']}",
		"zip:",
		"  - {optimizer.lr: [0.01, 0.02, 0.04], iterations: [40, 20, 10]}",
		"protocols:",
		"  - {template: 'features:1AS n={n}', values: {n: [2, 3]}}",
		"  - {template: 'features:{code} n={n}', values: {code: [1SA, S1A], n: [5, 6]}, zip: true}",
		"exclude:",
		"  - {batch: 4, network: linear 10}",
		"  - {protocol: 'features:1AS*', optimizer.lr: [0.01, 0.02]}",
		"  - {seed: 2, batch: 8, protocol: 'features:1SA n=5'}",
	))
	want := map[string]bool{}
	for _, batch := range []int{4, 8} {
		for _, network := range []string{"linear 10", "linear 4, relu, linear 10"} {
			for k, lr := range []float64{0.01, 0.02, 0.04} {
				for _, protocol := range []string{"none", "features:1SA", "features:1AS n=2", "features:1AS n=3", "features:1SA n=5", "features:S1A n=6"} {
					for seed := 1; seed <= 2; seed++ {
						if batch == 4 && network == "linear 10" || strings.HasPrefix(protocol, "features:1AS") && k < 2 ||
							seed == 2 && batch == 8 && protocol == "features:1SA n=5" {
							continue
						}
						want[fmt.Sprintln(batch, network, lr, 40>>k, protocol, seed)] = true
					}
				}
			}
		}
	}
	got := map[string]bool{}
	ids := map[string]bool{}
	for _, r := range p.Runs {
		c := r.Config
		got[fmt.Sprintln(c.Batch, c.Network, c.Optimizer.LR, c.Iterations, r.Protocols(), c.Seed)] = true
		ids[r.ID] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(ids) != len(p.Runs) || len(p.Runs) != len(want) {
		t.Errorf("%d runs of %d IDs, want %d", len(p.Runs), len(ids), len(want))
	}
}

// TestRunsAreThoseOfAComparison wants the same IDs in a comparison and in a sweep.
func TestRunsAreThoseOfAComparison(t *testing.T) {
	s := read(t, block("product: {batch: [8, 16]}"))
	compared := s.Base
	compared.Batch = 16
	data, err := lab.Load(compared.Data)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := lab.Plan(compared, data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range p.Runs {
		ids[r.ID] = true
	}
	for _, r := range slices.Concat(groups...) {
		if !ids[r.ID] {
			t.Errorf("run %s of %s, seed %d is not in the sweep", r.ID, r.Protocols(), r.Config.Seed)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	examples, err := filepath.Glob("../../examples/sweep-*.yaml")
	if err != nil || len(examples) < 3 {
		t.Fatal(examples, err)
	}
	texts := []string{
		block("product: {optimizer: [{name: sgd, lr: 0.1}, {name: adam, lr: 0.001}]}", "exclude: [{protocol: 'features:*', optimizer: {name: adam, lr: 0.001}}]",
			"slurm: {cpus: 4, options: ['--qos=low']}", "budget: {runs: 1000, draw: true}", "weights: false"),
		block("tune: {over: {optimizer.lr: {from: 0.01, to: 1, points: 9, scale: log}}, trials: 4, seeds: 3}"),
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for i, text := range texts {
		s := read(t, text)
		out, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read("again.yaml", out, lab.Spec{})
		if err != nil {
			t.Errorf("%d: %v in\n%s", i, err, out)
			continue
		}
		second, err := again.Marshal()
		if err != nil || string(second) != string(out) {
			t.Errorf("%d: %v\n%s", i, err, cmp.Diff(string(out), string(second)))
		}
		if testing.Short() && i > 1 {
			continue
		}
		first, err := NewPlan(s)
		if err != nil {
			t.Fatal(err)
		}
		other, err := NewPlan(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(idsOf(first.Runs), idsOf(other.Runs)); diff != "" {
			t.Errorf("%d: other runs after a round trip: %s", i, diff)
		}
		if strings.Contains(text, "study of 10,000 runs") && len(first.Runs) != 10000 {
			t.Errorf("sweep-10k has %d runs", len(first.Runs))
		}
		if bad := first.Survey().Impossible; i > 1 && len(bad) > 0 {
			t.Errorf("%d: an example with impossible runs: %v", i, bad)
		}
	}
}

func idsOf(runs []*lab.Run) []string {
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids
}

// TestShards wants every run in exactly one part, however many parts there are.
func TestShards(t *testing.T) {
	p := plan(t, block("product: {batch: [4, 8, 16]}"))
	all := idsOf(p.Runs)
	slices.Sort(all)
	for n := 1; n <= len(all)+2; n++ {
		var got []string
		least, most := len(all), 0
		for i := 1; i <= n; i++ {
			part := idsOf(slices.Concat(p.Shard(i, n)...))
			least, most = min(least, len(part)), max(most, len(part))
			got = append(got, part...)
		}
		slices.Sort(got)
		if !slices.Equal(got, all) {
			t.Errorf("%d parts: %d runs, want each of %d once", n, len(got), len(all))
		}
		if n <= len(all) && least == 0 {
			t.Errorf("%d parts of %d runs: one is empty", n, len(all))
		}
	}
}

func TestBudget(t *testing.T) {
	axes := "product: {batch: [4, 8, 16, 32]}" // four cells of 4 runs
	s := read(t, block(axes, "budget: {runs: 15}"))
	if _, err := NewPlan(s); err == nil || !strings.Contains(err.Error(), "16 runs are planned and 15 allowed") {
		t.Errorf("got %v", err)
	}
	drawn := plan(t, block(axes, "budget: {runs: 15, draw: true}"))
	if len(drawn.Runs) != 12 || len(drawn.Cells) != 3 {
		t.Errorf("%d runs in %d cells, want 12 in 3: whole cells", len(drawn.Runs), len(drawn.Cells))
	}
	again := plan(t, block(axes, "budget: {runs: 15, draw: true}"))
	if !slices.Equal(idsOf(drawn.Runs), idsOf(again.Runs)) {
		t.Error("drawn twice, two different results")
	}
	if _, err := NewPlan(read(t, block(axes, "budget: {runs: 3, draw: true}"))); err == nil {
		t.Error("a budget below one cell is no error")
	}
}

// TestTuningIsEqual wants as many trials and tuning runs for the baseline as for
// every protocol, on seeds that the comparison does not use.
func TestTuningIsEqual(t *testing.T) {
	p := plan(t, block("product: {batch: [4, 8]}", "tune: {over: {optimizer.lr: [0.01, 0.02, 0.04], optimizer.momentum: [0, 0.9]}, trials: 4, seeds: 3}"))
	for _, c := range p.Cells {
		if len(c.Trials) != 4 {
			t.Fatalf("%d trials, want 4", len(c.Trials))
		}
		for _, trial := range c.Trials {
			for i := range p.Spec.arms {
				var seeds []uint64
				for _, r := range trial.Tuning[i] {
					seeds = append(seeds, r.Config.Seed)
				}
				if !slices.Equal(seeds, []uint64{3, 4, 5}) || len(trial.Arms[i]) != 2 {
					t.Errorf("arm %d: tuned on seeds %v, compared on %d", i, seeds, len(trial.Arms[i]))
				}
			}
		}
	}
	if !slices.EqualFunc(p.Cells[0].Trials, p.Cells[1].Trials, func(a, b *Trial) bool { return join(a.Values) == join(b.Values) }) {
		t.Error("the cells have different trials")
	}
}

func TestParsePart(t *testing.T) {
	for _, test := range []struct{ text, env, want string }{
		{"3/10", "", "3/10 (--shard)"},
		{"3/10", "SLURM_ARRAY_TASK_ID=7", "3/10 (--shard)"},
		{"", "", ""},
		{"", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_COUNT=9", "7/9 (SLURM_ARRAY_TASK_ID)"},
		{"", "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_COUNT=10", "1/10 (SLURM_ARRAY_TASK_ID)"},
		{"", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_COUNT=2", "!gaps"},
		{"", "SGE_TASK_ID=2 SGE_TASK_FIRST=1 SGE_TASK_LAST=4", "2/4 (SGE_TASK_ID)"},
		{"", "SGE_TASK_ID=undefined", ""},
		{"", "LSB_JOBINDEX=0", ""},
		{"", "LSB_JOBINDEX=2 LSB_JOBINDEX_END=4", "2/4 (LSB_JOBINDEX)"},
		{"", "PBS_ARRAY_INDEX=2", "!want --shard /n"},
		{"/5", "PBS_ARRAY_INDEX=2", "2/5 (PBS_ARRAY_INDEX)"},
		{"/5", "JOB_COMPLETION_INDEX=0", "1/5 (JOB_COMPLETION_INDEX)"},
		{"/5", "PBS_ARRAY_INDEX=6", "!not one of 5 tasks"},
		{"/5", "PBS_ARRAY_INDEX=x", "!want a number"},
		{"/5", "", "!no variable"},
		{"0/5", "", "!want i/n"},
		{"6/5", "", "!want i/n"},
		{"5", "", "!want i/n"},
		{"a/b", "", "!want i/n"},
	} {
		env := map[string]string{}
		for _, word := range strings.Fields(test.env) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
		p, ok, err := ParsePart(test.text, func(name string) string { return env[name] })
		if want, fault := strings.CutPrefix(test.want, "!"); fault {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q with %s: error %v, want %s", test.text, test.env, err, want)
			}
			continue
		}
		got := ""
		if ok {
			got = p.String()
		}
		if err != nil || got != test.want {
			t.Errorf("%q with %s: %s, %v; want %s", test.text, test.env, got, err, test.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(block("product: {batch: {from: 1, to: 8, factor: 2}}", "zip: [{optimizer.lr: [1, 2]}]"))
	f.Add(block("protocols: [{template: 'features:1AS n={n}', values: {n: [1, 2]}}]", "exclude: [{protocol: none}]"))
	f.Add(block("tune: {over: {optimizer.lr: {from: 0.01, to: 1, points: 3, scale: log}}, seeds: 2}", "slurm: {chunk: 1h}"))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Read("fuzz.yaml", []byte(text), lab.Default())
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		out, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read("again.yaml", out, lab.Spec{}); err != nil {
			t.Errorf("%v: of\n%s\nwritten as\n%s", err, text, out)
		}
	})
}

func FuzzReadList(f *testing.F) {
	f.Add("id,part,protocols,seed,iterations,batch\nabc,compare,none,1,30,8\n")
	f.Add("id,part\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseList("plan.csv", strings.NewReader(text))
		if err != nil {
			return
		}
		for _, l := range list {
			if l.ID == "" || strings.ContainsAny(l.ID, "/") || l.ID == ".." {
				t.Errorf("ID %q leads out of the folder", l.ID)
			}
		}
	})
}

func BenchmarkPlan10k(b *testing.B) {
	for b.Loop() {
		s, err := ReadFile("../../examples/sweep-10k.yaml", lab.Default())
		if err != nil {
			b.Fatal(err)
		}
		p, err := NewPlan(s)
		if err != nil || len(p.Runs) != 10000 {
			b.Fatal(err)
		}
		p.Survey()
	}
}
