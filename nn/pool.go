package nn

import "swapmc/internal/kernel"

// maxPool is the maximum over windows of k x k pixels that do not overlap.
type maxPool struct {
	x, y *field
	k    int
}

func (m *maxPool) forward(s span) {
	x, y := m.x, m.y
	for i := s.lo; i < s.hi; i++ {
		for row := range y.H {
			to := y.line(y.data, i, row)
			if m.k == 2 {
				kernel.MaxPool(to, x.from(x.data, i, 2*row), x.from(x.data, i, 2*row+1), y.W, y.C)
				continue
			}
			for p := range y.W {
				for c := range y.C {
					to[p*y.C+c] = x.from(x.data, i, 0)[m.largest(i, row, p, c)]
				}
			}
		}
	}
}

// largest returns where in an image the maximum of a window is, counted from its first
// pixel: the first one, or a NaN.
func (m *maxPool) largest(image, row, pixel, channel int) int {
	x := m.x
	data := x.from(x.data, image, 0)
	best := row*m.k*x.row() + pixel*m.k*x.C + channel
	for ky := range m.k {
		for kx := range m.k {
			at := (row*m.k+ky)*x.row() + (pixel*m.k+kx)*x.C + channel
			if v := data[at]; v > data[best] || v != v {
				best = at
			}
		}
	}
	return best
}

func (m *maxPool) backward(s span) {
	x, y := m.x, m.y
	for i := s.lo; i < s.hi; i++ {
		if m.k != 2 || 2*y.H != x.H || 2*y.W != x.W {
			clear(x.whole(x.grad, i)) // pixels outside of all windows
		}
		for row := range y.H {
			dy := y.line(y.grad, i, row)
			if m.k == 2 {
				kernel.MaxPoolBackward(x.from(x.grad, i, 2*row), x.from(x.grad, i, 2*row+1), dy, y.line(y.data, i, row), x.from(x.data, i, 2*row), x.from(x.data, i, 2*row+1), y.W, y.C)
				continue
			}
			for p := range y.W {
				for c := range y.C {
					x.from(x.grad, i, 0)[m.largest(i, row, p, c)] = dy[p*y.C+c]
				}
			}
		}
	}
}

// avgPool is the mean over each channel.
type avgPool struct{ x, y *field }

func (a *avgPool) forward(s span) {
	x, n := a.x, float32(a.x.plane())
	for i := s.lo; i < s.hi; i++ {
		y := a.y.line(a.y.data, i, 0)
		clear(y)
		for row := range x.H {
			kernel.AddRows(y, 0, x.line(x.data, i, row), x.C, x.W, x.C)
		}
		for c := range y {
			y[c] /= n
		}
	}
}

func (a *avgPool) backward(s span) {
	x, n := a.x, float32(a.x.plane())
	for i := s.lo; i < s.hi; i++ {
		dy := a.y.line(a.y.grad, i, 0)
		for c := range dy {
			dy[c] /= n
		}
		for row := range x.H {
			kernel.CopyRows(x.line(x.grad, i, row), x.C, dy, 0, x.W, x.C)
		}
	}
}
