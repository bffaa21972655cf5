package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"swapmc/dataset"
	"swapmc/nn"
)

type arm struct {
	text string
	kv   map[string]float64
	base string
}

func (a arm) f(k string, d float64) float64 {
	if v, ok := a.kv[k]; ok {
		return v
	}
	return d
}

func parse(s string) arm {
	a := arm{text: s, kv: map[string]float64{}}
	w := strings.Fields(s)
	a.base = w[0]
	for _, x := range w[1:] {
		k, v, _ := strings.Cut(x, "=")
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			panic(s)
		}
		a.kv[k] = f
	}
	return a
}

func main() {
	network := flag.String("net", "lenet", "")
	batch := flag.Int("batch", 32, "")
	iters := flag.Int("iters", 1000, "")
	every := flag.Int("every", 25, "")
	seeds := flag.Int("seeds", 1, "")
	initS := flag.String("init", "pytorch", "")
	targets := flag.String("targets", "2,1.8,1.6,1.5,1.4,1.3,1.2", "")
	ntrain := flag.Int("ntrain", 1000, "")
	procs := flag.Int("procs", 2, "")
	flag.Parse()
	data, err := dataset.CIFAR10("/tmp/data/cifar10")
	if err != nil {
		data, err = dataset.CIFAR10("/tmp/data/cifar10/cifar-10-batches-bin")
	}
	if err != nil {
		panic(err)
	}
	var tg []float64
	for _, s := range strings.Split(*targets, ",") {
		f, _ := strconv.ParseFloat(s, 64)
		tg = append(tg, f)
	}
	type job struct{ a, s int }
	jobs := make(chan job)
	args := flag.Args()
	res := make([][]string, len(args))
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range *procs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range jobs {
				out := run(data, *network, *initS, *batch, *iters, *every, *ntrain, tg, parse(args[j.a]), uint64(j.s+1))
				mu.Lock()
				res[j.a] = append(res[j.a], out)
				fmt.Printf("%-60s s%d %s\n", args[j.a], j.s+1, out)
				os.Stdout.Sync()
				mu.Unlock()
			}
		}()
	}
	for s := range *seeds {
		for a := range args {
			jobs <- job{a, s}
		}
	}
	close(jobs)
	wg.Wait()
}

