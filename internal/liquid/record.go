package liquid

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"swapmc/dynamics"
	"swapmc/glass"
	"swapmc/internal/atomicfile"
	"swapmc/internal/kernel"
	"swapmc/internal/lab"
	"swapmc/speedup"
)

// Record is the run.json of a run: what it is, how it went, and its averages.
type Record struct {
	ID      string     `json:"id"`
	Status  lab.Status `json:"status"`
	System  string     `json:"system"`
	Config  Config     `json:"config"`
	Version string     `json:"version"`
	Host    string     `json:"host"`
	Kernel  string     `json:"kernel"`
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended,omitempty"`
	Resumed int        `json:"resumed"`
	Sweeps  int64      `json:"sweeps"`  // measured so far
	Seconds float64    `json:"seconds"` // of simulation, equilibration included
	Result  *Result    `json:"result,omitempty"`
}

// A Value is an average and its standard error, of one run by blocking.
type Value struct {
	Mean       speedup.Number `json:"mean"`
	Error      speedup.Number `json:"error"`
	LowerBound bool           `json:"lower_bound"` // the error is at least that: the series is too short to know it
}

// newValue is what a series gives; short says that the run is, whatever the series looks like.
func newValue(series []float64, short bool) Value {
	e := dynamics.Average(series)
	return Value{speedup.Number(e.Mean), speedup.Number(e.Error), !e.Plateau || short && e.Error > 0}
}

// String writes the error in units of the last digit, as 0.5560(4), and 0.5560(>4) where it is a lower bound.
func (v Value) String() string {
	mean, err := float64(v.Mean), float64(v.Error)
	switch {
	case math.IsNaN(err) || math.IsInf(err, 0):
		return fmt.Sprintf("%.5g(?)", mean)
	case err == 0:
		return fmt.Sprintf("%.6g", mean)
	}
	place := int(math.Floor(math.Log10(err)))
	if err < 1.95*math.Pow10(place) { // 1 is too coarse
		place--
	}
	unit := math.Pow10(place)
	more := ""
	if v.LowerBound {
		more = ">"
	}
	if place >= 0 {
		return fmt.Sprintf("%.0f(%s%.0f)", math.Round(mean/unit)*unit, more, math.Round(err/unit)*unit)
	}
	return fmt.Sprintf("%.*f(%s%.0f)", -place, mean, more, err/unit)
}

// A Time is a relaxation time in sweeps. Where the correlation stays above 1/e, Value is
// the last time measured, a lower bound.
type Time struct {
	Value   float64 `json:"value"`
	Reached bool    `json:"reached"`
}

// Rate of the trials of one kind of move.
type Rate struct {
	Proposed int64          `json:"proposed"`
	Accepted int64          `json:"accepted"`
	Rate     speedup.Number `json:"rate"`
}

func newRate(t glass.Tally) Rate {
	return Rate{t.Proposed, t.Accepted, speedup.Number(t.Rate())}
}

// Result is what a run measured.
type Result struct {
	EnergyPerParticle         Value           `json:"energy_per_particle"`
	Pressure                  Value           `json:"pressure"`
	Drift                     Value           `json:"drift"` // of the energy a particle (hard particles: of the pressure), from the first tenth of the run to its second half
	InherentEnergyPerParticle *Value          `json:"inherent_energy_per_particle,omitempty"`
	Exchanges                 *Exchanges      `json:"exchanges,omitempty"` // of parallel tempering
	Density                   float64         `json:"density"`
	Packing                   float64         `json:"packing"`
	Side                      float64         `json:"side"`
	Delta                     float64         `json:"delta"`             // half the side of the cube of displacements
	Domains                   int             `json:"domains,omitempty"` // into which the box is cut in a sweep
	Displacement              Rate            `json:"displacement"`
	Protocols                 map[string]Rate `json:"protocols"`
	Tau                       Time            `json:"tau"` // of F_s
	TauOverlap                Time            `json:"tau_overlap"`
	TauDiameter               Time            `json:"tau_diameter"` // of C_s
	Curves                    dynamics.Curves `json:"curves"`
	G                         G               `json:"g"`
	S                         *S              `json:"s,omitempty"`
	SecondsPerSweep           float64         `json:"seconds_per_sweep"` // of those measured, with measuring
}

// G is the radial distribution function at the middle of each bin.
type G struct {
	R []float64 `json:"r"`
	G []float64 `json:"g"`
}

// S is the static structure factor at the wave numbers asked for.
type S struct {
	K []float64 `json:"k"`
	S []float64 `json:"s"`
}

func newRecord(r *Run, version string) *Record {
	host, _ := os.Hostname()
	return &Record{ID: r.ID, System: "glass", Config: r.Config, Version: version, Host: host, Kernel: kernel.Name(), Started: time.Now().UTC().Truncate(time.Second)}
}

func (j *job) write(status lab.Status) error {
	j.record.Status, j.record.Sweeps, j.record.Seconds = status, 0, j.Seconds
	if j.Equilibrate >= j.run_.Config.Equilibrate {
		j.record.Sweeps = j.system.Sweeps()
	}
	text, err := json.MarshalIndent(j.record, "", "  ")
	if err != nil {
		return fmt.Errorf("run.json: %w", err)
	}
	return atomicfile.WriteBytes(j.folder.file(j.run_, "run.json"), append(text, '\n'))
}

