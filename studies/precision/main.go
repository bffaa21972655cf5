// Precision compares training with float32 and bfloat16 products, of the runs of the sweep beside it: a row for each network
// and protocol, whose differences are of runs with the same seed, that is the same initial weights, order of images and random
// swaps; and a figure of the training losses.
//
//	go run ./studies/precision RESULTS-FOLDER OUTPUT-FOLDER
package main

import (
	"encoding/csv"
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"swapmc/internal/lab"
	"swapmc/internal/report"
	"swapmc/internal/train"
	"swapmc/nn"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("want the results of the sweep, and a folder for table and figure")
	}
	cases, err := read(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := table(filepath.Join(os.Args[2], "precision.csv"), cases); err != nil {
		log.Fatal(err)
	}
	g := figure(cases)
	if err := g.Write(filepath.Join(os.Args[2], "precision"), report.SVG, report.PNG); err != nil {
		log.Fatal(err)
	}
}

// A pair is the runs of one seed, by precision.
type pair [2][]train.Point

// A problem is a network with a protocol, and its runs by seed.
type problem struct {
	network, protocol string
	pairs             map[uint64]*pair
}

// read collects the runs of a results folder that are finished in both precisions.
func read(dir string) ([]*problem, error) {
	folder, err := lab.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	ids, err := os.ReadDir(folder.Path("runs"))
	if err != nil {
		return nil, err
	}
	var list []*problem
	for _, id := range ids {
		run := &lab.Run{ID: id.Name()}
		record, err := folder.Record(run)
		if err != nil {
			return nil, err
		}
		if record.Status != lab.Done {
			continue
		}
		points, err := folder.Metrics(run)
		if err != nil {
			return nil, err
		}
		if len(points) < last {
			return nil, fmt.Errorf("run %s has %d evaluations: want at least %d", id.Name(), len(points), last)
		}
		precision, err := nn.ParsePrecision(record.Config.Precision)
		if err != nil {
			return nil, err
		}
		p := problem{network: record.Config.Network, protocol: record.Protocols.String(), pairs: map[uint64]*pair{}}
		k := slices.IndexFunc(list, func(q *problem) bool { return q.network == p.network && q.protocol == p.protocol })
		if k < 0 {
			k, list = len(list), append(list, &p)
		}
		of := list[k].pairs
		if of[record.Seed] == nil {
			of[record.Seed] = &pair{}
		}
		if of[record.Seed][precision] != nil {
			return nil, fmt.Errorf("run %s: another one has its network, protocol, seed %d and precision %v", id.Name(), record.Seed, precision)
		}
		of[record.Seed][precision] = points
	}
	for _, p := range list {
		maps.DeleteFunc(p.pairs, func(_ uint64, q *pair) bool { return q[nn.Float32] == nil || q[nn.BF16] == nil })
	}
	list = slices.DeleteFunc(list, func(p *problem) bool { return len(p.pairs) < 2 })
	order := func(p *problem) string { // without swaps first
		if p.protocol == "none" {
			return p.network
		}
		return p.network + " " + p.protocol
	}
	slices.SortFunc(list, func(a, b *problem) int { return strings.Compare(order(a), order(b)) })
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no problem has two seeds that are finished in both precisions", dir)
	}
	return list, nil
}

// last is over how many of the last evaluations losses and accuracies are averaged: a single one fluctuates.
const last = 5

// columns are what is compared at the end of the runs.
var columns = []struct {
	name string
	of   func(p *train.Point) float64
}{
	{"train_loss", func(p *train.Point) float64 { return p.TrainLoss }},
	{"test_loss", func(p *train.Point) float64 { return p.TestLoss }},
	{"test_accuracy", func(p *train.Point) float64 { return p.TestAccuracy }},
}

func table(path string, list []*problem) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := file.Close(); err == nil {
			err = e
		}
	}()
	out := csv.NewWriter(file)
	out.Write([]string{"network", "protocol", "seeds", "of", "float32", "bf16", "difference", "low", "high", "p", "spread_of_seeds"})
	for _, p := range list {
		for _, c := range columns {
			var values [2][]float64
			var difference []float64
			for _, seed := range slices.Sorted(maps.Keys(p.pairs)) {
				q := p.pairs[seed]
				for k := range values {
					sum := 0.0
					for i := range last {
						sum += c.of(&q[k][len(q[k])-1-i])
					}
					values[k] = append(values[k], sum/last)
				}
				difference = append(difference, values[nn.BF16][len(difference)]-values[nn.Float32][len(difference)])
			}
			mean, half, chance := paired(difference)
			number := func(x float64) string { return fmt.Sprintf("%.4f", x) }
			out.Write([]string{p.network, p.protocol, fmt.Sprint(len(difference)), c.name, number(stat.Mean(values[0], nil)), number(stat.Mean(values[1], nil)),
				number(mean), number(mean - half), number(mean + half), fmt.Sprintf("%.2f", chance), number(stat.StdDev(values[0], nil))})
		}
	}
	out.Flush()
	return out.Error()
}

// paired returns the mean of differences, half of its 95% interval, and how probable one as far from zero is by chance, by
// Student's t.
func paired(x []float64) (mean, half, p float64) {
	n := float64(len(x))
	mean, deviation := stat.MeanStdDev(x, nil)
	scale := deviation / math.Sqrt(n)
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}
	return mean, scale * t.Quantile(0.975), 2 * t.Survival(math.Abs(mean)/scale)
}

// figure has the mean training loss of each problem in both precisions, with one standard error to either side.
func figure(list []*problem) *report.Grid {
	g := &report.Grid{Columns: 2, Legend: []report.Entry{{Text: "float32", Hue: report.Grey}, {Text: "bf16", Hue: report.Blue, Dashed: true}}}
	for _, p := range list {
		panel := report.Panel{Title: p.network + ", " + title(p.protocol), X: "iteration", Y: "training loss"}
		for _, precision := range []nn.Precision{nn.Float32, nn.BF16} {
			var x []float64
			var losses [][]float64
			for _, seed := range slices.Sorted(maps.Keys(p.pairs)) {
				var loss []float64
				x = x[:0]
				for _, point := range p.pairs[seed][precision] {
					x, loss = append(x, float64(point.Iteration)), append(loss, point.TrainLoss)
				}
				losses = append(losses, loss)
			}
			band := report.NewBand(losses)
			panel.Curves = append(panel.Curves, report.Curve{X: x, Y: band.Mean, Low: band.Low, High: band.High, Entry: int(precision), Dashed: precision == nn.BF16})
		}
		g.Panels = append(g.Panels, panel)
	}
	return g
}

// title names a protocol in a few words.
func title(protocol string) string {
	if protocol == "none" {
		return "no swaps"
	}
	return strings.Fields(protocol)[0] + " swaps"
}
