package swap

import "testing"

// The mean of 20 losses counts as 1, an average over 50 follows.
func TestUntilLoss(t *testing.T) {
	m, _ := bind(t, "weights:1SS until=0.5L from=3", 1, [2]int{4, 4})
	for it := range 3 { // before from= nothing counts
		m.Observe(it, 1000)
	}
	for it := 3; it < 23; it++ {
		m.Observe(it, float64(1+it%2)) // mean 1.5
	}
	if p := m.Progress(); p.First != 1.5 || p.Seen != 20 || p.Ended {
		t.Fatalf("after 20 losses: %+v", *p)
	}
	// From 1.5 towards 0: ended where 1.5 (1-1/50)^n <= 0.75, at n = 35.
	for n := 1; n <= 40; n++ {
		if proposed, _ := m.Step(22+n, nil); (proposed == 1) != (n <= 35) {
			t.Fatalf("loss %d: %d swaps proposed", n, proposed)
		}
		m.Observe(22+n, 0)
	}
	for it := 63; it < 200; it++ { // it ends for good
		m.Observe(it, 1000)
	}
	if proposed, _ := m.Step(200, nil); proposed != 0 {
		t.Error("it began again")
	}
	m, _ = bind(t, "weights:1SS until=70", 1, [2]int{4, 4})
	if m.Observe(0, 1); m.Progress() != nil {
		t.Error("until=70 has seen a loss")
	}
}