// finish writes what the run measured.
func (j *job) finish() error {
	s := j.system
	res := &Result{Density: s.Density(), Packing: s.Packing(), Side: s.Side(), Delta: s.Delta(), Domains: s.Domains(), Protocols: map[string]Rate{}}
	var energy, pressure []float64
	for _, x := range j.Sampled {
		energy = append(energy, x.Energy)
		pressure = append(pressure, x.Pressure)
	}
	res.Curves = j.Recorder.Curves(s.N(), s.Dim())
	res.Tau = relaxation(res.Curves.Time, res.Curves.Fs)
	res.TauOverlap = relaxation(res.Curves.Time, res.Curves.Overlap)
	res.TauDiameter = relaxation(res.Curves.Time, res.Curves.Diameter)
	short := j.run_.Config.short(res.Tau)
	res.EnergyPerParticle, res.Pressure = newValue(energy, short), newValue(pressure, short)
	res.Drift = drift(energy)
	if s.Model.Hard {
		res.Drift = drift(pressure)
	}
	res.Displacement, res.Exchanges = newRate(s.Displacement.Tally), j.exchanges
	if len(j.Inherent) > 0 {
		var e []float64
		for _, x := range j.Inherent {
			e = append(e, x.Energy)
		}
		v := newValue(e, short)
		res.InherentEnergyPerParticle = &v
	}
	for i, p := range j.run_.Config.Protocol {
		res.Protocols[p.String()] = newRate(s.Moves[i].Tally)
	}
	ideal := s.RadialDistribution(make([]float64, bins))
	for b := range ideal {
		res.G.R = append(res.G.R, (float64(b)+0.5)*s.Side()/2/bins)
		res.G.G = append(res.G.G, j.Pairs[b]/ideal[b]/float64(j.Shots))
	}
	if len(j.Structure) > 0 {
		res.S = &S{}
		for n, sum := range j.Structure {
			res.S.K = append(res.S.K, 2*math.Pi*float64(n+1)/s.Side())
			res.S.S = append(res.S.S, sum/float64(j.Shots))
		}
	}
	res.SecondsPerSweep = j.Measured / float64(j.run_.Config.Sweeps)
	folder, r := j.folder, j.run_
	err := atomicfile.Write(folder.file(r, "curves.csv"), func(w io.Writer) error {
		b := bufio.NewWriter(w)
		fmt.Fprintln(b, "sweeps,origins,msd,fs,overlap,chi4,alpha2,diameter")
		c := &res.Curves
		for i := range c.Time {
			fmt.Fprintf(b, "%d,%d,%g,%g,%g,%g,%g,%g\n", c.Time[i], c.Origins[i], c.MSD[i], c.Fs[i], c.Overlap[i], c.Chi4[i], c.Alpha2[i], c.Diameter[i])
		}
		return b.Flush()
	})
	if err == nil {
		err = atomicfile.Write(folder.file(r, "samples.csv"), func(w io.Writer) error {
			b := bufio.NewWriter(w)
			fmt.Fprintln(b, "sweep,energy_per_particle,pressure")
			for _, x := range j.Sampled {
				fmt.Fprintln(b, strconv.FormatInt(x.Sweep, 10)+","+strconv.FormatFloat(x.Energy, 'g', -1, 64)+","+strconv.FormatFloat(x.Pressure, 'g', -1, 64))
			}
			return b.Flush()
		})
	}
	if err == nil && len(j.Inherent) > 0 {
		err = atomicfile.Write(folder.file(r, "inherent.csv"), func(w io.Writer) error {
			b := bufio.NewWriter(w)
			fmt.Fprintln(b, "sweep,energy_per_particle,largest_force,steps")
			for _, x := range j.Inherent {
				fmt.Fprintf(b, "%d,%g,%g,%d\n", x.Sweep, x.Energy, x.Force, x.Steps)
			}
			return b.Flush()
		})
	}
	if err == nil {
		err = atomicfile.Write(folder.file(r, "final.xyz"), s.WriteXYZ)
	}
	if err == nil && j.frames != nil {
		err = j.frames.Sync()
	}
	if err != nil {
		return err
	}
	j.record.Result = res
	now := time.Now().UTC().Truncate(time.Second)
	j.record.Ended = &now
	if err := j.write(lab.Done); err != nil {
		return err
	}
	err = os.Remove(folder.file(r, "checkpoint"))
	if os.IsNotExist(err) {
		err = nil
	}
	return err
}

func relaxation(time []int, c []float64) Time {
	tau, ok := dynamics.RelaxationTime(time, c)
	if !ok && len(time) > 0 {
		tau = float64(time[len(time)-1])
	}
	return Time{tau, ok}
}

// An Event tells how a run goes.
type Event struct {
	Run     *Run
	Record  *Record // when it is over
	Held    error   // instead of all else: what is left is made by other processes, such as this one
	Sweep   int     // done, equilibration included
	Of      int
	Seconds float64
	Energy  float64 // a particle
	Moved   float64 // acceptance of displacements
	Swapped float64 // of all other moves, NaN if none
	Tau     Time    // as far as known
}

func (j *job) tell() {
	s, c := j.system, &j.run_.Config
	e := Event{Run: j.run_, Of: c.Equilibrate + c.Sweeps, Sweep: j.Equilibrate, Seconds: j.Seconds, Energy: s.Energy() / float64(s.N()), Moved: s.Displacement.Rate(), Swapped: math.NaN()}
	if j.Equilibrate >= c.Equilibrate {
		e.Sweep += int(s.Sweeps())
		curves := j.Recorder.Curves(s.N(), s.Dim())
		e.Tau = relaxation(curves.Time, curves.Fs)
	}
	var proposed, accepted int64
	for _, m := range s.Moves {
		proposed += m.Proposed
		accepted += m.Accepted
	}
	if proposed > 0 {
		e.Swapped = float64(accepted) / float64(proposed)
	}
	j.report(e)
}
