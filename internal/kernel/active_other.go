//go:build !amd64 || purego

package kernel

// available lists the assembly kernels: none here.
func available() []implementation { return nil }
