//go:build !amd64 || purego

package kernel

// The vector loops exist on amd64 only; active.vector is false elsewhere, so
// that none of these is called.
func axpy256(x, y *float32, n int, alpha float32)                {}
func ema256(avg, g *float32, n int, beta, rest float32)          {}
func sgd256(w, g *float32, n int, lr, decay float32)             {}
func momentum256(w, g, v *float32, n int, lr, mu, decay float32) {}
func nesterov256(w, g, v *float32, n int, lr, mu, decay float32) {}
func relu256(dst, x *float32, n int)                             {}
func reluBackward256(dx, dy, y *float32, n int)                  {}
