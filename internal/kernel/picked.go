package kernel

import "math"

// A convolution with a pooling over 2 x 2 of its outputs behind it. Of four outputs one has
// a gradient; so the sums of the way back have a quarter of the terms, if each is looked up where
// the largest was: in one of four places, 0 and 1 in the upper line, 2 and 3 in the lower.

// PickingPays tells whether SumPicked is faster than a product with four times the terms: not where
// products alone have assembly. Plain Go, the truth of the tests, keeps to the layers as they are.
func PickingPays() bool { return active.vector }

// MaxPoolPicked sets the pixels of y to the maxima over 2 x 2 pixels on the lines top and bottom plus the bias of
// their channel, rectified if asked, and which to the place of each maximum: the first, or a NaN. Of
// bias there are Padded(channels), and behind the places of the line, in which, there is room for 8 more, which may be
// written.
func MaxPoolPicked(y []float32, which []uint32, top, bottom []float32, pixels, channels int, bias []float32, relu bool) {
	if pixels <= 0 {
		return
	}
	n := 2 * pixels * channels
	y, top, bottom, bias = y[:n/2], top[:n], bottom[:n], bias[:Padded(channels)]
	_ = which[:n/2+8]
	least := float32(math.Inf(-1))
	if relu {
		least = 0
	}
	if active.vector && channels >= 4 && (channels%8 == 0 || cap(top) >= n+8 && cap(bottom) >= n+8) {
		maxPoolPicked256(pixels, (channels+7)/8, channels, &y[0], &which[0], &top[0], &bottom[0], &bias[0], least, (channels-1)%8+1)
		return
	}
	for p := range pixels {
		for c := range channels {
			i := 2*p*channels + c
			best, place := top[i]+bias[c], uint32(0)
			for k, v := range [3]float32{top[i+channels], bottom[i], bottom[i+channels]} {
				if v += bias[c]; v > best || v != v {
					best, place = v, uint32(k+1)
				}
			}
			if best < least {
				best = least
			}
			y[p*channels+c], which[p*channels+c] = best, place
		}
	}
}

// Picks are weights of pieces and the places of these: entry i of line l of either is l*Line + i*Stride from the first.
type Picks struct {
	Lines, N     int
	Line, Stride int
	Weights      []float32
	Which        []uint32
	Places       []int // how far from where a piece would be it is in each of the four
}

// Pieces say where the pieces of a sum lie: i of line l begins at l*Line + i*Step, shifted to its place, and has so many
// Segments, Skip apart, of Length entries.
type Pieces struct{ Line, Step, Segments, Length, Skip int }

// SumPicked sets the segments of a sum, ld apart in dst, to the sum of pieces of src, each times its weight, or adds that to them;
// where apart is not 0, each line of pieces has a sum of its own, so far behind that of the line before.
// Whole vectors of 8 are read and written: behind Length there may be anything in both.
func SumPicked(dst []float32, apart, ld int, p Picks, src []float32, w Pieces, accumulate bool) {
	if p.N <= 0 || p.Lines <= 0 || w.Segments <= 0 || w.Length <= 0 {
		return
	}
	last := (p.Lines-1)*p.Line + (p.N-1)*p.Stride
	_, _ = p.Weights[last], p.Which[last]
	farthest, vectors := max(p.Places[0], p.Places[1], p.Places[2], p.Places[3]), (w.Length+7)/8
	_ = src[(p.Lines-1)*w.Line+(p.N-1)*w.Step+farthest+(w.Segments-1)*w.Skip+8*vectors-1]
	_ = dst[(p.Lines-1)*apart+(w.Segments-1)*ld+8*vectors-1]
	if active.vector {
		for v := 0; v < vectors; {
			wide := even(vectors-v, len(sumsPicked)-1)
			kernels := sumsPicked[wide]
			for s := 0; s < w.Segments; {
				high := even(w.Segments-s, len(kernels)-1)
				kernels[high](p.Lines, p.N, p.Stride, p.Line, &p.Weights[0], &p.Which[0], &p.Places[0], &src[s*w.Skip+8*v], w.Step, w.Line, w.Skip, &dst[s*ld+8*v], apart, ld, accumulate)
				s += high
			}
			v += wide
		}
		return
	}
	for s := range w.Segments {
		for j := 0; j < w.Length; j += 16 {
			n := min(16, w.Length-j)
			var sum [16]float32
			for l := range p.Lines {
				for i := range p.N {
					at := l*p.Line + i*p.Stride
					g, from := p.Weights[at], l*w.Line+i*w.Step+p.Places[p.Which[at]]+s*w.Skip+j
					for k, v := range src[from : from+n] {
						sum[k] += float32(g * v)
					}
				}
				if apart == 0 && l < p.Lines-1 {
					continue
				}
				to := dst[l*apart+s*ld+j:][:n]
				for k := range to {
					if accumulate {
						sum[k] += to[k]
					}
					to[k], sum[k] = sum[k], 0
				}
			}
		}
	}
}

type sumPicked = func(lines, n, stride, line int, weights *float32, which *uint32, places *int, src *float32, step, srcLine, skip int, dst *float32, dstLine, ld int, accumulate bool)
