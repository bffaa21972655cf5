//go:build !linux

package glass

func huge[T any]([]T) {}
