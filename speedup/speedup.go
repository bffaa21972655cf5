// Package speedup says how much faster one way of training arrives than another,
// with what confidence.
//
// The measure is the time to a target (AlgoPerf: Dahl et al. 2023): T(L) is the
// first time at which the training loss is at or below L. Runs come in pairs of
// the same seed, with the same initial weights and the same order of the data,
// and the speed-up is
//
//	S(L) = T(without swaps) / T(with swaps),
//
// averaged geometrically over the pairs, with a bootstrap interval, for a whole
// range of targets. Runs that never arrive count as such.
//
//	base := speedup.Arm{Text: "none", Runs: ...}
//	c := speedup.Compare(base, []speedup.Arm{{Text: "features:1SA", Runs: ...}}, speedup.Options{})
//	fmt.Println(c.Protocols[0].Verdict)
package speedup