func run(data *dataset.Set, network, initS string, batch, iters, every, ntrain int, tg []float64, a arm, seed uint64) string {
	start := time.Now()
	spec, err := nn.Parse(network)
	if err != nil {
		panic(err)
	}
	loss, _ := nn.ParseLoss("")
	net, err := nn.New(spec, nn.Options{Input: nn.Shape(data.Shape), Classes: len(data.Classes), Batch: batch, Threads: 1, Loss: loss})
	if err != nil {
		panic(err)
	}
	defer net.Close()
	net.Init(initS, rand.New(rand.NewPCG(seed, 1)))
	P, G := net.Params(), net.Grads()
	n := len(P)
	m, v, rnk := make([]float32, n), make([]float32, n), make([]float32, n)
	u := make([]float32, n)
	pix := data.Shape.C * data.Shape.H * data.Shape.W
	img, lab := make([]float32, batch*pix), make([]uint8, batch)
	ord := rand.New(rand.NewPCG(seed, 2)).Perm(data.Train.Len())
	ev := rand.New(rand.NewPCG(7, 7)).Perm(data.Train.Len())[:ntrain]
	r := rand.New(rand.NewPCG(seed, 3))
	std := map[int]float64{}
	for li, l := range net.Layers() {
		if l.Norm || l.Weight.Len == 0 {
			continue
		}
		s := 0.0
		for _, x := range P[l.Weight.Offset:][:l.Weight.Len] {
			s += float64(x) * float64(x)
		}
		std[li] = math.Sqrt(s / float64(l.Weight.Len))
	}
	hits := make([]int, len(tg))
	last := 0.0
	best := 99.
	eval := func() float64 {
		sum := 0.0
		for o := 0; o < len(ev); o += batch {
			part := ev[o:min(o+batch, len(ev))]
			data.Batch(img, &data.Train, part)
			for k, i := range part {
				lab[k] = data.Train.Labels[i]
			}
			l, _ := net.Evaluate(img[:len(part)*pix], lab[:len(part)])
			sum += l
		}
		return sum / float64(len(ev))
	}
	beta := float32(a.f("b", 0.9))
	prop, acc := 0, 0
	for t := 0; t <= iters; t++ {
		if t%every == 0 {
			last = eval()
			best = min(best, last)
			for k, x := range tg {
				if hits[k] == 0 && last <= x {
					hits[k] = t
				}
			}
			if math.IsNaN(last) {
				break
			}
		}
		part := make([]int, batch)
		for k := range part {
			part[k] = ord[(t*batch+k)%len(ord)]
			lab[k] = data.Train.Labels[part[k]]
		}
		data.Batch(img, &data.Train, part)
		net.Step(img, lab)
		frac := 1.0
		switch int(a.f("sched", 0)) {
		case 1: // linear
			frac = 1 - float64(t)/float64(iters)
		case 2:
			frac = 0.5 * (1 + math.Cos(math.Pi*float64(t)/float64(iters)))
		}
		lr := float32(a.f("lr", 0) * frac)
		// moments
		for i, g := range G {
			m[i] = beta*m[i] + (1-beta)*g
		}
		guide := m
		switch a.base {
		case "none":
		case "sgd":
			for i, g := range G {
				P[i] -= lr * g
			}
		case "mom": // lr as pytorch
			for i := range G {
				P[i] -= lr / (1 - beta) * m[i]
			}
		case "nest":
			for i, g := range G {
				P[i] -= lr * (g + beta/(1-beta)*m[i])
			}
		case "signum":
			for i := range G {
				if m[i] > 0 {
					P[i] -= lr
				} else if m[i] < 0 {
					P[i] += lr
				}
			}
		case "rank": // w -= lr (2F(m)-1) per layer
			for _, l := range net.Layers() {
				if l.Weight.Len == 0 {
					continue
				}
				ranks(m[l.Weight.Offset:][:l.Weight.Len], rnk[l.Weight.Offset:])
				if l.Bias.Len > 0 {
					ranks(m[l.Bias.Offset:][:l.Bias.Len], rnk[l.Bias.Offset:])
				}
			}
			for i := range G {
				P[i] -= lr * rnk[i]
			}
		case "adam", "adamg":
			b2 := float32(a.f("b2", 0.999))
			c1 := float32(1 - math.Pow(float64(beta), float64(t+1)))
			c2 := float32(1 - math.Pow(float64(b2), float64(t+1)))
			for i, g := range G {
				v[i] = b2*v[i] + (1-b2)*g*g
				u[i] = m[i] / c1 / (float32(math.Sqrt(float64(v[i]/c2))) + 1e-8)
				P[i] -= lr * u[i]
			}
			if a.base == "adamg" {
				guide = u
			}
		}
		wf := frac
		if un := a.f("until", 0); un > 0 {
			wf = max(0, 1-float64(t)/un)
		}
		win := a.f("win", 0) * wf
		rel := a.f("rel", 0) * wf // relative to std of layer
		if win > 0 || rel > 0 {
			passes := int(a.f("passes", 1))
			for li, l := range net.Layers() {
				if l.Norm || l.Weight.Len == 0 {
					continue
				}
				w := win
				if rel > 0 {
					w = rel * std[li]
				}
				o, k := l.Weight.Offset, l.Weight.Len
				for range passes {
					switch int(a.f("scope", 0)) {
					case 0:
						p, q := match(P[o:o+k], guide[o:o+k], float32(w), float32(a.f("min", 0)*w), r)
						prop += p
						acc += q
					case 1: // rows
						for rr := range l.Rows {
							oo := o + rr*l.Cols
							p, q := match(P[oo:oo+l.Cols], guide[oo:oo+l.Cols], float32(w), 0, r)
							prop += p
							acc += q
						}
					case 2: // rank pairing
						p, q := rankPair(P[o:o+k], guide[o:o+k], float32(w), r)
						prop += p
						acc += q
					}
				}
			}
		}
		if sg := a.f("sign", 0) * frac; sg > 0 {
			for _, l := range net.Layers() {
				if l.Norm {
					continue
				}
				for i := l.Weight.Offset; i < l.Weight.Offset+l.Weight.Len; i++ {
					if guide[i] > 0 {
						P[i] -= float32(sg)
					} else {
						P[i] += float32(sg)
					}
				}
			}
		}
	}
	s := ""
	for k := range tg {
		if hits[k] == 0 {
			s += "     -"
		} else {
			s += fmt.Sprintf("%6d", hits[k])
		}
	}
	rate := 0.0
	if prop > 0 {
		rate = float64(acc) / float64(prop)
	}
	return fmt.Sprintf("%s  final %.3f best %.3f acc %.3f  %.0fs", s, last, best, rate, time.Since(start).Seconds())
}

func ranks(m, out []float32) {
	idx := make([]int, len(m))
	for i := range idx {
		idx[i] = i
	}
	sort.Slice(idx, func(a, b int) bool { return m[idx[a]] < m[idx[b]] })
	for k, i := range idx {
		out[i] = 2*(float32(k)+0.5)/float32(len(m)) - 1
	}
}

func match(w, g []float32, win, least float32, r *rand.Rand) (p, q int) {
	n := len(w)
	t := r.IntN(n)
	seg := func(lo, hi int) {
		for lo < hi {
			d := w[hi] - w[lo]
			p++
			if d <= win && d >= -win && (d >= least || d <= -least) && (g[lo]-g[hi])*d < 0 {
				w[lo], w[hi] = w[hi], w[lo]
				q++
			}
			lo++
			hi--
		}
	}
	seg(0, t)
	seg(t+1, n-1)
	return
}

// rankPair pairs entries at rank distance such that |d| is about win.
func rankPair(w, g []float32, win float32, r *rand.Rand) (p, q int) {
	n := len(w)
	idx := make([]int, n)
	for i := range idx {
		idx[i] = i
	}
	sort.Slice(idx, func(a, b int) bool { return w[idx[a]] < w[idx[b]] })
	used := make([]bool, n)
	j := 0
	for i := 0; i < n; i++ {
		if used[i] {
			continue
		}
		if j <= i {
			j = i + 1
		}
		for j < n && (w[idx[j]]-w[idx[i]] < win || used[j]) {
			j++
		}
		if j >= n {
			break
		}
		used[i], used[j] = true, true
		a, b := idx[i], idx[j]
		p++
		if (g[a]-g[b])*(w[b]-w[a]) < 0 {
			w[a], w[b] = w[b], w[a]
			q++
		}
	}
	return
}
