package liquid

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"swapmc/glass"
	"swapmc/internal/atomicfile"
	"swapmc/internal/lab"
	"swapmc/speedup"
)

// Table writes one line a run, and one for each temperature and protocol that has [Averages].
func Table(w io.Writer, records []*Record) {
	tempering, inherent, bound := false, false, false
	for _, r := range records {
		x := r.Result
		tempering = tempering || x.Exchanges != nil
		bound = bound || x.EnergyPerParticle.LowerBound || x.Pressure.LowerBound
		if v := x.InherentEnergyPerParticle; v != nil {
			inherent, bound = true, bound || v.LowerBound
		}
	}
	line := func(t, seed, energy, below, pressure, moved, swapped, last, protocol string) {
		fmt.Fprintf(w, "%-9s %-7s %-14s ", t, seed, energy)
		if inherent {
			fmt.Fprintf(w, "%-14s ", below)
		}
		fmt.Fprintf(w, "%-14s %-9s %-9s %-14s %s\n", pressure, moved, swapped, last, protocol)
	}
	last := "tau (sweeps)"
	if tempering {
		last = "exchanged"
	}
	line("T", "seed", "energy/N", "inherent", "pressure", "moved", "swapped", last, "protocol")
	percent := func(r Rate) string {
		if r.Proposed == 0 {
			return "-"
		}
		return fmt.Sprintf("%.1f%%", 100*float64(r.Rate))
	}
	for _, r := range records {
		x := r.Result
		var swaps glass.Tally
		for _, p := range x.Protocols {
			swaps.Proposed += p.Proposed
			swaps.Accepted += p.Accepted
		}
		last := x.Tau.String()
		switch {
		case x.Exchanges != nil && x.Exchanges.Next != nil:
			last = percent(*x.Exchanges.Next)
		case x.Exchanges != nil:
			last = "-"
		}
		line(fmt.Sprintf("%.6g", r.Config.Temperature), fmt.Sprint(r.Config.Seed), x.EnergyPerParticle.String(), text(x.InherentEnergyPerParticle), x.Pressure.String(),
			percent(x.Displacement), percent(newRate(swaps)), last, r.Config.Protocol.String())
	}
	if averages := Averages(records); len(averages) > 0 {
		fmt.Fprintln(w, "Means over seeds, their errors from the scatter of the seeds:")
		for _, a := range averages {
			last := "-"
			if !tempering {
				last = a.tau()
			}
			line(fmt.Sprintf("%.6g", a.Temperature), fmt.Sprintf("mean %d", a.Seeds), a.EnergyPerParticle.String(), text(a.InherentEnergyPerParticle), a.Pressure.String(), "", "", last, a.Protocol.String())
		}
	}
	if bound {
		fmt.Fprintln(w, "(>n): at least n in the last digit; the run is too short to know its error.")
	}
	if tempering {
		trips := map[string]bool{}
		for _, r := range records {
			key := fmt.Sprint(r.Config.Seed, r.Config.Protocol)
			if !trips[key] {
				trips[key] = true
				fmt.Fprintf(w, "Round trips between the first and the last temperature, seed %d, %s: %d.\n", r.Config.Seed, r.Config.Protocol, r.Result.Exchanges.RoundTrips)
			}
		}
	}
}

func text(v *Value) string {
	if v == nil {
		return ""
	}
	return v.String()
}

// String writes a time, or that it is longer.
func (t Time) String() string {
	if !t.Reached {
		return "> " + sweeps(t.Value)
	}
	return sweeps(t.Value)
}

// sweeps writes a number of them.
func sweeps(x float64) string {
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// An Average is over the runs of one temperature and protocol, which differ in their seeds. Its errors
// are from their scatter: standard deviations over the root of their number, and so Student's with
// one degree of freedom less than there are seeds.
type Average struct {
	Temperature               float64
	Protocol                  lab.Protocols
	Seeds                     int
	EnergyPerParticle         Value
	Pressure                  Value
	InherentEnergyPerParticle *Value
	Tau                       Time  // geometric mean; a lower bound where that of any run is
	TauError                  Value // of it
}

// fewest runs whose scatter gives an error.
const fewest = 3

// Averages returns an Average for each temperature and protocol with three seeds or more.
func Averages(records []*Record) []Average {
	var all []Average
	for _, g := range groups(records) {
		if len(g) < fewest {
			continue
		}
		c := &g[0].Config
		a := Average{Temperature: c.Temperature, Protocol: c.Protocol, Seeds: len(g), Tau: Time{Reached: true}}
		var energy, pressure, inherent, log []float64
		for _, r := range g {
			x := r.Result
			energy = append(energy, float64(x.EnergyPerParticle.Mean))
			pressure = append(pressure, float64(x.Pressure.Mean))
			if v := x.InherentEnergyPerParticle; v != nil {
				inherent = append(inherent, float64(v.Mean))
			}
			log = append(log, math.Log(x.Tau.Value))
			a.Tau.Reached = a.Tau.Reached && x.Tau.Reached
		}
		a.EnergyPerParticle, a.Pressure = scatter(energy), scatter(pressure)
		if len(inherent) == len(g) {
			v := scatter(inherent)
			a.InherentEnergyPerParticle = &v
		}
		l := scatter(log)
		a.Tau.Value = math.Exp(float64(l.Mean))
		a.TauError = Value{Mean: speedup.Number(a.Tau.Value), Error: speedup.Number(a.Tau.Value * float64(l.Error))}
		all = append(all, a)
	}
	return all
}

func (a *Average) tau() string {
	if !a.Tau.Reached {
		return a.Tau.String()
	}
	return a.TauError.String()
}

// groups splits records by temperature and protocol.
func groups(records []*Record) [][]*Record {
	type key struct {
		temperature float64
		protocol    string
	}
	var all [][]*Record
	at := map[key]int{}
	for _, r := range records {
		k := key{r.Config.Temperature, r.Config.Protocol.String()}
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], r)
	}
	return all
}

// scatter is the mean of independent values and its error.
func scatter(x []float64) Value {
	mean, e := meanError(x)
	return Value{Mean: speedup.Number(mean), Error: speedup.Number(e)}
}

// WriteAverages writes averages.csv, the means over seeds, or removes it where there are none.
func (f *Folder) WriteAverages(records []*Record) error {
	path := filepath.Join(f.Path, "averages.csv")
	averages := Averages(records)
	if len(averages) == 0 {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		c.Write([]string{"temperature", "protocol", "seeds", "energy_per_particle", "energy_error", "pressure", "pressure_error", "inherent_energy_per_particle", "inherent_error", "tau", "tau_error", "tau_reached"})
		number := func(x float64) string {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return ""
			}
			return strconv.FormatFloat(x, 'g', -1, 64)
		}
		for _, a := range averages {
			row := []string{number(a.Temperature), a.Protocol.String(), strconv.Itoa(a.Seeds)}
			for _, v := range []*Value{&a.EnergyPerParticle, &a.Pressure, a.InherentEnergyPerParticle} {
				if v == nil {
					row = append(row, "", "")
					continue
				}
				row = append(row, number(float64(v.Mean)), number(float64(v.Error)))
			}
			switch {
			case a.Tau.Value == 0: // of parallel tempering
				row = append(row, "", "", "")
			case !a.Tau.Reached:
				row = append(row, number(a.Tau.Value), "", "false")
			default:
				row = append(row, number(a.Tau.Value), number(float64(a.TauError.Error)), "true")
			}
			c.Write(row)
		}
		c.Flush()
		return c.Error()
	})
}
