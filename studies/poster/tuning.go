// Tuning prints, for every results folder that it is given, how far the runs of
// each protocol came: one CSV row an optimiser, learning rate and protocol.
//
//	go run studies/poster/tuning.go RESULTS-FOLDER...
package main

import (
	"encoding/csv"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"swapmc/internal/lab"
	"swapmc/internal/train"
	"swapmc/speedup"
)

var targets = []float64{2.0, 1.8, 1.6, 1.5, 1.4}

func main() {
	log.SetFlags(0)
	out := csv.NewWriter(os.Stdout)
	header := []string{"network", "momentum", "lr", "protocol", "seeds", "final_train_loss", "standard_error", "final_test_accuracy"}
	for _, t := range targets {
		header = append(header, fmt.Sprintf("median_iterations_to_%.1f", t))
	}
	out.Write(header)
	for _, dir := range os.Args[1:] {
		if err := rows(out, dir); err != nil {
			log.Fatalf("%s: %v", dir, err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		log.Fatal(err)
	}
}

// An arm is the finished runs of one protocol.
type arm struct {
	config train.Config
	text   string
	runs   [][]train.Point
}

// read collects the finished runs of a results folder, those without swaps first.
func read(dir string) ([]*arm, error) {
	folder, err := lab.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	ids, err := os.ReadDir(folder.Path("runs"))
	if err != nil {
		return nil, err
	}
	var arms []*arm
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
		text := record.Protocols.String()
		k := slices.IndexFunc(arms, func(a *arm) bool { return a.text == text })
		if k < 0 {
			k = len(arms)
			arms = append(arms, &arm{config: record.Config, text: text})
		}
		arms[k].runs = append(arms[k].runs, points)
	}
	slices.SortFunc(arms, func(a, b *arm) int { return strings.Compare(a.text, b.text) }) // "none" before "weights"
	return arms, nil
}

func rows(out *csv.Writer, dir string) error {
	arms, err := read(dir)
	if err != nil {
		return err
	}
	for _, arm := range arms {
		var final, accuracy []float64
		for _, r := range arm.runs {
			last := r[len(r)-1]
			final, accuracy = append(final, last.TrainLoss), append(accuracy, last.TestAccuracy)
		}
		mean, deviation := stat.MeanStdDev(final, nil)
		row := []string{arm.config.Network, fmt.Sprint(arm.config.Optimizer.Momentum), fmt.Sprint(arm.config.Optimizer.LR), arm.text, fmt.Sprint(len(final)),
			fmt.Sprintf("%.3f", mean), fmt.Sprintf("%.3f", stat.StdErr(deviation, float64(len(final)))), fmt.Sprintf("%.3f", stat.Mean(accuracy, nil))}
		for _, target := range targets {
			var times []float64
			var reached []bool
			for _, r := range arm.runs {
				var curve speedup.Series
				for _, p := range r {
					curve.X, curve.Y = append(curve.X, float64(p.Iteration)), append(curve.Y, p.TrainLoss)
				}
				t, ok := curve.TimeTo(target, true)
				if !ok {
					t = float64(arm.config.Iterations)
				}
				times, reached = append(times, t), append(reached, ok)
			}
			median := ""
			if m := speedup.KaplanMeier(times, reached).Median(); !math.IsInf(m, 1) {
				median = fmt.Sprintf("%.0f", m)
			}
			row = append(row, median)
		}
		out.Write(row)
	}
	return nil
}
