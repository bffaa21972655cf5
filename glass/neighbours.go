package glass

import (
	"math"
	"unsafe"

	"swapmc/internal/kernel"
)

// defaultSkin is how much further than the forces the neighbour lists reach.
const defaultSkin = 0.6

// shells is how many parts a list has.
const shells = 24

// classes of diameters and bins of distances from the origin are in the table of what to read.
const classes, bins = 32, 64

// neighbours keeps for each particle a list of the others that may come to interact
// with it (a Verlet list), in shells of increasing distance.
//
//	                                    origin of i, about where i is
//	   reach(s_i) + skin/2 + distance    |
//	|--|--|--|--|--|---------------------o.  i is now here, at a distance of less than skin/2
//	 23 22 21 20 19 <-- read ----------->
//	<-- for larger s_i ->
//
// A list reaches as far as the forces of any two diameters in the system, so an
// exchange of diameters changes no list; a small particle, and one that is near its origin, reads only the inner shells of
// its own. The origin of a particle that goes further from it than half the skin follows, by itself: it
// enters or leaves the lists of others, or changes its shell there. So the cost of a move does not depend
// on the number of particles, as it would if all lists were made anew whenever
// one particle moves too far.
//
// Energies do not depend on the lists: they are sums of whole numbers.
type neighbours struct {
	skin, outer  float64              // outer is how far lists reach, between origins
	leash        uint64               // squared distance from its origin at which a particle's list is made anew, in units of places
	reach        [classes]uint64      // the same to which a particle of that class may be tried: mostly further, for its forces are shorter than the longest
	inner, scale float64              // squared radius of the innermost shell, and shells per squared distance
	last         [classes][bins]uint8 // the last shell to read, by class and by squared distance from the origin
	shift        int                  // bits of a squared distance to leave out for that
	stride       int                  // room for one list
	entries      []int32
	heads        []head
	cells        cells
}

// A head is what is to know of a list: a cache line.
type head struct {
	origin  [3]int32
	class   uint8          // of its diameter, by how far the forces reach
	strayed uint8          // bin of the particle's distance from the origin
	ends    [shells]uint16 // where each shell ends
}

// begin returns where a shell begins.
func (h *head) begin(shell int) uint16 {
	if shell == 0 {
		return 0
	}
	return h.ends[shell-1]
}

// of returns what particle i may interact with, wherever it is.
func (l *neighbours) of(i int) []int32 {
	h := &l.heads[i]
	return l.entries[i*l.stride:][:h.ends[l.last[h.class][bins-1]]]
}

// near returns what particle i may interact with, where it is, with its own diameter or that of particle k.
func (s *System) near(i, k int) []int32 { return s.lists.read(i, k, 0) }

// read is the same for particle i where it is or anywhere in that bin of distances from its origin.
func (l *neighbours) read(i, k int, bin uint8) []int32 {
	h := &l.heads[i]
	return l.entries[i*l.stride:][:h.ends[l.last[max(h.class, l.heads[k].class)%classes][max(bin, h.strayed)%bins]]]
}

// bin returns that of a squared distance from an origin, no more than any list reaches.
func (l *neighbours) bin(far uint64) uint8 { return uint8(far >> (l.shift % 64)) }

// shell returns the number of the shell at a squared distance, shells if beyond all.
func (l *neighbours) shell(d float64) int {
	return int(min(max(0, 1+(d-l.inner)*l.scale), shells))
}

// farthest returns the squared distance of the end of all shells.
func (l *neighbours) farthest() float64 { return l.inner + (shells-1)/l.scale }

// within tells whether a squared distance is within all shells.
func (l *neighbours) within(d float64) bool { return 1+(d-l.inner)*l.scale < shells }

// relist makes all lists, with origins where the particles are.
func (s *System) relist(skin float64) {
	l, w := &s.lists, &s.own
	n := len(s.particles)
	radius := func(size float64) float64 {
		// A little further: distances are rounded.
		return (s.Model.pair.reach(size, s.smallest, s.largest) + skin/2) * (1 + 1e-6)
	}
	inner, most := math.Inf(1), 0.0
	for i := range s.particles {
		r := radius(float64(s.particles[i].S))
		inner, most = min(inner, r), max(most, r)
	}
	outer, width := most+skin/2, max((most-inner)/classes, 1e-9)
	l.skin, l.outer, l.leash = skin, outer, uint64(skin*skin/4/(s.unit*s.unit))
	l.inner, l.scale = inner*inner, min((shells-1)/(outer*outer-inner*inner), 1e9)
	for l.shift = 0; 2*l.leash>>l.shift >= bins; {
		l.shift++
	}
	for c := range l.last {
		spare := max(0, outer-(inner+float64(c+1)*width)) / s.unit
		l.reach[c] = uint64(min(max(spare*spare, float64(l.leash)), 2*float64(l.leash)))
		for b := range l.last[c] {
			far := inner + float64(c+1)*width + math.Sqrt(math.Ldexp(float64(b+1), l.shift))*s.unit
			l.last[c][b] = uint8(min(l.shell(far*far), shells-1))
		}
	}
	l.heads = inLargePages[head](n)
	l.cells = newCells(n, s.dim, s.side, outer)
	for i := range s.particles {
		p := &s.particles[i]
		l.heads[i].class = uint8(min(classes-1, int((radius(float64(p.S))-inner)/width)))
		l.heads[i].origin = p.X
		l.cells.insert(w, i, &p.X)
	}
	l.entries, l.stride = nil, 0
	mean := s.Density() * ball(s.dim) * math.Pow(2*outer, float64(s.dim))
	l.widen(min(int(1.3*mean)+8, n))
	for i := range l.heads {
		w.near = l.cells.within(&l.heads[i].origin, &l.heads[i].origin, s.places(l.farthest()), -1, w.near[:0])
		w.found, w.in = w.found[:0], w.in[:0]
		for _, k := range w.near {
			if in := l.shell(s.apart(&l.heads[i].origin, &l.heads[k].origin)); in < shells && int(k) != i {
				w.found, w.in = append(w.found, k), append(w.in, uint8(in))
			}
		}
		l.fill(w, i)
	}
}

