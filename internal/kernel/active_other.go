//go:build (!amd64 && !arm64) || purego

package kernel

// available lists the assembly kernels: none here.
func available() []implementation { return nil }

// transform returns no assembly.
func (k *implementation) transform(*Transform, int, *float32, Square, Square) (f transformKernel, lanes, tiles int) {
	return nil, 0, 0
}

func (k *implementation) fresh(int, int) (transformKernel, int) { return nil, 0 }
