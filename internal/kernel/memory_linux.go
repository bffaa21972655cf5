package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// advise asks for large pages, where the system has them on request: rows of weights
// that lie pages apart, and images that go through all layers, have more small ones
// than the CPU keeps the addresses of. It is advice, and may fail.
func advise(x []float32) {
	const page = 2 << 20
	start := unsafe.Pointer(unsafe.SliceData(x))
	skip := int(-uintptr(start) % page)
	if n := (4*len(x) - skip) / page * page; n > 0 {
		_ = unix.Madvise(unsafe.Slice((*byte)(start), skip+n)[skip:], unix.MADV_HUGEPAGE)
	}
}
