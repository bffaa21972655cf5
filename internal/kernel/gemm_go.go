package kernel

import "unsafe"

// goTile is the plain Go micro-kernel: the fallback, and the truth in tests.
var goTile = tile{mr: 4, nr: 4, narrow: 4}

func init() {
	for rows := 1; rows <= goTile.mr; rows++ {
		goTile.kernel[rows] = func(k int, a, b *float32, ldb int, c *float32, ldc int, accumulate bool) {
			goMicro(rows, unsafe.Slice(a, k*rows), unsafe.Slice(b, (k-1)*ldb+4), ldb, unsafe.Slice(c, (rows-1)*ldc+4), ldc, accumulate)
		}
	}
	goTile.narrowKernel = goTile.kernel
}

// goMicro keeps the sums of one row at a time in registers; with more, the
// compiler spills them and it runs at half the speed. The conversions forbid
// fusing product and sum, so that all machines agree.
func goMicro(rows int, a, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	for i := range rows {
		var s0, s1, s2, s3 float32
		for p, q := i, 0; p < len(a); p, q = p+rows, q+ldb {
			x, y := a[p], b[q:q+4:q+4]
			s0 += float32(x * y[0])
			s1 += float32(x * y[1])
			s2 += float32(x * y[2])
			s3 += float32(x * y[3])
		}
		row := c[i*ldc:][:4]
		if accumulate {
			s0, s1, s2, s3 = row[0]+s0, row[1]+s1, row[2]+s2, row[3]+s3
		}
		row[0], row[1], row[2], row[3] = s0, s1, s2, s3
	}
}
