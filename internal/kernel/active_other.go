//go:build (!amd64 && !arm64) || purego

package kernel

// available lists the assembly kernels: none here.
func available() []implementation { return nil }

// transform returns no assembly.
func (k *implementation) transform(*Transform, int) (f transformKernel, lanes int) { return nil, 0 }
