package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"swapmc/glass"
	"swapmc/internal/lab"
	"swapmc/internal/liquid"
	"swapmc/internal/report"
	"swapmc/internal/sweep"
)

func glassCommand() *cobra.Command {
	g := glassFlags{given: liquid.Default()}
	var quiet bool
	var shard string
	cmd := &cobra.Command{
		Use:   "glass [SPEC.yaml | RESULTS-FOLDER]",
		Short: "Simulate a glass-forming liquid, with or without swaps",
		Long: `Simulate particles by Monte Carlo: equilibrate, then measure energy, pressure,
g(r), and how they forget where they were (F_s, overlap, mean-square displacement,
chi_4, relaxation time). A --protocol exchanges diameters: swap Monte Carlo. Lengths
are in mean diameters, energies in epsilon, k_B = 1; a sweep is N trials.

Each run goes to results/NAME/runs/ID: run.json has the averages with their errors,
curves.csv the two-time observables, final.xyz the last configuration. Ctrl-C saves the
run, and the same command continues it, bit for bit. A finished run is not made again.

Several processes, on one machine or many, may work on a results folder: each run is
made by one of them. With --shard i/n only that part of the runs is made; --shard /n
takes i from a scheduler's array job (Slurm, Grid Engine, LSF, PBS).`,
		Example: `  swapmc glass --protocol "diameters:S p=0.2"
  swapmc glass --model kob-andersen --particles 1000 --temperature 0.6 --sweeps 20000
  swapmc glass --temperature 0.25,0.2,0.16,0.14 --equilibrate-with "diameters:S p=0.2"
  swapmc glass --temperature 0.1,0.11,0.12,0.135,0.15 --tempering 10 --inherent 20
  swapmc glass --model hard-poly --packing 0.55 --protocol "diameters:S p=0.2" --trajectory log
  swapmc glass spec.yaml`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := ""
			if len(args) > 0 {
				file = args[0]
			}
			part := sweep.Part{I: 1, N: 1}
			if shard != "" {
				var err error
				if part, _, err = sweep.ParsePart(shard, os.Getenv); err != nil {
					return &usageError{err}
				}
			}
			s, out, start, err := g.spec(cmd, file)
			if err != nil {
				return &usageError{err}
			}
			if cmd.Flags().Changed("protocol") { // those of a spec are alternatives
				s.Protocols = []lab.Protocols{slices.Concat(s.Protocols...)}
			}
			again := "swapmc glass " + quote(out)
			if shard != "" {
				again += " --shard " + quote(shard)
			}
			folder, records, err := simulate(cmd, s, start, part, out, quiet, again)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if len(records) > 0 {
				liquid.Table(w, records)
			}
			if part.N > 1 {
				_, err := fmt.Fprintf(w, "\nshard %d/%d is done; when all are: swapmc glass %s\n", part.I, part.N, quote(out))
				return err
			}
			return concludeGlass(w, folder, records)
		},
	}
	g.add(cmd)
	cmd.Flags().StringVar(&shard, "shard", "", "make part `i/n` of the runs; /n takes i from a scheduler's variable")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return cmd
}

// simulate makes one part of the runs of a spec.
func simulate(cmd *cobra.Command, s liquid.Spec, start []byte, part sweep.Part, out string, quiet bool, again string) (*liquid.Folder, []*liquid.Record, error) {
	plan, err := liquid.Plan(s, start)
	if err != nil {
		return nil, nil, &usageError{err}
	}
	if err := free(out, "glass"); err != nil {
		return nil, nil, err
	}
	plan = liquid.Shard(plan, part.I, part.N)
	folder, err := liquid.OpenFolder(out)
	if err != nil {
		return nil, nil, err
	}
	if err := folder.WriteSpec(s, lab.Version()); err != nil {
		return nil, nil, err
	}
	show := newGlassDisplay(cmd.ErrOrStderr(), len(plan), quiet)
	records, err := folder.Run(cmd.Context(), plan, s.Parallel, lab.Version(), show.report)
	show.close()
	if err != nil {
		if cmd.Context().Err() != nil && errors.Is(err, context.Cause(cmd.Context())) {
			return nil, nil, &stoppedError{again}
		}
		return nil, nil, err
	}
	return folder, records, nil
}

// concludeGlass writes what all runs together give, and what speaks against it.
func concludeGlass(w io.Writer, folder *liquid.Folder, records []*liquid.Record) error {
	if err := folder.WriteAverages(records); err != nil {
		return err
	}
	figures, err := folder.Figure(records)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nAll results: %s\nFigure: %s\n", folder.Path, strings.Join(figures, ", "))
	for _, note := range liquid.Notes(records) {
		fmt.Fprintf(w, "Note: %s\n", note)
	}
	return nil
}

