package kernel

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// advise asks for large pages, where the system has them on request: rows of weights
// that lie pages apart, and images that go through all layers, have more small ones
// than the CPU keeps the addresses of. It asks for all large pages that hold a part of x, since fields that
// are made one after the other are neighbours, and share them. It is advice, and may fail.
func advise(x []float32) {
	const page = 2 << 20
	size := uintptr(4 * len(x))
	if size < page/4 {
		return
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	end := (start + size + page - 1) &^ (page - 1)
	start &^= page - 1
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_HUGEPAGE)
	runtime.KeepAlive(x)
}
