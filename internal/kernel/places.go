package kernel

import "slices"

// Within appends to found the numbers of those of n places that are nearer to one place than the root of in, and not nearer to
// another than the root of out: squared distances in the unit of places, in single precision, within 1e-6 of what they are.
// In columns are, one after the other, x, y and z of all places, as in [Particle], and their numbers. Each column has room for a multiple of 8.
func Within(columns []int32, n int, of, butOf *[3]int32, in, out float32, found []int32) []int32 {
	if n == 0 {
		return found
	}
	room := len(columns) / 4
	if active.pairs.within != nil {
		found = slices.Grow(found, n)
		have := len(found)
		count := active.pairs.within(&columns[0], room, n, &of[0], &butOf[0], in, out, &found[:have+n][have])
		return found[:have+count]
	}
	x, y, z, number := columns[:n], columns[room:][:n], columns[2*room:][:n], columns[3*room:][:n]
	squared := func(k int, of *[3]int32) float32 {
		a, b, c := float32(x[k]-of[0]), float32(y[k]-of[1]), float32(z[k]-of[2])
		return a*a + b*b + c*c
	}
	for k := range x {
		if squared(k, of) < in && !(squared(k, butOf) < out) {
			found = append(found, number[k])
		}
	}
	return found
}