// compareGlass measures how much faster protocols relax than no swaps.
func compareGlass(cmd *cobra.Command, file, out string, quiet bool) error {
	g := glassFlags{given: liquid.Default(), out: out}
	s, out, start, err := g.spec(nil, file)
	if err != nil {
		return &usageError{err}
	}
	if len(s.Temperature) > 1 {
		return &usageError{fmt.Errorf("%s: temperature: a comparison is made at one: want a number", file)}
	}
	if s.Tempering > 0 {
		return &usageError{fmt.Errorf("%s: tempering: has no relaxation time that a comparison could measure: want 0", file)}
	}
	swaps, err := lab.ParseProtocols("diameters:S p=0.2")
	if err != nil {
		return err
	}
	if len(s.Protocols) == 0 {
		s.Protocols = []lab.Protocols{swaps}
	}
	for i, p := range s.Protocols {
		if len(p) == 0 {
			return &usageError{fmt.Errorf("%s: protocols[%d]: no swaps are the baseline, which is always run: leave it out", file, i)}
		}
	}
	if s.Equilibrate.Protocol == nil {
		s.Equilibrate.Protocol = &swaps // so that all start from the same equilibrium
	}
	all := s
	all.Protocols = append([]lab.Protocols{nil}, s.Protocols...)
	folder, records, err := simulate(cmd, all, start, sweep.Part{I: 1, N: 1}, out, quiet, "swapmc compare "+quote(out))
	if err != nil {
		return err
	}
	if err := folder.WriteSpec(s, lab.Version()); err != nil {
		return err
	}
	c := liquid.Compare(s, records, lab.Version())
	if err := folder.WriteComparison(&c); err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	liquid.Table(w, records)
	fmt.Fprintln(w)
	if err := report.Table(w, &c); err != nil {
		return err
	}
	return concludeGlass(w, folder, records)
}

// glassFlags say what a spec says. Those that are given override the spec.
type glassFlags struct {
	given        liquid.Spec
	out          string
	temperatures string
	sizes        string
	first        string
	nonAdditive  float64
	set          map[string]func(*liquid.Spec) error
}

