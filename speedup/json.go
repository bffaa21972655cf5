package speedup

import (
	"encoding/json"
	"math"
)

// A Number is a float64 that in JSON is null where it is NaN or infinite; null is
// read as NaN.
type Number float64

// MarshalJSON writes the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !finite(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number, or null.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// estimateJSON is an Estimate in JSON.
type estimateJSON struct {
	Speedup Number `json:"speedup"`
	Low     Number `json:"low"`
	High    Number `json:"high"`
	P       Number `json:"p"`
	BCaLow  Number `json:"bca_low"`
	BCaHigh Number `json:"bca_high"`
	Pairs   int    `json:"pairs"`
	AtMost  int    `json:"at_most,omitempty"`
	AtLeast int    `json:"at_least,omitempty"`
	Neither int    `json:"neither,omitempty"`
	Fitted  bool   `json:"fitted,omitempty"`
}

// MarshalJSON writes speedup, low, high and p, null where there is none, and an open
// end of the interval as 0 or null.
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(estimateJSON{Number(e.Speedup), Number(e.Low), Number(e.High), Number(e.P), Number(e.BCaLow), Number(e.BCaHigh),
		e.Pairs, e.AtMost, e.AtLeast, e.Neither, e.Fitted})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Estimate) UnmarshalJSON(text []byte) error {
	none := Number(math.NaN())
	j := estimateJSON{Speedup: none, Low: none, High: none, P: none, BCaLow: none, BCaHigh: none}
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*e = Estimate{float64(j.Speedup), float64(j.Low), float64(j.High), float64(j.P), float64(j.BCaLow), float64(j.BCaHigh),
		j.Pairs, j.AtMost, j.AtLeast, j.Neither, j.Fitted}
	if !math.IsNaN(e.Low) && math.IsNaN(e.High) { // open, as only bounds are
		e.High = math.Inf(1)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
