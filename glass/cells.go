package glass

import "math"

// cells sorts places into cubes, as linked lists, so that what is within a given distance
// of a place is in its cube or in the two next to it on each side.
type cells struct {
	dim    int
	across int        // cubes along an axis; 1 if fewer than 5 fit, then all are neighbours
	head   []int32    // first particle of a cube, -1 if empty
	next   []int32    // the next one in the same cube
	prev   []int32    // the one before, or ^cube for the first
	at     [][3]int32 // where each particle was put
}

func newCells(n, dim int, side, distance float64) cells {
	across := int(min(2*side/distance, 2*math.Ceil(math.Pow(float64(n), 1/float64(dim)))))
	if across < 5 {
		across = 1
	}
	c := cells{dim: dim, across: across, next: make([]int32, n), prev: make([]int32, n), at: make([][3]int32, n)}
	c.head = make([]int32, power(across, dim))
	for i := range c.head {
		c.head[i] = -1
	}
	return c
}

func power(base, exponent int) int {
	p := 1
	for range exponent {
		p *= base
	}
	return p
}

// along returns the number of a place's cube along an axis.
func (c *cells) along(x int32) int { return int(uint64(uint32(x)) * uint64(c.across) >> 32) }

func (c *cells) cube(x *[3]int32) int {
	n := 0
	for k := c.dim - 1; k >= 0; k-- {
		n = n*c.across + c.along(x[k])
	}
	return n
}

func (c *cells) insert(i int, x *[3]int32) {
	c.at[i] = *x
	cube := c.cube(x)
	first := c.head[cube]
	c.head[cube], c.next[i], c.prev[i] = int32(i), first, ^int32(cube)
	if first >= 0 {
		c.prev[first] = int32(i)
	}
}

func (c *cells) remove(i int) {
	before, after := c.prev[i], c.next[i]
	if before < 0 {
		c.head[^before] = after
	} else {
		c.next[before] = after
	}
	if after >= 0 {
		c.prev[after] = before
	}
}

// around appends to list the particles of a place's cube and of the cubes next to it.
func (c *cells) around(x *[3]int32, list []int32) []int32 {
	if c.across == 1 {
		for i := c.head[0]; i >= 0; i = c.next[i] {
			list = append(list, i)
		}
		return list
	}
	var by [3][5]int // the numbers of the five cubes along each axis
	for k := range c.dim {
		for d := range by[k] {
			by[k][d] = (c.along(x[k]) + c.across - 2 + d) % c.across
		}
	}
	planes := by[2][:]
	if c.dim == 2 {
		planes = planes[:1]
	}
	for _, z := range planes {
		for _, y := range by[1] {
			line := c.head[(z*c.across+y)*c.across:][:c.across]
			for _, x := range by[0] {
				for i := line[x]; i >= 0; i = c.next[i] {
					list = append(list, i)
				}
			}
		}
	}
	return list
}
