package nn

import "swapmc/internal/kernel"

// input turns the images of a batch, which come channel after channel, into a field.
type input struct {
	*engine
	y *field
}

func (l *input) forward(s span) {
	y, plane := l.y, l.y.plane()
	for i := s.lo; i < s.hi; i++ {
		image := l.image[i*y.Len():][:y.Len()]
		for row := range y.H {
			line := y.line(y.data, i, row)
			if y.C >= 8 {
				kernel.Transpose(line, y.C, image[row*y.W:], plane, y.C, y.W)
				continue
			}
			if y.C == 3 {
				kernel.Interleave(line, image[row*y.W:][:y.W], image[plane+row*y.W:], image[2*plane+row*y.W:])
				continue
			}
			for c := range y.C {
				to := line[c:]
				for x, v := range image[c*plane+row*y.W:][:y.W] {
					to[x*y.C] = v
				}
			}
		}
	}
}

func (l *input) backward(span) {}

// flatten makes units of the pixels, in PyTorch's order: channel after channel.
type flatten struct{ x, y *field }

func (l *flatten) forward(s span) {
	x, plane := l.x, l.x.plane()
	for i := s.lo; i < s.hi; i++ {
		to := l.y.whole(l.y.data, i)
		if x.border == 0 {
			kernel.Transpose(to, plane, x.whole(x.data, i), x.C, plane, x.C)
			continue
		}
		for row := range x.H {
			kernel.Transpose(to[row*x.W:], plane, x.line(x.data, i, row), x.C, x.W, x.C)
		}
	}
}

func (l *flatten) backward(s span) {
	x, plane := l.x, l.x.plane()
	for i := s.lo; i < s.hi; i++ {
		from := l.y.whole(l.y.grad, i)
		if x.border == 0 {
			kernel.Transpose(x.whole(x.grad, i), x.C, from, plane, x.C, plane)
			continue
		}
		for row := range x.H {
			kernel.Transpose(x.line(x.grad, i, row), x.C, from[row*x.W:], plane, x.C, x.W)
		}
	}
}
