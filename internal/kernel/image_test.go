package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var windows = []Window{
	{C: 1, H: 1, W: 1, K: 1, Stride: 1},
	{C: 3, H: 32, W: 32, K: 5, Stride: 1},
	{C: 6, H: 14, W: 14, K: 5, Stride: 1},
	{C: 2, H: 32, W: 32, K: 3, Stride: 1, Pad: 1},
	{C: 2, H: 8, W: 8, K: 3, Stride: 1, Pad: 1},
	{C: 2, H: 16, W: 16, K: 3, Stride: 2, Pad: 1},
	{C: 3, H: 9, W: 8, K: 1, Stride: 2},
	{C: 2, H: 5, W: 7, K: 3, Stride: 1, Pad: 2},
	{C: 1, H: 3, W: 2, K: 3, Stride: 1, Pad: 1},
	{C: 1, H: 2, W: 2, K: 5, Stride: 1, Pad: 3}, // whole rows of offsets outside
	{C: 2, H: 11, W: 13, K: 4, Stride: 3, Pad: 2},
	{C: 1, H: 4, W: 21, K: 2, Stride: 1},
	{C: 1, H: 7, W: 6, K: 3, Stride: 1},
}

func (w Window) String() string {
	return fmt.Sprintf("%dx%dx%d by %d stride %d pad %d", w.C, w.H, w.W, w.K, w.Stride, w.Pad)
}

// at is the image's entry, or zero outside: the definition of padding.
func (w Window) at(image []float32, c, y, x int) float32 {
	if y < 0 || y >= w.H || x < 0 || x >= w.W {
		return 0
	}
	return image[(c*w.H+y)*w.W+x]
}

func TestIm2col(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 1))
		for _, w := range windows {
			oh, ow := w.Out()
			image := random(r, w.C*w.H*w.W)
			cols, alive := guarded(t, r, w.C*w.K*w.K*oh*ow)
			Im2col(cols, image[:len(image):len(image)], w)
			alive()
			i := 0
			for c := range w.C {
				for ky := range w.K {
					for kx := range w.K {
						for y := range oh {
							for x := range ow {
								want := w.at(image, c, y*w.Stride+ky-w.Pad, x*w.Stride+kx-w.Pad)
								if cols[i] != want {
									t.Fatalf("%v: channel %d, offset %d %d, position %d %d: %v, want %v", w, c, ky, kx, y, x, cols[i], want)
								}
								i++
							}
						}
					}
				}
			}
		}
	})
}

// Col2im is the transpose: (Im2col x) . y = x . (Col2im y), entry by entry of x.
func TestCol2im(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 1))
		for _, w := range windows {
			oh, ow := w.Out()
			y := random(r, w.C*w.K*w.K*oh*ow)
			image, alive := guarded(t, r, w.C*w.H*w.W)
			Col2im(image, y[:len(y):len(y)], w)
			alive()
			unit, cols := make([]float32, len(image)), make([]float32, len(y))
			for i := range image {
				if len(image) > 300 && r.IntN(40) > 0 {
					continue
				}
				clear(unit)
				unit[i] = 1
				Im2col(cols, unit, w)
				want := 0.0
				for p, v := range cols {
					want += float64(v) * float64(y[p])
				}
				if math.Abs(float64(image[i])-want) > 1e-5 {
					t.Fatalf("%v: entry %d: %v, want %v", w, i, image[i], want)
				}
			}
		}
	})
}

