package kernel

// Compare is one stage of a comparator network that sorts weights against their
// gradient. wa is read upwards and wb downwards: wa[i] is paired with
// wb[len-1-i]. A pair changes places where that lowers the loss to first order,
//
//	(ga - gb)(wb - wa) < 0,
//
// and |wa - wb| <= window (+Inf: no limit). It returns the number of exchanges.
// The four slices have one length, and wa and wb do not overlap; with a NaN
// there is no exchange.
func Compare(wa, ga, wb, gb []float32, window float32) (exchanged int) {
	n := len(wa)
	ga, wb, gb = ga[:n], wb[:n], gb[:n]
	if active.compare != nil && n >= active.lanes {
		whole := n / active.lanes * active.lanes
		exchanged = active.compare(&wa[0], &ga[0], &wb[n-whole], &gb[n-whole], whole, window)
		wa, ga, wb, gb = wa[whole:], ga[whole:], wb[:n-whole], gb[:n-whole]
	}
	return exchanged + compareGo(wa, ga, wb, gb, window)
}

func compareGo(wa, ga, wb, gb []float32, window float32) (exchanged int) {
	for i, a := range wa {
		j := len(wb) - 1 - i
		b := wb[j]
		if d := b - a; d <= window && -window <= d && float32((ga[i]-gb[j])*d) < 0 {
			wa[i], wb[j] = b, a
			exchanged++
		}
	}
	return exchanged
}
