//go:build !purego

package kernel

import "testing"

// BenchmarkBare is the roof: multiply-adds that load nothing, of vectors of 8 and of 16.
func BenchmarkBare(b *testing.B) {
	const n = 10000
	for _, v := range []struct {
		name  string
		has   bool
		lanes float64
		f     func(n int)
	}{{"avx2", active.vector, 8, bare256}, {"avx512", active.wide, 16, bare512}} {
		b.Run(v.name, func(b *testing.B) {
			if !v.has {
				b.Skip("not with these kernels")
			}
			for b.Loop() {
				v.f(n)
			}
			b.ReportMetric(2*v.lanes*12*n*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
	b.Run("amx", func(b *testing.B) {
		if active.name != "amx" {
			b.Skip("not with these kernels")
		}
		config := configure(16, 32)
		for b.Loop() {
			bareTiles(&config, n)
		}
		b.ReportMetric(2*4*16*16*32*n*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
	})
}
