package main

import (
	"math"
	"testing"
)

// The differences 1, 2 and 3 have mean 2 and standard error 1/sqrt 3: t is 2 sqrt 3 at two degrees of freedom, where the
// distribution is 1/2 + t/(2 sqrt(2 + t^2)).
func TestPaired(t *testing.T) {
	mean, half, p := paired([]float64{1, 2, 3})
	at := 2 * math.Sqrt(3)
	if want := 1 - at/math.Sqrt(2+at*at); mean != 2 || math.Abs(p-want) > 1e-9 {
		t.Errorf("mean %v, p %v: want 2, %v", mean, p, want)
	}
	at = half * math.Sqrt(3)
	if inside := at / math.Sqrt(2+at*at); math.Abs(inside-0.95) > 1e-9 {
		t.Errorf("within %v of the mean lie %v of the probability: want 0.95", half, inside)
	}
}
