// Why measures what guided swaps do to the weights of a network, beside what a theory of
// a few lines says of them, and draws it.
//
//	go run ./studies/faster/why -data CIFAR10-FOLDER -out studies/faster/why
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"sync"

	"swapmc/dataset"
	"swapmc/internal/atomicfile"
	"swapmc/internal/report"
)

const seed = 1

// A subject is a network that is looked at.
type subject struct {
	network    string
	stages     []int // iterations
	repeats    int   // moments of a stage, over which what depends on the batch is averaged
	others     int   // images on which the true loss is measured
	events     int   // for a law
	iterations int   // of the trainings whose norms are watched
}

var subjects = []subject{
	{network: "lenet", stages: []int{10, 100, 1000}, repeats: 5, others: 1000, events: 64, iterations: 2000},
	{network: "mlp", stages: []int{100}, repeats: 2, others: 1000, events: 16, iterations: 300},
}

const between = 10 // iterations from a moment to the next

var (
	lawWindows = []float64{0.01, 0.03, 0.1, 0.2, 0.4, 1, 2}
	repeated   = []struct { // passes that give the same mean displacement, and others
		window float64
		passes int
	}{{0.2, 4}, {0.1, 16}, {0.1, 4}}
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("why: ")
	data := flag.String("data", "", "folder or archive with the binary version of CIFAR-10")
	out := flag.String("out", "studies/faster/why", "folder for CSVs and figures")
	flag.Parse()
	set, err := dataset.Open("cifar10", *data)
	if err != nil {
		log.Fatal(err)
	}
	r, err := measure(set, subjects)
	if err != nil {
		log.Fatal(err)
	}
	if err := r.write(*out); err != nil {
		log.Fatal(err)
	}
}

// results are all measurements.
type results struct {
	laws       []law
	changes    [][]change
	directions [][]direction
	courses    []*course
}

// measure looks at every network, each on a thread of its own.
func measure(set *dataset.Set, subjects []subject) (*results, error) {
	parts, faults := make([]results, len(subjects)), make([]error, len(subjects))
	var wait sync.WaitGroup
	for k, s := range subjects {
		wait.Go(func() { faults[k] = parts[k].measure(set, s) })
	}
	wait.Wait()
	all := &results{}
	for _, p := range parts {
		all.laws = append(all.laws, p.laws...)
		all.changes = append(all.changes, p.changes...)
		all.directions = append(all.directions, p.directions...)
		all.courses = append(all.courses, p.courses...)
	}
	return all, errors.Join(faults...)
}

// measure goes along one training, measures at some of its iterations, and then watches
// trainings.
func (r *results) measure(set *dataset.Set, s subject) error {
	w, err := newWalk(set, s.network, s.others)
	if err != nil {
		return err
	}
	defer w.net.Close()
	for _, t := range s.stages {
		if err := r.stage(w, s, t); err != nil {
			return err
		}
	}
	for _, a := range arms {
		log.Printf("%s: %s", s.network, a.name)
		c, err := watch(set, s.network, s.iterations, a)
		if err != nil {
			return err
		}
		r.courses = append(r.courses, c)
	}
	return nil
}

// stage measures at some moments from iteration t on.
func (r *results) stage(w *walk, s subject, t int) error {
	var c []change
	var d []direction
	for k := range s.repeats {
		m := w.moment(t + k*between)
		log.Print(m)
		if k == 0 {
			for _, window := range lawWindows {
				if err := r.law(m, window, 1, s.events); err != nil {
					return err
				}
			}
			for _, p := range repeated {
				if err := r.law(m, p.window, p.passes, s.events); err != nil {
					return err
				}
			}
		}
		now, err := changes(m)
		if err != nil {
			return err
		}
		where, err := directions(m, 4*s.events)
		if err != nil {
			return err
		}
		m.leave()
		if k == 0 {
			c, d = now, where
			continue
		}
		share := 1 / float64(k+1) // of this moment in the mean so far
		for i := range now {
			c[i].mix(&now[i], share)
		}
		for i := range where {
			d[i].mix(&where[i], share)
		}
	}
	r.changes, r.directions = append(r.changes, c), append(r.directions, d)
	return nil
}

func (r *results) law(m *moment, window float64, passes, events int) error {
	l, err := look(m, window, passes, events)
	r.laws = append(r.laws, l)
	return err
}

// write makes CSVs and figures.
func (r *results) write(folder string) error {
	laws, distances, responses := lawTables(r.laws)
	changes, limits := changeTables(r.changes)
	for name, t := range map[string]table{
		"displacement": laws, "distance": distances, "response": responses, "loss": changes, "window": limits,
		"direction": directionTable(r.directions), "norm": courseTable(r.courses),
	} {
		if err := t.write(filepath.Join(folder, name+".csv")); err != nil {
			return err
		}
	}
	legend, panels := lawPanels(r.laws, "lenet", 100, []float64{0.03, 0.2, 1})
	if err := figure(filepath.Join(folder, "displacement"), legend, panels); err != nil {
		return err
	}
	legend, panels = changePanels(r.changes)
	if err := figure(filepath.Join(folder, "loss"), legend, panels); err != nil {
		return err
	}
	legend, panels = noisePanels(r.directions, r.laws, 100)
	if err := figure(filepath.Join(folder, "noise"), legend, panels); err != nil {
		return err
	}
	legend, panels = coursePanels(r.courses, "lenet")
	return figure(filepath.Join(folder, "norm"), legend, panels)
}

func figure(path string, legend []string, panels []report.Panel) error {
	for _, format := range []report.Format{report.SVG, report.PNG} {
		err := atomicfile.Write(path+"."+string(format), func(w io.Writer) error { return report.DrawPanels(w, format, legend, panels) })
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
