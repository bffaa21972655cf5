package liquid

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"swapmc/internal/lab"
)

func ladderSpec(t *testing.T) Spec {
	t.Helper()
	s := Default()
	s.Particles, s.Temperature, s.Tempering = 150, Temperatures{0.25, 0.3, 0.36}, 7
	s.Equilibrate.Sweeps, s.Sweeps, s.Measure.Inherent, s.Trajectory.Times = 40, 90, 2, "log"
	swaps, err := lab.ParseProtocols("diameters:S p=0.2 + diameters:S p=0.1 lift=true")
	if err != nil {
		t.Fatal(err)
	}
	s.Protocols = []lab.Protocols{swaps}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

// A ladder that is stopped and continued, again and again, ends as one that is not.
func TestLadderResumes(t *testing.T) {
	plan, err := Plan(ladderSpec(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	records, err := whole.Run(context.Background(), plan, 0, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough for now")
	stops := 0
	for {
		// Every part is stopped at its first report: after one round.
		ctx, cancel := context.WithCancelCause(context.Background())
		_, err := parts.Run(ctx, plan, 0, "test", func(e Event) {
			if e.Record == nil {
				cancel(enough)
			}
		})
		if err == nil {
			break
		}
		if !errors.Is(err, enough) {
			t.Fatal(err)
		}
		if stops++; stops > 100 {
			t.Fatal("makes no progress")
		}
	}
	if stops < 5 {
		t.Errorf("stopped only %d times", stops)
	}
	for i, r := range plan {
		for _, name := range []string{"samples.csv", "inherent.csv", "final.xyz", "trajectory.xyz"} {
			a, err := os.ReadFile(whole.file(r, name))
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(parts.file(r, name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("T = %g: %s differs after %d stops", r.Config.Temperature, name, stops)
			}
		}
		x := records[i].Result
		if x.InherentEnergyPerParticle == nil || float64(x.InherentEnergyPerParticle.Mean) >= float64(x.EnergyPerParticle.Mean) {
			t.Errorf("T = %g: inherent energy %v, energy %v", r.Config.Temperature, x.InherentEnergyPerParticle, x.EnergyPerParticle)
		}
		if (x.Exchanges.Next == nil) != (i == len(plan)-1) {
			t.Errorf("T = %g: exchanges %+v", r.Config.Temperature, x.Exchanges)
		}
	}
	if n := records[0].Result.Exchanges.Next.Accepted; n == 0 {
		t.Error("no configurations were exchanged")
	}
}

func TestLadderRefuses(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"one temperature": func(s *Spec) { s.Temperature = Temperatures{0.3} },
		"no order":        func(s *Spec) { s.Temperature = Temperatures{0.3, 0.2, 0.4} },
		"T= of one only": func(s *Spec) {
			s.Protocols[0] = slices.Clone(s.Protocols[0])
			s.Protocols[0][0].T = 0.25
		},
		"negative":       func(s *Spec) { s.Tempering = -1 },
		"hard":           func(s *Spec) { s.Model, s.Packing, s.Measure.Inherent = "hard-poly", 0.4, 0 },
		"hard, quenched": func(s *Spec) { s.Model, s.Packing, s.Tempering = "hard-poly", 0.4, 0 },
	} {
		s := ladderSpec(t)
		change(&s)
		var field *lab.FieldError
		if err := s.Validate(); !errors.As(err, &field) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
