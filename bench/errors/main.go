// Errors asks whether the errors of averages over a run are honest: it makes one long run of a
// glass former, cuts it into parts of some relaxation times of F_s, and compares how far the
// parts' energies are from that of the whole with the errors that dynamics.Average gives them.
//
//	go run ./bench/errors [--model soft-poly] [--particles 300] [--temperature 0.3] [--p 0] [--sweeps 800000]
package main

import (
	"flag"
	"fmt"
	"log"
	"math"

	"swapmc/dynamics"
	"swapmc/glass"
)

// every is the sweeps between two samples.
const every = 10

func main() {
	log.SetFlags(0)
	log.SetPrefix("errors: ")
	model := flag.String("model", "soft-poly", "glass former")
	particles := flag.Int("particles", 300, "number of particles")
	temperature := flag.Float64("temperature", 0.3, "temperature")
	p := flag.Float64("p", 0, "share of swaps")
	sweeps := flag.Int("sweeps", 800_000, "sweeps of the run, after a tenth as many of equilibration")
	flag.Parse()
	if *sweeps < 1000 {
		log.Fatalf("--sweeps: %d: want at least 1000", *sweeps)
	}
	o := glass.Options{Model: *model, N: *particles, Temperature: *temperature, Seed: 1}
	if *p > 0 {
		o.Moves = []glass.Weighted{{Move: &glass.Swap{}, P: *p}}
	}
	s, err := glass.New(o)
	if err != nil {
		log.Fatal(err)
	}
	s.Equilibrate(*sweeps/10, 0.4)
	s.Restart()
	rec := dynamics.Recorder{K: 7, A: 0.3, Every: *sweeps / 40, Times: dynamics.Times(*sweeps/10, 10)}
	var energy []float64
	for i := range *sweeps {
		rec.Record(s, int64(i))
		if i%every == 0 {
			energy = append(energy, s.Energy()/float64(s.N()))
		}
		s.Run(1)
	}
	c := rec.Curves(s.N(), s.Dim())
	tau, reached := dynamics.RelaxationTime(c.Time, c.Fs)
	if !reached {
		log.Fatalf("F_s has not fallen to 1/e after %d sweeps: want more --sweeps", c.Time[len(c.Time)-1])
	}
	whole := dynamics.Average(energy)
	fmt.Printf("%s, N = %d, T = %g, p = %g: tau = %.0f sweeps, a run of %.0f tau, energy a particle %.5f +- %.5f\n",
		*model, *particles, *temperature, *p, tau, float64(*sweeps)/tau, whole.Mean, whole.Error)
	fmt.Println("tau a part  parts  deviation/error  with a plateau  of these within two errors")
	for _, m := range []float64{5, 10, 20, 50, 100, 200} {
		n := int(m * tau / every)
		parts := len(energy) / max(1, n)
		if n < 64 || parts < 8 {
			continue
		}
		var deviation, errors, trusted, within float64
		for k := range parts {
			e := dynamics.Average(energy[k*n : (k+1)*n])
			d := e.Mean - whole.Mean
			deviation += d * d
			errors += e.Error * e.Error
			if e.Plateau {
				trusted++
				if math.Abs(d) < 2*e.Error {
					within++
				}
			}
		}
		fmt.Printf("%10g %6d %16.2f %14.0f%% %26.0f%%\n", m, parts, math.Sqrt(deviation/errors), 100*trusted/float64(parts), 100*within/trusted)
	}
}
