// Faster asks whether there is a swap protocol that trains faster. On several networks
// it tunes every way of training over the same number of trials, and runs the winners
// on fresh seeds.
//
//	go run ./studies/faster -data CIFAR10-FOLDER -results results/faster
//
// It can be stopped, and killed, at any time: the same command goes on. Parts of it are
// made with -only (problems), -ways and -stage; several processes may work on one folder.
// At any time
//
//	go run ./studies/faster -data CIFAR10-FOLDER -results results/faster -stage report -out studies/faster
//
// writes the tables and figures of what has been made.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"swapmc/internal/lab"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("faster: ")
	data := flag.String("data", "", "folder or archive with the binary version of CIFAR-10")
	results := flag.String("results", "results/faster", "results folder")
	only := flag.String("only", "", "problems, separated by commas; all of them without")
	some := flag.String("ways", "", "ways of training, separated by commas; all of them without")
	stage := flag.String("stage", "all", "tune, seeds, cost, report, or all: tune and seeds problem by problem, then report")
	out := flag.String("out", "", "folder for what report writes; without, the results folder")
	parallel := flag.Int("parallel", 0, "runs at once; 0: one for each core")
	iterations := flag.Int("iterations", 0, "cut runs to this length, to try the program out")
	rounds := flag.Int("rounds", 21, "of the measurement of costs")
	flag.Parse()
	if !slices.Contains([]string{"all", "tune", "seeds", "cost", "report"}, *stage) {
		log.Fatalf("-stage %s: want tune, seeds, cost, report or all", *stage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	set, err := lab.Load(lab.Data{Set: "cifar10", Path: *data})
	if err != nil {
		log.Fatal(err)
	}
	folder, err := lab.OpenFolder(*results)
	if err != nil {
		log.Fatal(err)
	}
	source, list := lab.NewSource(set), cut(problems, *iterations)
	s, err := newStudy(folder, source, list, ways, names(*only), names(*some))
	if err != nil {
		log.Fatal(err)
	}
	// A report is of everything: an opponent left out would be beaten for that.
	whole := func() error {
		s, err := newStudy(folder, source, list, ways, nil, nil)
		if err != nil {
			return err
		}
		return s.report(cmp.Or(*out, *results))
	}
	switch *stage {
	case "tune":
		err = s.run(ctx, *parallel, true, false)
	case "seeds":
		err = s.run(ctx, *parallel, false, true)
	case "cost":
		err = s.cost(ctx, *rounds)
	case "report":
		err = whole()
	case "all":
		if err = s.run(ctx, *parallel, true, true); err == nil {
			err = whole()
		}
	}
	if errors.Is(err, context.Canceled) {
		log.Fatal("stopped: the same command goes on")
	}
	if err != nil {
		log.Fatal(err)
	}
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// cut shortens the runs of problems; 0 leaves them as they are.
func cut(list []problem, iterations int) []problem {
	list = slices.Clone(list)
	for i := range list {
		if iterations > 0 {
			list[i].iterations = min(list[i].iterations, iterations)
		}
	}
	return list
}

// A study is the arms of some problems, and where their runs are.
type study struct {
	folder *lab.Folder
	arms   [][]*arm  // by problem
	w      io.Writer // for progress
}

// newStudy makes the arms of the problems and ways of these names; of all where there
// are none. It reports all ways that cannot be run at once.
func newStudy(folder *lab.Folder, source *lab.Source, problems []problem, ways []way, only, some []string) (*study, error) {
	s := &study{folder: folder, w: os.Stdout}
	var faults []error
	for _, name := range only {
		if !slices.ContainsFunc(problems, func(p problem) bool { return p.name == name }) {
			faults = append(faults, fmt.Errorf("there is no problem %q", name))
		}
	}
	for _, name := range some {
		if !slices.ContainsFunc(ways, func(w way) bool { return w.name == name }) {
			faults = append(faults, fmt.Errorf("there is no way %q", name))
		}
	}
	for i := range problems {
		p := &problems[i]
		faults = append(faults, p.validate(ways))
		if len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		var arms []*arm
		for k := range ways {
			w := &ways[k]
			if !p.has(w.name) || len(some) > 0 && !slices.Contains(some, w.name) {
				continue
			}
			a, err := newArm(p, w, source)
			faults = append(faults, err)
			arms = append(arms, a)
		}
		if len(arms) > 0 {
			s.arms = append(s.arms, arms)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if len(s.arms) == 0 {
		return nil, errors.New("none of these ways is run on these problems")
	}
	return s, nil
}

// run tunes and runs the winners on fresh seeds, problem by problem.
func (s *study) run(ctx context.Context, parallel int, tune, seeds bool) error {
	show, err := newProgress(s)
	if err != nil {
		return err
	}
	for _, arms := range s.arms {
		p := arms[0].problem
		if tune {
			show.announce(p, len(arms)*(trials*len(p.tuning)+finalists*len(p.finals)))
		}
		if seeds {
			show.announce(p, len(arms)*len(fresh))
		}
	}
	show.start(parallel)
	l := &lab.Lab{Folder: s.folder, Version: lab.Version(), Parallel: parallel, NoWeights: true, Report: show.see}
	execute := func(p *problem, runs []*lab.Run) error {
		var plan []lab.Group
		for _, r := range runs {
			plan = append(plan, lab.Group{r})
		}
		show.expect(p, plan)
		return l.Run(ctx, plan)
	}
	for _, arms := range s.arms {
		p := arms[0].problem
		if tune {
			var all []*lab.Run
			for _, a := range arms {
				all = append(all, a.tuning()...)
			}
			if err := execute(p, all); err != nil {
				return err
			}
			var best []*lab.Run
			for _, a := range arms {
				runs, err := a.finals(s.folder)
				if err != nil {
					return err
				}
				best = append(best, runs...)
			}
			if err := execute(p, best); err != nil {
				return err
			}
		}
		var winners []*lab.Run
		for _, a := range arms {
			c, err := choose(s.folder, a)
			if errors.Is(err, errUnfinished) {
				fmt.Fprintf(s.w, "%s, %s: left out: %v\n", p.name, a.way.name, err)
				continue
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(s.w, c)
			winners = append(winners, a.fresh(c.trial())...)
		}
		if !seeds {
			continue
		}
		if err := execute(p, winners); err != nil {
			return err
		}
	}
	return nil
}