// widen makes room for longer lists.
func (l *neighbours) widen(stride int) {
	stride = (stride + 15) &^ 15 // whole vectors
	entries := make([]int32, len(l.heads)*stride)
	huge(entries)
	for i := range entries {
		entries[i] = l.nobody()
	}
	for i := range l.heads {
		copy(entries[i*stride:], l.entries[i*l.stride:][:l.heads[i].ends[shells-1]])
	}
	l.entries, l.stride = entries, stride
}

// nobody is what lies behind the end of each list: the number of the particle that is nowhere.
func (l *neighbours) nobody() int32 { return int32(len(l.heads)) }

// grow makes room for more than room in each list, unless another worker has by now.
func (l *neighbours) grow(w *worker, room int) {
	w.alone(func() {
		if l.stride <= room {
			l.widen(room + room/4)
		}
	})
}

// alone calls f while no other worker is at work. One that waits here leaves lists and cells whole: it is between entries into them.
func (w *worker) alone(f func()) {
	if w.others != nil {
		w.others.RUnlock()
		w.others.Lock()
	}
	f()
	if w.others != nil {
		w.others.Unlock()
		w.others.RLock()
	}
}

// fill makes the list of i of those found.
func (l *neighbours) fill(w *worker, i int) {
	if len(w.found) > l.stride {
		l.grow(w, len(w.found))
	}
	var count [shells]uint16
	for _, in := range w.in {
		count[in]++
	}
	at := uint16(0)
	for c, n := range count {
		count[c] = at
		at += n
	}
	list := l.entries[i*l.stride:][:l.stride]
	for n, k := range w.found {
		c := w.in[n]
		list[count[c]] = k
		count[c]++
	}
	for k := len(w.found); k < int(l.heads[i].ends[shells-1]); k++ {
		list[k] = l.nobody()
	}
	l.heads[i].ends = count
}

// follow moves the origin of i half of the way to x, where i might go, or else to where i is.
func (s *System) follow(w *worker, i int, x *[3]int32) {
	l := &s.lists
	old, origin := l.heads[i].origin, &w.origin
	for k := range origin {
		origin[k] = old[k] + (x[k]-old[k])/2
	}
	if gap(origin, &s.particles[i].X) > l.leash {
		*origin = s.particles[i].X
	}
	w.found, w.in = w.found[:0], w.in[:0]
	from := uint16(0)
	ends := l.heads[i].ends
	if len(l.heads) > crowded {
		kernel.PrefetchEach(l.heads, l.entries[i*l.stride:][:ends[shells-1]])
		for was, end := range ends {
			for _, k := range l.entries[i*l.stride:][from:end] {
				// Where i is in the list of k, one address: Prefetch takes six.
				at := &l.entries[int(k)*l.stride+int(l.heads[k].begin(was))]
				kernel.Prefetch(at, at, at, at, at, at)
			}
			from = end
		}
		from = 0
	}
	for was, end := range ends {
		for _, k := range l.entries[i*l.stride:][from:end] {
			now := l.shell(s.apart(origin, &l.cells.at[k]))
			if now != was {
				l.rearrange(w, int(k), int32(i), was, now)
			}
			if now < shells {
				w.found, w.in = append(w.found, k), append(w.in, uint8(now))
			}
		}
		from = end
	}
	far := s.places(l.farthest())
	w.near = l.cells.within(origin, &l.heads[i].origin, far, far, w.near[:0])
	for _, k := range w.near {
		if at := &l.cells.at[k]; l.within(s.apart(origin, at)) && !l.within(s.apart(&old, at)) && int(k) != i {
			now := l.shell(s.apart(origin, at))
			l.rearrange(w, int(k), int32(i), shells, now)
			w.found, w.in = append(w.found, k), append(w.in, uint8(now))
		}
	}
	l.cells.remove(i)
	l.cells.insert(w, i, origin)
	l.heads[i].origin = *origin
	l.heads[i].strayed = l.bin(gap(origin, &s.particles[i].X))
	l.fill(w, i)
}

// rearrange moves entry i of the list of k from one shell to another; beyond all it is not in the list.
func (l *neighbours) rearrange(w *worker, k int, i int32, was, now int) {
	ends := &l.heads[k].ends
	if was == shells && int(ends[shells-1]) == l.stride {
		l.grow(w, l.stride)
	}
	list := l.entries[k*l.stride:][:l.stride]
	if was < now {
		at := l.heads[k].begin(was)
		for list[at] != i {
			at++
		}
		// The last of each shell takes the place that i leaves.
		for c := was; c < now; c++ {
			ends[c]--
			list[at], at = list[ends[c]], ends[c]
		}
		if now == shells {
			i = l.nobody()
		}
		list[at] = i
		return
	}
	at := ends[shells-1]
	if was < shells {
		at = ends[was-1]
		for list[at] != i {
			at++
		}
	}
	// The first of each shell goes to its end.
	for c := was; c > now; c-- {
		first := ends[c-1]
		if c < shells {
			list[at] = list[first]
			at = first
		}
		ends[c-1]++
	}
	list[at] = i
}

// ListBytes returns how much memory the neighbour lists take.
func (s *System) ListBytes() int {
	return 4*len(s.lists.entries) + int(unsafe.Sizeof(head{}))*len(s.lists.heads)
}
