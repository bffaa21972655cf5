package rng

import (
	"math"
	"testing"
)

func TestStreamsDependOnSeedAndNameOnly(t *testing.T) {
	a, b := New(7, "init"), New(7, "init")
	New(7, "swap/0").Uint64() // another stream must not disturb them
	for range 100 {
		if x, y := a.Uint64(), b.Uint64(); x != y {
			t.Fatalf("same seed and name: %d and %d", x, y)
		}
	}
	if New(7, "init").Uint64() == New(8, "init").Uint64() || New(7, "init").Uint64() == New(7, "order").Uint64() {
		t.Error("different seed or name, same first draw")
	}
}

func TestStreamsAreUncorrelated(t *testing.T) {
	const n = 100_000
	a, b := New(1, "order"), New(1, "init")
	var sum float64
	for range n {
		sum += (a.Float64() - 0.5) * (b.Float64() - 0.5)
	}
	// The product of two uniforms on (-1/2, 1/2) has standard deviation 1/12.
	if z := sum / n / (1.0 / 12 / math.Sqrt(n)); math.Abs(z) > 4 {
		t.Errorf("correlation %.1f standard errors from zero", z)
	}
}

func TestStreamResumes(t *testing.T) {
	a := New(3, "order")
	a.IntN(10)
	state, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	want := a.Uint64()
	b := New(0, "")
	if err := b.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	if got := b.Uint64(); got != want {
		t.Errorf("after restoring: %d, want %d", got, want)
	}
}
