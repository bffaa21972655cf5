package glass

import (
	"math"
	"slices"

	"swapmc/internal/kernel"
)

// defaultSkin is how much further than the forces the neighbour lists reach.
const defaultSkin = 0.55

// neighbours keeps for each particle a list of the others that may come to interact
// with it, sorted by distance (Verlet lists).
//
//	                      origin of i, where i was when it entered the lists
//	    reach(s_i) + skin    |
//	<------------------------o.  i is now here, less than skin/2 away
//	<-- read for s_i --><-- only for a larger s_i -->
//
// A list reaches as far as the forces of any two diameters in the system, so an
// exchange of diameters changes no list; a small particle reads only the beginning of
// its own. A particle that has come half the skin from its origin is taken out of the
// lists and enters them again where it is: the cost of a move does not depend on the
// number of particles, as it would if all lists were made anew whenever one of them
// moves too far.
//
// The lists are a function of the origins alone.
type neighbours struct {
	skin    float64
	reach   float64 // of the lists, skin included
	stride  int     // room for one list
	count   []int32
	entries []kernel.Neighbour
	origin  [][3]int64
	cells   cells
	near    []int32 // scratch
}

func (l *neighbours) of(i int) []kernel.Neighbour {
	return l.entries[i*l.stride:][:l.count[i]]
}

// most is the beginning of a list, which most particles need of it.
func (l *neighbours) most(i int) []kernel.Neighbour {
	return l.entries[i*l.stride:][:min(32, l.stride)]
}

// relist makes all lists, with the given origins.
func (s *System) relist(origin [][3]int64) {
	l := &s.lists
	n := len(s.particles)
	l.origin = origin
	l.reach = s.Model.pair.farthest(s.smallest, s.largest) + l.skin
	l.cells = newCells(n, s.dim, s.side, l.reach)
	for i := range origin {
		l.cells.insert(i, &origin[i])
	}
	l.count = make([]int32, n)
	mean := s.Density() * ball(s.dim) * math.Pow(2*l.reach, float64(s.dim))
	l.widen(min(int(1.3*mean)+8, n))
	for i := range origin {
		s.gather(i)
	}
}

// widen makes room for longer lists.
func (l *neighbours) widen(stride int) {
	stride = (stride + 7) &^ 7 // whole vectors
	entries := make([]kernel.Neighbour, len(l.count)*stride)
	for i, c := range l.count {
		copy(entries[i*stride:], l.entries[i*l.stride:][:c])
	}
	l.entries, l.stride = entries, stride
}

// gather fills the list of i.
func (s *System) gather(i int) {
	l := &s.lists
	l.near = l.cells.around(&l.origin[i], l.near[:0])
	far := l.reach * l.reach
	list := l.entries[i*l.stride:][:0:l.stride]
	for _, k := range l.near {
		d := s.apart(&l.origin[i], &l.origin[k])
		if d >= far || int(k) == i {
			continue
		}
		if len(list) == l.stride {
			l.widen(l.stride + l.stride/4 + 8)
			list = append(l.entries[i*l.stride:][:0:l.stride], list...)
		}
		list = append(list, kernel.Near(int(k), float32(math.Sqrt(d))))
	}
	slices.Sort(list)
	l.count[i] = int32(len(list))
}

// rank returns how many entries of a sorted list are below e.
func rank(list []kernel.Neighbour, e kernel.Neighbour) int {
	low := 0
	for n := len(list); n > 0; {
		half := (n + 1) / 2
		// Without a jump: which half is a matter of chance.
		step := 0
		if list[low+half-1] < e {
			step = half
		}
		low += step
		n -= half
	}
	return low
}

// follow moves the origin of i to where it is now.
func (s *System) follow(i int) {
	l := &s.lists
	for _, e := range l.of(i) {
		k := e.K()
		list := l.of(k)
		at := rank(list, kernel.Near(i, e.D()))
		copy(list[at:], list[at+1:])
		l.count[k]--
	}
	l.cells.remove(i)
	l.origin[i] = s.particles[i].X
	l.cells.insert(i, &l.origin[i])
	s.gather(i)
	for n := range int(l.count[i]) {
		e := l.entries[i*l.stride+n]
		k := e.K()
		if int(l.count[k]) == l.stride {
			l.widen(l.stride + l.stride/4 + 8)
		}
		list := l.entries[k*l.stride:][:l.count[k]+1]
		mine := kernel.Near(i, e.D())
		at := rank(list[:len(list)-1], mine)
		copy(list[at+1:], list[at:])
		list[at] = mine
		l.count[k]++
	}
}

// ListBytes returns how much memory the neighbour lists take.
func (s *System) ListBytes() int { return 8 * len(s.lists.entries) }
