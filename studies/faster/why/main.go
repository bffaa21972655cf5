// Why measures what guided swaps do to the weights of a network, beside what a theory of
// a few lines says of them, and draws it.
//
//	go run ./studies/faster/why -data CIFAR10-FOLDER -out studies/faster/why
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"runtime"
	"slices"

	"swapmc/dataset"
	"swapmc/internal/atomicfile"
	"swapmc/internal/report"
)

const seed = 1

// A subject is a network that is looked at.
type subject struct {
	network    string
	others     int // images on which the true loss is measured
	events     int // for a law
	losses     int // events for a change of the loss; few where many weights make them alike
	iterations int // of the trainings whose norms are watched
}

var subjects = []subject{
	{network: "lenet", others: 2000, events: 64, losses: 8, iterations: 2000},
	{network: "mlp", others: 1000, events: 16, losses: 2, iterations: 700},
}

var (
	moments    = []int{10, 100, 1000} // iterations
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
	threads := flag.Int("threads", runtime.NumCPU(), "threads; 1 is fastest where others work, too; the results are the same")
	flag.Parse()
	set, err := dataset.Open("cifar10", *data)
	if err != nil {
		log.Fatal(err)
	}
	r, err := measure(set, subjects, moments, *threads)
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
	gains      []gain
	courses    []*course
}

func measure(set *dataset.Set, subjects []subject, moments []int, threads int) (*results, error) {
	r := &results{}
	for _, s := range subjects {
		if err := r.moments(set, s, moments, threads); err != nil {
			return nil, err
		}
		for _, a := range arms {
			log.Printf("%s: %s", s.network, a.name)
			c, err := watch(set, s.network, s.iterations, a, threads)
			if err != nil {
				return nil, err
			}
			r.courses = append(r.courses, c)
		}
	}
	return r, nil
}

// moments goes along one training and measures at some of its iterations.
func (r *results) moments(set *dataset.Set, s subject, iterations []int, threads int) error {
	w, err := newWalk(set, s.network, s.others, threads)
	if err != nil {
		return err
	}
	defer w.net.Close()
	for _, t := range iterations {
		m := w.moment(t)
		log.Print(m)
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
		c, err := changes(m, s.losses)
		if err != nil {
			return err
		}
		d, err := directions(m, 4*s.events)
		if err != nil {
			return err
		}
		g, err := gains(m, []int{1, 4, 16}, s.losses/2)
		if err != nil {
			return err
		}
		r.gains = append(r.gains, g...)
		r.changes, r.directions = append(r.changes, c), append(r.directions, d)
		m.leave()
	}
	return nil
}

func (r *results) law(m *moment, window float64, passes, events int) error {
	l, err := look(m, window, passes, events)
	r.laws = append(r.laws, l)
	return err
}

// write makes CSVs and figures, and prints the small tables.
func (r *results) write(folder string) error {
	laws, distances, responses := lawTables(r.laws)
	changes, limits := changeTables(r.changes)
	for name, t := range map[string]table{
		"displacement": laws, "distance": distances, "response": responses, "loss": changes, "window": limits,
		"direction": directionTable(r.directions, r.gains), "norm": courseTable(r.courses),
	} {
		if err := t.write(filepath.Join(folder, name+".csv")); err != nil {
			return err
		}
	}
	shown := func(m *moment) bool { return slices.Contains([]int{10, 1000}, m.iterations) }
	legend, panels := lawPanels(r.laws, "lenet", 100, []float64{0.03, 0.2, 1})
	if err := figure(filepath.Join(folder, "displacement"), legend, panels); err != nil {
		return err
	}
	legend, panels = changePanels(r.changes, shown)
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
