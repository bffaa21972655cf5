package kernel

import "unsafe"

// goTile is the plain Go micro-kernel: the fallback, and the truth in tests.
var goTile = tile{mr: 2, nr: 4, narrow: 4}

func init() {
	goTile.kernel[1] = goRow
	goTile.kernel[2] = goPair
	goTile.narrowKernel = goTile.kernel
}

// The conversions forbid fusing product and sum, so that all machines agree.

// goPair keeps the sums of two rows of four in registers.
func goPair(k int, pa, pb *float32, ldb int, pc *float32, ldc int, accumulate bool) {
	a, b, c := unsafe.Slice(pa, 2*k), unsafe.Slice(pb, (k-1)*ldb+4), unsafe.Slice(pc, ldc+4)
	var s0, s1, s2, s3, t0, t1, t2, t3 float32
	for q := 0; len(a) >= 2; q += ldb {
		x, y, z := a[0], a[1], b[q:q+4:q+4]
		s0 += float32(x * z[0])
		t0 += float32(y * z[0])
		s1 += float32(x * z[1])
		t1 += float32(y * z[1])
		s2 += float32(x * z[2])
		t2 += float32(y * z[2])
		s3 += float32(x * z[3])
		t3 += float32(y * z[3])
		a = a[2:]
	}
	store4(c, s0, s1, s2, s3, accumulate)
	store4(c[ldc:], t0, t1, t2, t3, accumulate)
}

// goRow is goPair for one row.
func goRow(k int, pa, pb *float32, ldb int, pc *float32, _ int, accumulate bool) {
	b := unsafe.Slice(pb, (k-1)*ldb+4)
	var s0, s1, s2, s3 float32
	for p, x := range unsafe.Slice(pa, k) {
		z := b[p*ldb:][:4]
		s0 += float32(x * z[0])
		s1 += float32(x * z[1])
		s2 += float32(x * z[2])
		s3 += float32(x * z[3])
	}
	store4(unsafe.Slice(pc, 4), s0, s1, s2, s3, accumulate)
}

func store4(c []float32, s0, s1, s2, s3 float32, accumulate bool) {
	c = c[:4]
	if accumulate {
		s0, s1, s2, s3 = c[0]+s0, c[1]+s1, c[2]+s2, c[3]+s3
	}
	c[0], c[1], c[2], c[3] = s0, s1, s2, s3
}
