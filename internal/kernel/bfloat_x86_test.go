//go:build amd64 && !purego

package kernel

import "testing"

// In pairs the same blocks begin at the same places, but for the last of an odd number.
func TestBlocksInPairs(t *testing.T) {
	for lines := 1; lines <= 7; lines++ {
		for n := 1; n <= 3; n++ {
			b := Blocks{Lines: lines, N: n, Rows: 5, A: 7, C: 11, DownA: 100, DownC: 300}
			p, rest := b.inPairs()
			if p.Rows != b.Rows || p.Lines*p.N+rest != lines*n || n == 1 && lines > 1 && p.N != 2 {
				t.Errorf("%+v in pairs is %+v and %d", b, p, rest)
			}
			for k := range p.Lines * p.N {
				a, c := p.at(k)
				if wantA, wantC := b.at(k); a != wantA || c != wantC {
					t.Errorf("block %d of %+v begins at %d and %d, want %d and %d", k, p, a, c, wantA, wantC)
				}
			}
			if wantA, wantC := b.at(lines*n - 1); rest > 0 && (2*p.A*p.Lines != wantA || 2*p.C*p.Lines != wantC) {
				t.Errorf("the last of %+v does not begin at %d and %d", b, wantA, wantC)
			}
		}
	}
}
