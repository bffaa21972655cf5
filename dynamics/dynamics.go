// Package dynamics measures how a system forgets where it was: two-time observables of
// particles, from places at logarithmic times after several waiting times, relaxation
// times, and errors of correlated averages.
//
// With Delta r_i the displacement of particle i in a time t, in d dimensions, less that of all particles together:
//
//	mean-square displacement    <|Delta r|^2>
//	self-intermediate scattering F_s(k,t) = <cos(k . Delta r)>, over the d axes
//	overlap                     Q(t) = <theta(a - |Delta r|)>
//	susceptibility              chi_4 = N (<Q^2> - <Q>^2), over waiting times
//	non-Gaussian parameter      alpha_2 = d <|Delta r|^4> / ((d+2) <|Delta r|^2>^2) - 1
//	diameter correlation        C_s(t) = <ds(0) ds(t)> / <ds^2>, ds = s - <s>
//
// (Kob and Andersen, Phys. Rev. E 51, 4626, 1995; Ninarello, Berthier and Coslovich,
// Phys. Rev. X 7, 021039, 2017.)
package dynamics

import (
	"math"
	"slices"
)

// Times returns 0 and whole numbers up to last, about perDecade of them in each decade,
// growing evenly on a logarithmic scale.
func Times(last, perDecade int) []int {
	times := []int{0}
	for k := 0; ; k++ {
		t := int(math.Round(math.Pow(10, float64(k)/float64(perDecade))))
		if t > last {
			break
		}
		if t > times[len(times)-1] {
			times = append(times, t)
		}
	}
	if end := times[len(times)-1]; end < last {
		times = append(times, last)
	}
	return times
}

// Particles is what a Recorder looks at.
type Particles interface {
	N() int
	Dim() int
	Position(i int) [3]float64 // unwrapped
	Diameter(i int) float64
}

// Curves are the observables after each time. Each slice has the length of Time.
type Curves struct {
	Time     []int     `json:"time"`    // sweeps
	Origins  []int     `json:"origins"` // waiting times that went into it
	MSD      []float64 `json:"msd"`     // squared lengths
	Fs       []float64 `json:"fs"`
	Overlap  []float64 `json:"overlap"`
	Chi4     []float64 `json:"chi4"` // 0 where there is one waiting time only
	Alpha2   []float64 `json:"alpha2"`
	Diameter []float64 `json:"diameter"` // 1 where all diameters are equal
}

// Recorder collects two-time observables while a simulation goes on. The zero value needs
// K, A, Every and Times.
type Recorder struct {
	K     float64 // wave number of F_s
	A     float64 // radius of the overlap
	Every int     // sweeps from one waiting time to the next
	Times []int   // after each of which they are measured, ascending from 0

	Waiting []Waiting // those that are not over
	Sums    []Sum     // for each of Times
}

// Waiting is a configuration with which later ones are compared.
type Waiting struct {
	At     int64 // sweep
	X      [][3]float64
	S      []float64
	Passed int // Times that were measured
}

// Sum adds up one time over waiting times.
type Sum struct {
	Count                      int
	R2, R4, Fs, Q, Q2, C, Norm float64
}

// Record looks at the particles; sweep grows by one from call to call.
func (r *Recorder) Record(p Particles, sweep int64) {
	if r.Sums == nil {
		r.Sums = make([]Sum, len(r.Times))
	}
	if sweep%int64(r.Every) == 0 {
		w := Waiting{At: sweep}
		for i := range p.N() {
			w.X = append(w.X, p.Position(i))
			w.S = append(w.S, p.Diameter(i))
		}
		r.Waiting = append(r.Waiting, w)
	}
	for k := range r.Waiting {
		w := &r.Waiting[k]
		if w.Passed < len(r.Times) && sweep-w.At == int64(r.Times[w.Passed]) {
			r.Sums[w.Passed].add(r, w, p)
			w.Passed++
		}
	}
	r.Waiting = slices.DeleteFunc(r.Waiting, func(w Waiting) bool { return w.Passed == len(r.Times) })
}

// add compares the particles with a waiting time.
func (s *Sum) add(r *Recorder, w *Waiting, p Particles) {
	n, dim := p.N(), p.Dim()
	var drift [3]float64
	for i := range n {
		x := p.Position(i)
		for k := range dim {
			drift[k] += (x[k] - w.X[i][k]) / float64(n)
		}
	}
	mean := 0.0
	for _, d := range w.S {
		mean += d / float64(n)
	}
	var r2, r4, fs, q, c, norm float64
	for i := range n {
		x := p.Position(i)
		d2 := 0.0
		for k := range dim {
			d := x[k] - w.X[i][k] - drift[k]
			d2 += d * d
			fs += math.Cos(r.K*d) / float64(dim)
		}
		r2 += d2
		r4 += d2 * d2
		if d2 < r.A*r.A {
			q++
		}
		c += (w.S[i] - mean) * (p.Diameter(i) - mean)
		norm += (w.S[i] - mean) * (w.S[i] - mean)
	}
	m := float64(n)
	s.Count++
	s.R2 += r2 / m
	s.R4 += r4 / m
	s.Fs += fs / m
	s.Q += q / m
	s.Q2 += q / m * q / m
	s.C += c / m
	s.Norm += norm / m
}

// Curves returns the averages of n particles in so many dimensions, up to the last time that was reached.
func (r *Recorder) Curves(n, dim int) Curves {
	var c Curves
	for i, s := range r.Sums {
		if s.Count == 0 {
			break
		}
		m := float64(s.Count)
		c.Time = append(c.Time, r.Times[i])
		c.Origins = append(c.Origins, s.Count)
		c.MSD = append(c.MSD, s.R2/m)
		c.Fs = append(c.Fs, s.Fs/m)
		c.Overlap = append(c.Overlap, s.Q/m)
		chi := 0.0
		if s.Count > 1 {
			chi = float64(n) * max(0, s.Q2/m-s.Q/m*s.Q/m) * m / (m - 1)
		}
		c.Chi4 = append(c.Chi4, chi)
		alpha := 0.0
		if s.R2 > 0 {
			alpha = float64(dim)/float64(dim+2)*(s.R4/m)/((s.R2/m)*(s.R2/m)) - 1
		}
		c.Alpha2 = append(c.Alpha2, alpha)
		diameter := 1.0
		if s.Norm > 1e-12*m {
			diameter = s.C / s.Norm
		}
		c.Diameter = append(c.Diameter, diameter)
	}
	return c
}

// RelaxationTime returns the first time at which a correlation is at or below 1/e, between
// measurements by interpolation in the logarithm of time, and whether it is there.
func RelaxationTime(time []int, correlation []float64) (tau float64, reached bool) {
	for i, c := range correlation {
		if c > 1/math.E {
			continue
		}
		if i == 0 || time[i-1] == 0 {
			return float64(time[i]), true
		}
		a, b := math.Log(float64(time[i-1])), math.Log(float64(time[i]))
		share := (correlation[i-1] - 1/math.E) / (correlation[i-1] - c)
		return math.Exp(a + share*(b-a)), true
	}
	return 0, false
}
