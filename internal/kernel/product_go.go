package kernel

import "unsafe"

// goWidth makes the plain Go micro-kernels: the fallback, and the truth in tests. They
// keep the sums of one row at a time in registers; with more, the compiler spills
// them and they run at half the speed.
func goWidth() width {
	w := width{cols: 4, lanes: 4, rows: 4}
	for rows := 1; rows <= w.rows; rows++ {
		w.rowwise[rows] = func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, _ *float32, _ int) {
			m := rows * blocks
			for k := range products {
				as := unsafe.Slice(behind(a, k*nextA), (m-1)*lda+(segments-1)*sa+length)
				bs := unsafe.Slice(behind(b, k*nextB), (segments*length-1)*ldb+4)
				cs := unsafe.Slice(behind(c, k*nextC), (m-1)*ldc+tail)
				for i := range m {
					var sum [4]float32
					for s := range segments {
						sum = mulAdd(sum, as[i*lda+s*sa:][:length], 1, bs[s*length*ldb:], ldb, length)
					}
					put(cs[i*ldc:][:tail], sum, accumulate)
				}
			}
		}
		w.columnwise[rows] = func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, sb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, _ *float32, _ int) {
			m := rows * blocks
			for k := range products {
				as := unsafe.Slice(behind(a, k*nextA), (segments-1)*sa+(length-1)*lda+m)
				bs := unsafe.Slice(behind(b, k*nextB), (segments-1)*sb+(length-1)*ldb+tail)
				cs := unsafe.Slice(behind(c, k*nextC), (m-1)*ldc+tail)
				for i := range m {
					var sum [4]float32
					for s := range segments {
						if x, y := as[s*sa+i:], bs[s*sb:]; tail == 4 {
							sum = mulAdd(sum, x, lda, y, ldb, length)
						} else {
							for p := range length {
								for j := range tail {
									sum[j] += float32(x[p*lda] * y[p*ldb+j])
								}
							}
						}
					}
					put(cs[i*ldc:][:tail], sum, accumulate)
				}
			}
		}
	}
	return w
}

// behind returns the address of the entry n places behind p.
func behind(p *float32, n int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*n))
}

// mulAdd adds to four sums the products of n entries of a, step apart, with rows of
// b, ldb apart. The conversions forbid fusing product and sum, so that all machines
// agree.
func mulAdd(sum [4]float32, a []float32, step int, b []float32, ldb, n int) [4]float32 {
	s0, s1, s2, s3 := sum[0], sum[1], sum[2], sum[3]
	for p, i, j := 0, 0, 0; p < n; p, i, j = p+1, i+step, j+ldb {
		x, y := a[i], b[j:j+4:j+4]
		s0 += float32(x * y[0])
		s1 += float32(x * y[1])
		s2 += float32(x * y[2])
		s3 += float32(x * y[3])
	}
	return [4]float32{s0, s1, s2, s3}
}

func put(c []float32, sum [4]float32, accumulate bool) {
	for j := range c {
		if accumulate {
			c[j] += sum[j]
		} else {
			c[j] = sum[j]
		}
	}
}
