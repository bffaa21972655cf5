//go:build !amd64 || purego

package kernel

// The vector loops exist on amd64 only; active.vector is false elsewhere, so
// that none of these is called.
func axpy256(x, y *float32, n int, alpha float32)                             {}
func ema256(avg, g *float32, n int, beta, rest float32)                       {}
func sgd256(w, g *float32, n int, lr, decay float32)                          {}
func averaged256(w, g, m *float32, n int, lr, decay, beta, rest float32)      {}
func momentum256(w, g, v *float32, n int, lr, mu, decay float32)              {}
func nesterov256(w, g, v *float32, n int, lr, mu, decay float32)              {}
func signum256(w, g, m *float32, n int, lr, beta, rest, decay float32)        {}
func sgdSign256(w, g, m *float32, n int, lr, decay, beta, rest, step float32) {}
func momentumSign256(w, g, v *float32, n int, lr, mu, decay, step float32)    {}
func nesterovSign256(w, g, v *float32, n int, lr, mu, decay, step float32)    {}
func adam256(w, g, m, v *float32, n int, coupled, apart, beta1, rest1, beta2, rest2, rate, root, epsilon float32) {
}
func sigmoid256(y, x *float32, n int)                                              {}
func sigmoidBackward256(dx, dy, y *float32, n int)                                 {}
func tanh256(y, x *float32, n int)                                                 {}
func tanhBackward256(dx, dy, y *float32, n int)                                    {}
func relu256(dst, x *float32, n int)                                               {}
func shift256(y *float32, n int, b, low float32)                                   {}
func reluBackward256(dx, dy, y *float32, n int)                                    {}
func sum256(lanes, x *float32, n int)                                              {}
func copyRows256(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)     {}
func copyRows128(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)     {}
func addRows256(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)      {}
func addRows128(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)      {}
func fold256(dst, src *float32, ld, pixels, taps, channels int)                    {}
func list256(found *float32, places *uint16, values *float32, vectors int) (n int) { return 0 }
func interleave256(dst, x, y, z *float32, vectors int)                             {}
func transpose256(dst *float32, stride int, src *float32, ld, blocks int)          {}
func transposeFew256(dst *float32, stride int, src *float32, ld, blocks, rows int) {}
func maxPool256(pixels, vectors, width int, y, top, bottom *float32, tail int)     {}
func maxPoolBackward256(pixels, vectors, width int, dTop, dBottom, dy, y, top, bottom *float32, tail int) {
}
func maxPoolPicked256(pixels, vectors, width int, y *float32, which *uint32, top, bottom, bias *float32, least float32, tail int) {
}

var sumsPicked [][]sumPicked

func round512(dst *uint16, src *float32, vectors int)    {}
func pair512(dst *uint16, src *float32, lead, pairs int) {}