func (g *glassFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	d := &g.given
	f.StringVar(&g.out, "out", "", "results `folder` (default results/NAME)")
	g.set = map[string]func(*liquid.Spec) error{}
	text := func(name string, at func(*liquid.Spec) *string, usage string) {
		f.StringVar(at(d), name, *at(d), usage)
		g.set[name] = func(s *liquid.Spec) error { *at(s) = *at(d); return nil }
	}
	whole := func(name string, at func(*liquid.Spec) *int, usage string) {
		f.IntVar(at(d), name, *at(d), usage)
		g.set[name] = func(s *liquid.Spec) error { *at(s) = *at(d); return nil }
	}
	number := func(name string, at func(*liquid.Spec) *float64, usage string) {
		f.Float64Var(at(d), name, *at(d), usage)
		g.set[name] = func(s *liquid.Spec) error { *at(s) = *at(d); return nil }
	}
	text("name", func(s *liquid.Spec) *string { return &s.Name }, "name of the results")
	text("model", func(s *liquid.Spec) *string { return &s.Model }, strings.Join(glass.Models(), ", "))
	whole("particles", func(s *liquid.Spec) *int { return &s.Particles }, "number of particles")
	whole("dimension", func(s *liquid.Spec) *int { return &s.Dimension }, "2 or 3")
	number("density", func(s *liquid.Spec) *float64 { return &s.Density }, "particles in a unit of volume, 0: the model's own")
	number("packing", func(s *liquid.Spec) *float64 { return &s.Packing }, "instead of the density, the fraction of the volume inside the particles")
	var usual []string
	for _, name := range glass.Models() {
		if m, err := glass.FindModel(name); err == nil {
			usual = append(usual, fmt.Sprintf("%g of %s", m.Temperature, name))
		}
	}
	f.StringVar(&g.temperatures, "temperature", "", "temperature, or several with commas between them, a run for each (default "+strings.Join(usual, ", ")+")")
	g.set["temperature"] = func(s *liquid.Spec) error {
		s.Temperature = nil
		for part := range strings.SplitSeq(g.temperatures, ",") {
			t, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
			if err != nil {
				return fmt.Errorf("--temperature: %q is no number", part)
			}
			s.Temperature = append(s.Temperature, t)
		}
		return nil
	}
	f.StringVar(&g.sizes, "sizes", "model", `diameters: "power 0.45", "uniform 0.1", "gaussian 0.1", "binary 0.8", "one", or a file of at most so many diameters as particles, not scaled`)
	g.set["sizes"] = func(s *liquid.Spec) (err error) {
		list, fault := os.ReadFile(g.sizes)
		if fault == nil {
			if s.Sizes, err = glass.ReadSizes(string(list)); err != nil {
				return fmt.Errorf("--sizes: %s: %w", g.sizes, err)
			}
			return nil
		}
		if s.Sizes, err = glass.ParseSizes(g.sizes); err != nil {
			if errors.Is(fault, fs.ErrNotExist) {
				return fmt.Errorf("--sizes: %w, or a file: there is no such file", err)
			}
			return fmt.Errorf("--sizes: %w, or a file: %w", err, fault)
		}
		return nil
	}
	f.Float64Var(&g.nonAdditive, "non-additive", 0, "epsilon of the non-additive diameters of soft-poly and hard-poly (default 0.2 and 0)")
	g.set["non-additive"] = func(s *liquid.Spec) error { s.NonAdditive = &g.nonAdditive; return nil }
	f.Var((*protocolsFlag)(&d.Protocols), "protocol", "protocol that acts in the run (repeatable), such as \"diameters:S p=0.2\"")
	g.set["protocol"] = func(s *liquid.Spec) error { s.Protocols = d.Protocols; return nil }
	whole("equilibrate", func(s *liquid.Spec) *int { return &s.Equilibrate.Sweeps }, "sweeps before measuring; the step of displacements is tuned in these")
	f.StringVar(&g.first, "equilibrate-with", "", "protocol of these sweeps, none: no swaps (default: that of the run)")
	g.set["equilibrate-with"] = func(s *liquid.Spec) error {
		first, err := lab.ParseProtocols(g.first)
		if err != nil {
			return fmt.Errorf("--equilibrate-with: %w", err)
		}
		s.Equilibrate.Protocol = &first
		return nil
	}
	whole("sweeps", func(s *liquid.Spec) *int { return &s.Sweeps }, "sweeps that are measured")
	number("acceptance", func(s *liquid.Spec) *float64 { return &s.Acceptance }, "of displacements, to which their step is tuned")
	number("k", func(s *liquid.Spec) *float64 { return &s.Measure.K }, "wave number of F_s")
	number("overlap", func(s *liquid.Spec) *float64 { return &s.Measure.Overlap }, "radius of the overlap")
	whole("origins", func(s *liquid.Spec) *int { return &s.Measure.Origins }, "waiting times")
	whole("inherent", func(s *liquid.Spec) *int { return &s.Measure.Inherent }, "configurations to quench to their inherent structures, evenly spaced in time")
	whole("structure", func(s *liquid.Spec) *int { return &s.Measure.Structure }, "wave vectors along each axis at which the static structure factor S(k) is measured, 0: none")
	whole("tempering", func(s *liquid.Spec) *int { return &s.Tempering }, "sweeps between exchanges of configurations of neighbouring temperatures (parallel tempering), 0: none")
	text("trajectory", func(s *liquid.Spec) *string { return &s.Trajectory.Times }, "configurations to keep in trajectory.xyz: none, linear or log in time")
	whole("frames", func(s *liquid.Spec) *int { return &s.Trajectory.Frames }, "how many of them; with log, in each decade")
	text("start", func(s *liquid.Spec) *string { return &s.Start }, "extended XYZ `file` to start from")
	f.Var((*seedsFlag)(&d.Seeds), "seeds", "number of seeds, or a list such as 4,7: a run for each")
	g.set["seeds"] = func(s *liquid.Spec) error { s.Seeds = d.Seeds; return nil }
	var seed uint64
	f.Uint64Var(&seed, "seed", 1, "seed of all random numbers")
	g.set["seed"] = func(s *liquid.Spec) error { s.Seeds = lab.Seeds{seed}; return nil }
	whole("parallel", func(s *liquid.Spec) *int { return &s.Parallel }, "runs at once, 0: one for each core")
	text("domains", func(s *liquid.Spec) *string { return &s.Domains }, "whether sweeps go domain by domain, which several cores share: auto (large systems), on or off")
}

