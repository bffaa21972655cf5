package kernel

import "unsafe"

// Prefetch brings six numbers and what is beside them near to the processor. It has no effect but on time.
func Prefetch(at0, at1, at2, at3, at4, at5 *int32) {
	if active.pairs.prefetch != nil {
		active.pairs.prefetch(at0, at1, at2, at3, at4, at5)
	}
}

// PrefetchEach does the same for the entries of x that a list names.
func PrefetchEach[T any](x []T, list []int32) {
	if active.pairs.prefetchEach != nil && len(list) > 0 {
		active.pairs.prefetchEach((*byte)(unsafe.Pointer(&x[0])), int(unsafe.Sizeof(x[0])), &list[0], len(list))
	}
}
