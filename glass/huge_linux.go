package glass

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// huge asks for large pages, where the system has them on request: random access to
// small ones is slow to translate. It is advice, and may fail.
func huge[T any](x []T) {
	const page = 2 << 20
	size := len(x) * int(unsafe.Sizeof(x[0]))
	start := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	skip := int(-start % page)
	if size -= skip; size < page {
		return
	}
	_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), size+skip)[skip:][:size/page*page], unix.MADV_HUGEPAGE)
}
