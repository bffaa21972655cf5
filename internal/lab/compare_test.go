package lab

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"swapmc/internal/train"
)

func TestCompare(t *testing.T) {
	s := tiny(t, "features:1SA", "weights:1SS each n=all guide=momentum window=0.01 accept=greedy + biases:1S every=3")
	s.Seeds = FirstSeeds(3)
	plan := planned(t, s)
	f := open(t, t.TempDir())
	if err := (&Lab{Folder: f}).Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	res, err := f.Compare(s, plan, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Notes) > 0 {
		t.Errorf("notes %q", res.Notes)
	}
	for i, want := range []string{"none", s.Protocols[0].String(), s.Protocols[1].String()} {
		arm := res.Arms[i]
		if arm.Text != want || !cmp.Equal(arm.X, []float64{0, 10, 20, 30}) || len(arm.Loss.Mean) != 4 || len(arm.Accuracy.High) != 4 {
			t.Errorf("arm %d is %+v, want 4 points of %s", i, arm, want)
		}
	}
	figures, err := res.Write(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range figures {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("figure %s: %v", path, err)
		}
	}
	text, err := os.ReadFile(f.Path("compare.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Name, Version, Metric, Baseline string
		Headline                        float64
		Protocols                       []struct {
			Text    string
			Targets []struct {
				Target     float64
				Iterations struct{ Speedup, Low, High *float64 }
				Time       struct{ Speedup *float64 }
				Seeds      int
			}
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "tiny" || got.Version != "v1" || got.Baseline != "none" || len(got.Protocols) != 2 || got.Headline <= 0 {
		t.Errorf("%+v", got)
	}
	file, err := os.Open(f.Path("compare.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + 2*len(got.Protocols[0].Targets); len(rows) != want || want < 3 {
		t.Errorf("%d rows, want %d", len(rows), want)
	}

	s.Targets = []float64{2.2, 1e-9}
	if res, err = f.Compare(s, plan, "v1"); err != nil {
		t.Fatal(err)
	}
	if targets := res.Comparison.Protocols[0].Targets; len(targets) != 2 || targets[1].Reached != 0 {
		t.Errorf("given two targets, one out of reach: %+v", targets)
	}
}

func TestCompareWantsFinishedRuns(t *testing.T) {
	s := tiny(t, "features:1SA")
	plan := planned(t, s)
	if _, err := open(t, t.TempDir()).Compare(s, plan, "v1"); err == nil || !strings.Contains(err.Error(), "not finished") {
		t.Errorf("got %v, want an error that a run is not finished", err)
	}
}

// TestDivergedCurveNeverArrives: whatever a diverged run had reached before, it
// counts as not having arrived in all its time.
func TestDivergedCurveNeverArrives(t *testing.T) {
	r := &Run{Config: train.Config{Iterations: 1000, Seed: 3}}
	points := []train.Point{{TrainLoss: 2.3}, {Iteration: 100, Seconds: 2, TrainLoss: 0.1}}
	c := curve(r, Record{Status: Diverged, Iteration: 130}, points)
	for _, loss := range c.Loss {
		if !math.IsNaN(loss) {
			t.Errorf("loss %v, want NaN", loss)
		}
	}
	n := len(c.Loss)
	if c.Iterations[n-1] != 1000 || c.Seconds[n-1] != 20 || c.Seed != 3 {
		t.Errorf("ends at %v iterations, %v s, seed %d; want 1000, 20, 3", c.Iterations[n-1], c.Seconds[n-1], c.Seed)
	}
	if c := curve(r, Record{Status: Done}, points); c.Loss[1] != 0.1 || len(c.Loss) != 2 {
		t.Errorf("a run that is done: %+v", c)
	}
}
