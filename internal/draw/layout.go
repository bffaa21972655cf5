package draw

import (
	"fmt"
	"math"

	"swapmc/swap"
)

// A layout says where the cells of one panel lie. Lengths are in points, from
// the panel's upper left corner.
type layout struct {
	width, height float64
	grids         []grid
	discs         []disc
	spins         []spin
	wires         [][4]float64
	labels        []label
}

// A grid is a matrix of square cells.
type grid struct {
	x, y, side float64
	rows, cols int
	first      int // number of the first cell; the others follow by rows
}

// A disc is a round cell. With scaled its radius is that of the largest content.
type disc struct {
	cell   int
	x, y   float64
	r      float64
	scaled bool
}

// A spin is an arrow about its middle; length is that of the longest content.
type spin struct {
	cell          int
	x, y          float64
	angle, length float64
}

// A label is text centred at x, with its baseline at y.
type label struct {
	x, y  float64
	text  string
	quiet bool
}

const (
	fontSize = 8.0
	leading  = 10.0
)

// arrange lays out a panel of the given width, with or without the names of
// blocks and axes.
func (p *Picture) arrange(width float64, labels bool) layout {
	l := layout{width: width}
	switch p.protocol.Target {
	case swap.Features:
		l.images(p.blocks, labels)
	case swap.Weights:
		l.matrices(p.blocks, labels)
	case swap.Biases:
		l.columns(p.blocks, labels)
	case swap.Params:
		l.strips(p.blocks, labels)
	default:
		l.lattice(p.blocks[0], p.protocol.Target == swap.Lengths)
	}
	return l
}

func (l *layout) add(x, y float64, quiet bool, format string, args ...any) {
	l.labels = append(l.labels, label{x, y, fmt.Sprintf(format, args...), quiet})
}

// images draws each image as its channels, one behind the other.
func (l *layout) images(blocks []block, labels bool) {
	const shift, apart, gap = 0.5, 0.5, 1.6 // in pixels
	left := 0.0
	if labels {
		left = 13
	}
	n := float64(len(blocks))
	u := (l.width - left) / (n*(pixels+2*shift) + (n-1)*gap)
	for i, b := range blocks {
		x := left + float64(i)*(pixels+2*shift+gap)*u
		for c := range channels {
			y := float64(c) * (pixels + apart) * u
			l.grids = append(l.grids, grid{x + float64(c)*shift*u, y, u, pixels, pixels, b.cell(c, 0)})
			if labels && i == 0 {
				l.add(4+float64(c)*shift*u/2, y+pixels*u/2+3, true, "%c", "RGB"[c])
			}
		}
		if labels {
			l.add(x+(pixels+2*shift)*u/2, (channels*(pixels+apart)-apart)*u+leading+2, false, "%s", b.name)
		}
	}
	l.height = (channels*(pixels+apart) - apart) * u
	if labels {
		l.height += leading + 4
	}
}

// matrices draws each layer as a matrix.
func (l *layout) matrices(blocks []block, labels bool) {
	const gap = 1.3
	cols, rows := 0, 0
	for _, b := range blocks {
		cols += b.cols
		rows = max(rows, b.rows)
	}
	u := l.width / (float64(cols) + gap*float64(len(blocks)-1))
	x := 0.0
	for _, b := range blocks {
		l.grids = append(l.grids, grid{x, 0, u, b.rows, b.cols, b.first})
		if labels {
			middle := x + float64(b.cols)*u/2
			l.add(middle, float64(rows)*u+leading+2, false, "%s", b.name)
			l.add(middle, float64(rows)*u+2*leading+2, true, "%d × %d", b.rows, b.cols)
		}
		x += (float64(b.cols) + gap) * u
	}
	l.height = float64(rows) * u
	if labels {
		l.height += 2*leading + 4
	}
}

// columns draws each layer as its units, joined by faint wires.
func (l *layout) columns(blocks []block, labels bool) {
	most := 0
	for _, b := range blocks {
		most = max(most, b.cols)
	}
	pitch := l.width / float64(len(blocks)) * 0.36
	r := pitch * 0.38
	place := func(i, k int) (x, y float64) {
		return l.width * (float64(i) + 0.5) / float64(len(blocks)), pitch * (float64(k) + 0.5)
	}
	for i, b := range blocks {
		for k := range b.cols {
			x, y := place(i, k)
			l.discs = append(l.discs, disc{cell: b.first + k, x: x, y: y, r: r})
			if i+1 < len(blocks) {
				for j := range blocks[i+1].cols {
					x2, y2 := place(i+1, j)
					l.wires = append(l.wires, [4]float64{x, y, x2, y2})
				}
			}
		}
		if labels {
			x, _ := place(i, 0)
			l.add(x, float64(most)*pitch+leading, false, "%s", b.name)
		}
	}
	l.height = float64(most) * pitch
	if labels {
		l.height += leading + 2
	}
}

// strips draws each layer as a row: squares are weights, discs biases.
func (l *layout) strips(blocks []block, labels bool) {
	const gap = 0.4
	left := 0.0
	if labels {
		left = 34
	}
	most := 0
	for _, b := range blocks {
		most = max(most, b.cols)
	}
	u := (l.width - left) / (float64(most) + gap)
	pitch := 1.9 * u
	y := 0.0
	if labels {
		y = leading + 4
	}
	for i, b := range blocks {
		weights := b.cols - biasesOf[i]
		l.grids = append(l.grids, grid{left, y, u, 1, weights, b.first})
		for k := weights; k < b.cols; k++ {
			l.discs = append(l.discs, disc{cell: b.first + k, x: left + (float64(k)+gap+0.5)*u, y: y + u/2, r: 0.44 * u})
		}
		if labels {
			l.add(14, y+u/2+3, false, "%s", b.name)
			if b.cols == most && i == 1 {
				l.add(left+float64(weights)*u/2, leading-2, true, "weights")
				l.add(left+(float64(weights)+gap+float64(biasesOf[i])/2)*u, leading-2, true, "biases")
			}
		}
		y += pitch
	}
	l.height = y - pitch + u
}

// lattice draws particles as discs, or spins as arrows.
func (l *layout) lattice(b block, spins bool) {
	pitch := l.width / (particleCols + 0.1)
	for k := range b.cols {
		x := (float64(k%particleCols) + 0.55) * pitch
		y := (float64(k/particleCols) + 0.5) * pitch
		if spins {
			l.spins = append(l.spins, spin{b.first + k, x, y, math.Pi * jitter[k][0], pitch * 0.92})
			continue
		}
		j := 0.06 * pitch
		l.discs = append(l.discs, disc{b.first + k, x + j*jitter[k][0], y + j*jitter[k][1], 0.43 * pitch, true})
	}
	l.height = particleRows * pitch
}
