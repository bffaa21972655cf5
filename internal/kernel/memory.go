package kernel

// Make returns n zeros; many of them lie in large pages where the system has those.
func Make(n int) []float32 {
	x := make([]float32, n)
	advise(x)
	return x
}
