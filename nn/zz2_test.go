package nn

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"swapmc/internal/kernel"
)

func TestZZ2(t *testing.T) {
	for _, c := range []struct {
		sh             Shape
		out, k, st, pd int
	}{{Shape{3, 32, 32}, 16, 3, 1, 1}, {Shape{16, 32, 32}, 32, 3, 2, 1}, {Shape{32, 16, 16}, 64, 3, 2, 1}, {Shape{16, 32, 32}, 32, 1, 2, 0}, {Shape{32, 16, 16}, 64, 1, 2, 0}} {
		e := newEngine(1)
		e.batch = 32
		x, y := newField(c.sh, 1, 32), newField(Shape{c.out, c.sh.H / c.st, c.sh.W / c.st}, 1, 32)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range x.data {
			x.data[i] = float32(r.NormFloat64())
		}
		for i := range y.grad {
			y.grad[i] = float32(r.NormFloat64())
		}
		wt := make([]float32, c.k*c.k*c.sh.C*c.out)
		for i := range wt {
			wt[i] = float32(r.NormFloat64())
		}
		d := newConv(e, conv{x: x, y: y, kernel: c.k, stride: c.st, pad: c.pd, weight: wt, dw: make([]float32, len(wt)), needDX: c.sh.C > 3}).(*direct)
		e.allocate()
		d.pack(0, 1, true)
		tm := map[string][]float64{}
		var names []string
		time1 := func(name string, f func()) {
			t0 := time.Now()
			f()
			if tm[name] == nil {
				names = append(names, name)
			}
			tm[name] = append(tm[name], float64(time.Since(t0).Nanoseconds()))
		}
		for rep := range 1500 {
			s := span{0, rep % 32, rep%32 + 1, 0, true}
			time1("fwd", func() { d.forward(s) })
			d.needDX = false
			time1("dw", func() { d.backward(s) })
			if c.sh.C > 3 {
				d.needDX = true
				time1("dw+dx", func() { d.backward(s) })
			}
		}
		fmt.Println(c, "ideal product", fmt.Sprintf("%.1f", float64(y.H*y.W)*float64(c.k*c.k*c.sh.C*c.out)/16/3.24e3), "us", kernel.Name())
		for _, k := range names {
			v := tm[k]
			sort.Float64s(v)
			fmt.Printf("  %-8s p2 %.1f  p10 %.1f  med %.1f us an image\n", k, v[len(v)/50]/1e3, v[len(v)/10]/1e3, v[len(v)/2]/1e3)
		}
	}
}