// spec returns what file and flags ask for, the results folder, and the configuration to start from.
func (g *glassFlags) spec(cmd *cobra.Command, file string) (s liquid.Spec, out string, start []byte, err error) {
	s, out = liquid.Default(), g.out
	if file != "" {
		path := file
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			path = filepath.Join(file, "spec.yaml")
			if out == "" {
				out = file
			}
			s.Name = filepath.Base(filepath.Clean(file))
		} else {
			s.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return s, "", nil, fmt.Errorf("no spec file %s", path)
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return s, "", nil, fmt.Errorf("%s: empty: want keys, such as model: soft-poly", path)
		}
		if s, err = liquid.Read(path, text, s); err != nil {
			return s, "", nil, err
		}
		if s.Start != "" && !filepath.IsAbs(s.Start) {
			s.Start = filepath.Join(filepath.Dir(path), s.Start)
		}
	}
	if cmd != nil && cmd.Flags().Changed("seed") && cmd.Flags().Changed("seeds") {
		return s, "", nil, errors.New("--seed and --seeds: want one of them")
	}
	for name, set := range g.set {
		if cmd != nil && cmd.Flags().Changed(name) {
			if err := set(&s); err != nil {
				return s, "", nil, err
			}
		}
	}
	if s.Start != "" {
		if start, err = os.ReadFile(s.Start); err != nil {
			return s, "", nil, fmt.Errorf("start: %w", err)
		}
		c, err := glass.ReadConfiguration(bytes.NewReader(start))
		if err != nil {
			return s, "", nil, fmt.Errorf("%s: %s", s.Start, strings.TrimPrefix(err.Error(), "glass: "))
		}
		if cmd == nil || !cmd.Flags().Changed("particles") {
			s.Particles = len(c.Diameters)
		}
		if s.Start, err = filepath.Abs(s.Start); err != nil {
			return s, "", nil, err
		}
	}
	s.Complete()
	if err := s.Validate(); err != nil {
		return s, "", nil, err
	}
	if out == "" {
		out = filepath.Join("results", s.Name)
	}
	return s, out, start, nil
}

// A glassDisplay shows how simulations go: a bar for each on a terminal, lines elsewhere.
type glassDisplay struct {
	w        io.Writer
	quiet    bool
	progress *mpb.Progress
	bars     map[string]*glassBar
	shown    time.Time
	ended    int
	runs     int
	waiting  bool // it was said that we wait for other processes
}

type glassBar struct {
	*mpb.Bar
	state label
	began time.Time
	from  int
}

func newGlassDisplay(w io.Writer, runs int, quiet bool) *glassDisplay {
	d := &glassDisplay{w: w, quiet: quiet, runs: runs, bars: map[string]*glassBar{}, shown: time.Now()}
	if _, ok := terminalHeight(w); ok && !quiet {
		d.progress = mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(150*time.Millisecond), mpb.WithWidth(40))
	}
	return d
}

func (d *glassDisplay) report(e liquid.Event) {
	if d.quiet {
		return
	}
	if e.Held != nil {
		if !d.waiting {
			d.waiting = true
			var w io.Writer = d.w
			if d.progress != nil {
				w = d.progress
			}
			fmt.Fprintf(w, "waiting for another process: %v\n", e.Held)
		}
		return
	}
	b := d.bars[e.Run.ID]
	if b == nil {
		b = &glassBar{began: time.Now(), from: e.Sweep}
		d.bars[e.Run.ID] = b
		if d.progress != nil && e.Record == nil {
			b.Bar = d.progress.AddBar(int64(max(1, e.Of)), mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name(fmt.Sprintf("T=%g %s seed %d", e.Run.Config.Temperature, e.Run.Config.Protocol, e.Run.Config.Seed), decor.WCSyncSpaceR)),
				mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), b.state.decorator()))
		}
	}
	if e.Record != nil {
		d.ended++
		if b.Bar != nil {
			b.SetTotal(-1, true)
		}
		if d.progress == nil && d.runs > 1 {
			fmt.Fprintf(d.w, "[%d/%d] T=%g, seed %d, %s: %s\n", d.ended, d.runs, e.Run.Config.Temperature, e.Run.Config.Seed, e.Run.Config.Protocol, seconds(e.Record.Seconds))
		}
		return
	}
	left := ""
	if done := e.Sweep - b.from; done > 0 {
		left = fmt.Sprintf(", %v left", (time.Duration(float64(time.Since(b.began)) / float64(done) * float64(e.Of-e.Sweep))).Round(time.Second))
	}
	state := fmt.Sprintf(" energy/N %.4f", e.Energy)
	if !math.IsNaN(e.Moved) {
		state += fmt.Sprintf(", moved %.0f%%", 100*e.Moved)
	}
	if !math.IsNaN(e.Swapped) {
		state += fmt.Sprintf(", swapped %.1f%%", 100*e.Swapped)
	}
	switch {
	case e.Tau.Reached:
		state += fmt.Sprintf(", tau %.3g", e.Tau.Value)
	case e.Tau.Value > 0:
		state += fmt.Sprintf(", tau > %.3g", e.Tau.Value)
	}
	if b.Bar != nil {
		b.SetCurrent(int64(e.Sweep))
		b.state.set("%s", state+left)
		return
	}
	if time.Since(d.shown) > 10*time.Second {
		d.shown = time.Now()
		fmt.Fprintf(d.w, "T=%g, seed %d, %s: %d of %d sweeps,%s%s\n", e.Run.Config.Temperature, e.Run.Config.Seed, e.Run.Config.Protocol, e.Sweep, e.Of, state, left)
	}
}

func (d *glassDisplay) close() {
	if d.progress != nil {
		for _, b := range d.bars {
			if b.Bar != nil {
				b.Abort(true)
			}
		}
		d.progress.Wait()
	}
}
