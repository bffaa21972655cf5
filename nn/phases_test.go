package nn

import (
	"fmt"
	"testing"
)

// The windows of all phases are the taps by which outputs reach inputs, each once, and inputs in gaps are in none.
func TestPhases(t *testing.T) {
	for kernel := 1; kernel <= 5; kernel++ {
		for stride := 1; stride <= 4; stride++ {
			for pad := range 4 {
				for length := max(1, kernel-2*pad); length <= 9; length++ {
					outputs := (length+2*pad-kernel)/stride + 1
					t.Run(fmt.Sprint(kernel, stride, pad, length), func(t *testing.T) {
						type reach struct{ output, tap, input int }
						want := map[reach]bool{}
						for y := range outputs {
							for k := range kernel {
								if x := stride*y + k - pad; x >= 0 && x < length {
									want[reach{y, k, x}] = true
								}
							}
						}
						c := &conv{x: &field{Shape: Shape{1, length, 1}}, y: &field{Shape: Shape{1, outputs, 1}}, kernel: kernel, stride: stride, pad: pad}
						p := newPhases(c)
						inputs := map[int]bool{}
						taps := 0
						for _, d := range p.down {
							taps += d.taps
							for i := range d.count {
								x := d.first + i*stride
								if x >= length || inputs[x] {
									t.Fatalf("input %d of %d, or twice", x, length)
								}
								inputs[x] = true
								for j := range d.taps {
									y := d.from + i + j
									if y < -p.edge || y >= outputs+p.edge {
										t.Fatalf("output %d of %d lies beyond %d zeros", y, outputs, p.edge)
									}
									r := reach{y, d.start + (d.taps-1-j)*stride, x}
									if want[r] != (y >= 0 && y < outputs) {
										t.Fatalf("%+v is wrong", r)
									}
									delete(want, r)
								}
							}
						}
						if len(want) > 0 {
							t.Fatalf("left out: %v", want)
						}
						if len(inputs) < length && !p.gaps {
							t.Errorf("%d of %d inputs are in a phase, and there are no gaps", len(inputs), length)
						}
						if taps > kernel {
							t.Errorf("%d taps of %d", taps, kernel)
						}
					})
				}
			}
		}
	}
}
