//go:build !amd64 || purego

package kernel

// The vector loops exist on amd64 only; active.vector is false elsewhere, so
// that none of these is called.
func axpy256(x, y *float32, n int, alpha float32)                                        {}
func ema256(avg, g *float32, n int, beta, rest float32)                                  {}
func sgd256(w, g *float32, n int, lr, decay float32)                                     {}
func momentum256(w, g, v *float32, n int, lr, mu, decay float32)                         {}
func nesterov256(w, g, v *float32, n int, lr, mu, decay float32)                         {}
func relu256(dst, x *float32, n int)                                                     {}
func reluBackward256(dx, dy, y *float32, n int)                                          {}
func sum256(lanes, x *float32, n int)                                                    {}
func copyRows256(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)           {}
func copyRows128(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)           {}
func addRows256(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)            {}
func addRows128(dst *float32, dstLd int, src *float32, srcLd, rows, cols int)            {}
func transpose256(dst *float32, stride int, src *float32, ld, blocks int)                {}
func transposeFew256(dst *float32, stride int, src *float32, ld, blocks, rows int)       {}
func maxPool128(y *float32, arg *int32, top, bottom *float32, n int, index, width int32) {}
func maxPool256(y *float32, arg *int32, top, bottom *float32, n int, index, width int32) {}
