package glass

import (
	"math"

	"swapmc/internal/kernel"
)

// cells sorts places into cubes, so that what is within a given distance of a place is in its cube or in one next to it. A cube
// has its places side by side, for vectors to read.
type cells struct {
	dim     int
	across  int        // cubes along an axis; 1 if fewer than 3 fit, then all are neighbours
	room    int        // for places in a cube
	columns []int32    // for each cube, those of kernel.Within
	count   []int32    // places in each cube
	slot    []int32    // which of its cube each particle's is
	at      [][3]int32 // where each particle was put
}

func newCells(n, dim int, side, distance float64) cells {
	across := int(min(side/distance, math.Ceil(math.Pow(float64(n), 1/float64(dim)))))
	if across < 3 {
		across = 1
	}
	c := cells{dim: dim, across: across, count: make([]int32, power(across, dim)), slot: make([]int32, n), at: make([][3]int32, n)}
	c.widen(min(n, 8+n*3/2/len(c.count)))
	return c
}

func power(base, exponent int) int {
	p := 1
	for range exponent {
		p *= base
	}
	return p
}

// widen makes room for more places in each cube.
func (c *cells) widen(room int) {
	room = (room + 7) &^ 7 // whole vectors
	columns := make([]int32, 4*room*len(c.count))
	huge(columns)
	for i, n := range c.count {
		for k := range 4 {
			copy(columns[(4*i+k)*room:], c.columns[(4*i+k)*c.room:][:n])
		}
	}
	c.columns, c.room = columns, room
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

func (c *cells) insert(w *worker, i int, x *[3]int32) {
	cube := c.cube(x)
	if int(c.count[cube]) == c.room {
		w.alone(func() {
			if int(c.count[cube]) == c.room {
				c.widen(c.room + c.room/2)
			}
		})
	}
	slot := int(c.count[cube])
	c.count[cube]++
	c.at[i], c.slot[i] = *x, int32(slot)
	columns := c.columns[4*c.room*cube:][:4*c.room]
	for k := range x {
		columns[k*c.room+slot] = x[k]
	}
	columns[3*c.room+slot] = int32(i)
}

func (c *cells) remove(i int) {
	cube := c.cube(&c.at[i])
	slot := int(c.slot[i])
	c.count[cube]--
	last := int(c.count[cube])
	columns := c.columns[4*c.room*cube:][:4*c.room]
	for k := range 4 {
		columns[k*c.room+slot] = columns[k*c.room+last]
	}
	c.slot[columns[3*c.room+slot]] = int32(slot)
}

// within appends to list the particles whose squared distance from a place is less than in, but not less than out from
// another, in the unit of places; and those for which that is not clear.
func (c *cells) within(of, butOf *[3]int32, in, out float64, list []int32) []int32 {
	const unclear = 1e-5
	near, nearer := float32(in*(1+unclear)), float32(out*(1-unclear))
	look := func(cube int) {
		list = kernel.Within(c.columns[4*c.room*cube:][:4*c.room], int(c.count[cube]), of, butOf, near, nearer, list)
	}
	if c.across == 1 {
		look(0)
		return list
	}
	var by [3][3]int // the numbers of the three cubes along each axis
	for k := range c.dim {
		for d := range by[k] {
			by[k][d] = (c.along(of[k]) + c.across - 1 + d) % c.across
		}
	}
	planes := by[2][:]
	if c.dim == 2 {
		planes = planes[:1]
	}
	for _, z := range planes {
		for _, y := range by[1] {
			for _, x := range by[0] {
				look((z*c.across+y)*c.across + x)
			}
		}
	}
	return list
}
