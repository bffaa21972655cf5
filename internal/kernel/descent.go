package kernel

// A Descent moves weights w along their gradient g. With d = g + Decay w:
//
//	Steepest   w <- w - LR d
//	Averaging  the same, and v <- Mu v + (1-Mu) g beside it, for others
//	HeavyBall  v <- Mu v + d; w <- w - LR v
//	Nesterov   v <- Mu v + d; w <- w - LR (d + Mu v)
type Descent struct {
	Rule          Rule
	LR, Mu, Decay float32
}

// A Rule is one of those of a [Descent].
type Rule int

const (
	Steepest Rule = iota
	Averaging
	HeavyBall
	Nesterov
	rules
)

// Apply moves w along g. The three slices have one length; v may be nil for Steepest.
func (d Descent) Apply(w, g, v []float32) {
	switch d.Rule {
	case Steepest:
		SGD(w, g, d.LR, d.Decay)
	case Averaging:
		SGDAverage(w, g, v, d.LR, d.Decay, d.Mu)
	default:
		Momentum(w, g, v, d.LR, d.Mu, d.Decay, d.Rule == Nesterov)
	}
}

// descent computes, for blocks of rows of A and of the weights w and velocities v,
// g = A B with B some panels of length rows, and then one rule.
type descent = func(blocks, length int, a *float32, lda int, b, w, v *float32, ldw int, lr, mu, rest, decay float32)

// descents are those for so many columns, by rule, for one and for two rows.
type descents struct {
	cols int
	rows [rules][3]descent
}

// MulDescent is [MulPanels] with all k rows of the panels and d along the product, which is
// the gradient of the m x n weights w with velocities v, rows ldw apart; v may be nil for
// Steepest. The bits are the same; the gradient is never stored, or in scratch, m x PanelWidth.
func MulDescent(m, n, k int, a []float32, lda int, panels []float32, w, v []float32, ldw int, d Descent, scratch []float32) {
	if m <= 0 || n <= 0 || k <= 0 {
		return
	}
	if d.Rule == Steepest {
		v = w // which is not touched as such
	}
	width := PanelWidth()
	_ = a[(m-1)*lda+k-1]
	_, _ = w[(m-1)*ldw+n-1], v[(m-1)*ldw+n-1]
	_ = panels[(n-1)/width*width*k+k*width-1]
	for j := 0; j < n; {
		if f := fitting(n - j); f != nil {
			rows := func(from, blocks, high int) {
				if blocks > 0 {
					f.rows[d.Rule][high](blocks, k, &a[from*lda], lda, &panels[j*k], &w[from*ldw+j], &v[from*ldw+j], ldw, d.LR, d.Mu, 1-d.Mu, d.Decay)
				}
			}
			rows(0, m/2, 2)
			rows(m-1, m%2, 1)
			j += f.cols
			continue
		}
		cols := min(width, n-j)
		MulRows(m, cols, a, Rows(k, lda), panels[j*k:], width, scratch, width, false)
		for i := range m {
			at := i*ldw + j
			d.Apply(w[at:at+cols], scratch[i*width:][:cols], v[at:at+cols])
		}
		j += cols
	}
}

// fitting returns the widest descents for n columns, or nil.
func fitting(n int) *descents {
	for i := range active.descents {
		if d := &active.descents[i]; n >= d.cols {
			return d
		}
	}
	return nil
}