func TestMaxPool(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 1))
		nan := float32(math.NaN())
		for _, w := range []Window{
			{C: 6, H: 28, W: 28, K: 2, Stride: 2},
			{C: 16, H: 10, W: 10, K: 2, Stride: 2},
			{C: 2, H: 32, W: 32, K: 2, Stride: 2},
			{C: 3, H: 7, W: 35, K: 2, Stride: 2}, // a line and a column left over
			{C: 1, H: 2, W: 2, K: 2, Stride: 2},
			{C: 2, H: 2, W: 8, K: 2, Stride: 2},
			{C: 2, H: 4, W: 16, K: 2, Stride: 2},
			{C: 2, H: 2, W: 6, K: 2, Stride: 2},
			{C: 2, H: 9, W: 13, K: 3, Stride: 3},
			{C: 2, H: 5, W: 4, K: 1, Stride: 1},
		} {
			oh, ow := w.Out()
			image := random(r, w.C*w.H*w.W)
			for i := range image {
				switch r.IntN(8) {
				case 0:
					image[i] = nan
				case 1:
					image[i] = float32(math.Inf(-1))
				case 2:
					image[i] = 0 // ties
				}
			}
			y, alive := guarded(t, r, w.C*oh*ow)
			arg := make([]int32, len(y))
			MaxPool(y, arg, image[:len(image):len(image)], w)
			alive()
			dImage, dy := random(r, len(image)), random(r, len(y))
			MaxPoolBackward(dImage, dy, arg)
			sent := make([]float32, len(image))
			for i := range y {
				c, oy, ox := i/(oh*ow), i/ow%oh, i%ow
				first, largest, broken := -1, math.Inf(-1), false
				for ky := range w.K {
					for kx := range w.K {
						p := (c*w.H+oy*w.K+ky)*w.W + ox*w.K + kx
						v := float64(image[p])
						broken = broken || v != v
						if first < 0 || v > largest {
							first, largest = p, v
						}
					}
				}
				switch {
				case broken:
					if y[i] == y[i] || image[arg[i]] == image[arg[i]] {
						t.Fatalf("%v: position %d: %v at %d, want a NaN of its window", w, i, y[i], arg[i])
					}
				case float64(y[i]) != largest || int(arg[i]) != first:
					t.Fatalf("%v: position %d: %v at %d, want %v at %d", w, i, y[i], arg[i], largest, first)
				}
				p := int(arg[i])
				if p/(w.H*w.W) != c || p/w.W%w.H/w.K != oy || p%w.W/w.K != ox {
					t.Fatalf("%v: position %d: index %d lies outside its window", w, i, p)
				}
				sent[arg[i]] += dy[i]
			}
			if !slices.Equal(sent, dImage) {
				t.Fatalf("%v: gradient does not go where the maximum was", w)
			}
		}
	})
}

func BenchmarkImage(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range []struct {
		name string
		w    Window
	}{
		{"lenet/conv1", Window{C: 3, H: 32, W: 32, K: 5, Stride: 1}},
		{"lenet/conv2", Window{C: 6, H: 14, W: 14, K: 5, Stride: 1}},
		{"cnn/conv2", Window{C: 32, H: 32, W: 32, K: 3, Stride: 1, Pad: 1}},
		{"resnet20/last", Window{C: 64, H: 8, W: 8, K: 3, Stride: 1, Pad: 1}},
		{"resnet20/down", Window{C: 16, H: 32, W: 32, K: 3, Stride: 2, Pad: 1}},
	} {
		oh, ow := s.w.Out()
		image, cols := random(r, s.w.C*s.w.H*s.w.W), make([]float32, s.w.C*s.w.K*s.w.K*oh*ow)
		b.Run("Im2col/"+s.name, func(b *testing.B) {
			b.SetBytes(4 * int64(len(cols)))
			for b.Loop() {
				Im2col(cols, image, s.w)
			}
		})
		b.Run("Col2im/"+s.name, func(b *testing.B) {
			b.SetBytes(4 * int64(len(cols)))
			for b.Loop() {
				Col2im(image, cols, s.w)
			}
		})
	}
	for _, s := range []struct {
		name string
		w    Window
	}{
		{"lenet/1", Window{C: 6, H: 28, W: 28, K: 2, Stride: 2}},
		{"lenet/2", Window{C: 16, H: 10, W: 10, K: 2, Stride: 2}},
		{"cnn/1", Window{C: 32, H: 32, W: 32, K: 2, Stride: 2}},
	} {
		oh, ow := s.w.Out()
		image, y, arg := random(r, s.w.C*s.w.H*s.w.W), make([]float32, s.w.C*oh*ow), make([]int32, s.w.C*oh*ow)
		b.Run("MaxPool/"+s.name, func(b *testing.B) {
			b.SetBytes(4 * int64(len(image)))
			for b.Loop() {
				MaxPool(y, arg, image, s.w)
			}
		})
		b.Run("MaxPoolBackward/"+s.name, func(b *testing.B) {
			b.SetBytes(4 * int64(len(image)))
			for b.Loop() {
				MaxPoolBackward(image, y, arg)
			}
		})
	}
}
