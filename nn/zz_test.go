package nn

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"swapmc/internal/kernel"
)

func TestZZ(t *testing.T) {
	for _, sh := range []Shape{{16, 32, 32}, {32, 16, 16}, {64, 8, 8}} {
		e := newEngine(1)
		e.batch = 32
		x, y := newField(sh, 1, 32), newField(sh, 1, 32)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range x.data {
			x.data[i] = float32(r.NormFloat64())
			y.grad[i] = float32(r.NormFloat64())
		}
		wt := make([]float32, 9*sh.C*sh.C)
		for i := range wt {
			wt[i] = float32(r.NormFloat64())
		}
		w := newConv(e, conv{x: x, y: y, kernel: 3, stride: 1, pad: 1, weight: wt, dw: make([]float32, len(wt)), needDX: true}).(*winograd)
		w.norm = nil
		e.allocate()
		w.pack(0, 1, true)
		in, out, across := sh.C, sh.C, sh.W/4
		per := w.block / across
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
		tt := &e.work[0]
		var junk [16]*winograd
		for i := range junk {
			junk[i] = newConv(e, w.conv).(*winograd)
		}
		w0 := w
		for rep := range 1500 {
			im := rep % 31
			w = w0
			if rep%10 == 0 {
				w = junk[rep/10%16]
			}
			lines := sh.H / 4
			imgs := max(1, per/lines)
			if im+imgs > 31 {
				continue
			}
			imgs = min(imgs, 4)
			s := span{0, im, im + imgs, 0, true}
			n := imgs * lines
			if rep%10 == 0 {
				time1("pack", func() { w.pack(0, 1, true) })
				time1("packTb", func() {
					for o := range out {
						kernel.Transpose(w.turnedBack[9*o*in:], in, w.weight[9*o*in:], 9, in, 9)
					}
				})
				time1("packTa", func() { kernel.Transpose(w.turned, out, w.weight, 9*in, out, 9*in) })
				time1("packTk", func() {
					for k := range 9 {
						kernel.Transpose(w.turnedBack[k*in:], 9*in, w.turned[k*out:], 9*out, in, out)
					}
				})
				time1("packPb", func() { packPanels(w.back, w.turnedBack, out, in, 0, out) })
				time1("packPa", func() { packPanels(w.ahead, w.turned, in, out, 0, in) })
				time1("packfwd", func() { w.pack(0, 1, false) })
				time1("gather", func() { w.gather(0, 1) })
			}
			time1("in", func() { w.transformInputs(s, 0, n) })
			time1("mul", func() { w.multiply(n*across, tt.tiles, in, w.ahead, tt.outputs, out) })
			time1("out", func() {
				for r := range n {
					i, row := w.line(s, r)
					kernel.WinogradOutput.Apply(across, out, y.from(y.data, i, row), tiles(y), tt.outputs[r*across*out:], w.plane(out))
				}
			})
			time1("in2", func() { w.transformInputs(s, 0, n) })
			time1("outgrad", func() {
				for r := range n {
					i, row := w.line(s, r)
					kernel.WinogradOutputGradient.Apply(across, out, tt.outputs[r*across*out:], w.plane(out), y.from(y.grad, i, row), kernel.Square{Row: y.row(), Col: out, Tile: 4 * out})
				}
			})
			time1("sumw", func() { w.sumWeights(s, n*across, false, true) })
			time1("mulback", func() { w.multiply(n*across, tt.outputs, out, w.back, tt.tiles, in) })
			time1("fresh", func() {
				for r := range n {
					i, row := w.line(s, r)
					corner := x.grad[i*x.size()+(row+x.border-1)*x.row()+(x.border-1)*x.C:]
					if row == 0 {
						clear(corner[:2*x.row()])
					}
					kernel.WinogradInputGradientFresh(across, in, corner, tiles(x), tt.tiles[r*across*in:], w.plane(in))
				}
			})
			time1("add", func() {
				for r := range n {
					i, row := w.line(s, r)
					corner := x.grad[i*x.size()+(row+x.border-1)*x.row()+(x.border-1)*x.C:]
					kernel.WinogradInputGradient.Apply(across, in, corner, tiles(x), tt.tiles[r*across*in:], w.plane(in))
				}
			})
		}
		imgs := float64(min(4, max(1, per/(sh.H/4))))
		fmt.Println(sh, "block", w.block, "ideal product", fmt.Sprintf("%.1f", float64(sh.H*sh.W)/16*36*float64(in*out)/16/3.24e3), "us")
		for _, k := range names {
			v := tm[k]
			sort.Float64s(v)
			fmt.Printf("  %-8s p2 %.1f  p10 %.1f  med %.1f us an image\n", k, v[len(v)/50]/imgs/1e3, v[len(v)/10]/imgs/1e3, v[len(v)/2]/imgs/1e3)
		}
	}
}
