//go:build !purego

package kernel

import "testing"

// BenchmarkBare is the roof of AVX2: multiply-adds that load nothing.
func BenchmarkBare(b *testing.B) {
	if !active.vector {
		b.Skip("no AVX2")
	}
	const n = 10000
	for b.Loop() {
		bare256(n)
	}
	b.ReportMetric(2*8*12*n*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}
