package glass

import "unsafe"

// inLargePages returns n zeros. What fills half a large page or more begins with one, and ends in one of its
// own, so that no part of it is in small pages. The size of a T must divide that of a page.
func inLargePages[T any](n int) []T {
	const page = 2 << 20
	var zero T
	size := int(unsafe.Sizeof(zero))
	if n*size < page/2 {
		return make([]T, n)
	}
	x := make([]T, ((n*size+page-1)/page+1)*page/size)
	huge(x)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(x)))%page) / size
	return x[skip:][:n:n]
}
