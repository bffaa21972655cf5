package glass

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"swapmc/internal/rng"
)

// domains cut the box of a large system into cubes (squares in two dimensions), an even number along each axis:
//
//	| 0 | 1 | 0 | 1 |     in two dimensions the colours are 0 to 3,
//	| 2 | 3 | 2 | 3 |     in three dimensions 0 to 7
//	| 0 | 1 | 0 | 1 |
//	| 2 | 3 | 2 | 3 |
//
// In a sweep each domain makes as many trials as it has particles, of its own particles only, colour by colour. A displacement that
// would leave the domain is refused, and both particles of a swap are of one domain, so that its particles stay its particles. So
// what a trial reads is still in a core's own cache from the last ones, and domains of one colour, being far from each other,
// may be worked at by several threads.
//
// Why this is right: where the grid lies is drawn for each sweep, whatever the state. Given the grid, a trial in a domain
// obeys detailed balance for the Boltzmann distribution of what is in the domain, all else being frozen: a displacement
// and its reverse are as likely, for the domain has as many particles after it as before and neither leaves it, and so are a swap and
// its reverse. So each trial leaves the Boltzmann distribution of the whole as it is, and so does the sweep. Domains of one colour
// do not interact; one after the other or all at once, they do the same. Since the grid lies elsewhere in each sweep, no wall
// lasts. For hard disks: Anderson, Jankowski, Grubb, Engel and Glotzer, J. Comput. Phys. 254, 27, 2013.
//
// Each domain of each sweep has its own stream of random numbers, so that the trajectory does not depend on the number of threads.
type domains struct {
	across  int      // along each axis
	corner  [3]int32 // of the grid
	key     uint64   // of the random numbers of a sweep
	home    []uint16 // the domain of each particle
	members []int32  // the particles, domain by domain, in order of their number
	ends    []int32  // where each domain's members end
	colour  int      // that is worked at
	next    atomic.Int32
	busy    sync.WaitGroup
	lists   sync.RWMutex // held for reading in a domain, for writing where lists need more room
	workers []worker
	helpers []func() // the workers but the first, each on a goroutine of its own: work until nothing is left of the colour
}

// A domain is what a worker is at, members being nil for the whole box.
type domain struct {
	members []int32
	corner  [3]int32
	width   [3]uint32
}

// holds tells whether a place is in the domain.
func (d *domain) holds(x *[3]int32) bool {
	return uint32(x[0]-d.corner[0]) < d.width[0] && uint32(x[1]-d.corner[1]) < d.width[1] && uint32(x[2]-d.corner[2]) < d.width[2]
}

const (
	fewest  = 4    // domains along an axis: two of a colour
	roomy   = 1000 // particles in a domain, of more than fewest along an axis
	largest = 40   // domains along an axis, at most
)

// divide cuts the system into domains if that is wanted, or pays and is possible.
func (s *System) divide() error {
	s.domains = nil
	if s.wanted == "off" {
		return nil
	}
	narrowest := s.narrowest()
	across := 0
	for n := fewest; n <= largest && s.side/float64(n) >= narrowest; n += 2 {
		if power(n, s.dim)*roomy <= len(s.particles) || s.wanted == "on" && n == fewest {
			across = n
		}
	}
	switch {
	case across > 0:
		s.domains = newDomains(s, across, s.threads)
	case s.wanted == "on":
		return fmt.Errorf("domains: a box of side %.4g has no room for %d along each axis, %.4g wide, such that none is in the way of another: want more particles, or domains off",
			s.side, fewest, narrowest)
	}
	return s.mayDivide(s.Moves)
}

// narrowest is how wide domains must be so that nothing that a worker writes in one is read or written by a worker in another of
// the same colour. Along some axis there is a whole domain between the two. Let o be the skin, for short d the distance from a domain:
//
//   - Particles that are tried are in the domain, and the origins of their lists at most skin/2 from it, for they are never further
//     from their particle, and an origin that follows goes towards the place that is tried.
//   - Particles that are read are in a list of one of these: their origins are nearer than outer to its origin, so d < outer + skin/2,
//     and they themselves d < outer + skin. They are written if they are in the other domain: width >= outer + skin.
//   - Lists that are mended are of particles with origins as near, d < outer + skin/2, from both sides: width >= 2 outer + skin.
//   - Cubes of the cells are written where an origin is, and read one cube further, along each axis: two origins touch
//     the same cube only if they are less than 2 cubes apart along all axes, so width >= 2 cubes + skin.
//     What [System.elsewhere] reads about a place in the domain is within that, and the particles in these cubes are at most skin/2 from their origins.
func (s *System) narrowest() float64 {
	l := &s.lists
	cube := s.side / float64(l.cells.across)
	return 2*max(l.outer, cube)*(1+1e-6) + l.skin
}

// mayDivide reports moves that cannot be made in domains where these must be.
func (s *System) mayDivide(moves []Weighted) error {
	if s.wanted == "on" && !local(moves) {
		return errors.New("domains: lifted swaps climb through the ranks of the whole system: want other swaps, or domains off")
	}
	return nil
}

func local(moves []Weighted) bool {
	for _, m := range moves {
		if !m.local() {
			return false
		}
	}
	return true
}

// Domains returns into how many domains the sweeps are divided, 0 if they are not.
func (s *System) Domains() int {
	if s.domains == nil || !local(s.Moves) {
		return 0
	}
	return power(s.domains.across, s.dim)
}

func newDomains(s *System, across, threads int) *domains {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	n := power(across, s.dim)
	d := &domains{across: across, home: make([]uint16, len(s.particles)), members: make([]int32, len(s.particles)), ends: make([]int32, n)}
	d.workers = make([]worker, max(1, min(threads, power(across/2, s.dim))))
	for i := range d.workers {
		w := &d.workers[i]
		w.random, w.others = rng.New(0, "domain"), &d.lists
		if i > 0 {
			d.helpers = append(d.helpers, func() {
				d.work(s, w)
				d.busy.Done()
			})
		}
	}
	return d
}

// sweep makes a sweep, domain by domain.
func (d *domains) sweep(s *System) {
	for k := range s.dim {
		d.corner[k] = int32(s.own.random.Uint64() >> 32)
	}
	d.key = s.own.random.Uint64()
	d.sort(s)
	for i := range d.workers {
		d.workers[i].take(s)
	}
	for d.colour = range 1 << s.dim {
		d.next.Store(0)
		d.busy.Add(len(d.helpers))
		for _, help := range d.helpers {
			go help()
		}
		d.work(s, &d.workers[0])
		d.busy.Wait()
	}
	for i := range d.workers {
		w := &d.workers[i]
		s.Displacement.add(w.displacement.Tally)
		for k := range w.moves {
			s.Moves[k].add(w.moves[k].Tally)
		}
	}
}

// take gives a worker the moves of a system, and no trials yet.
func (w *worker) take(s *System) {
	w.copied, w.displacement = s.Displacement, &w.copied
	w.copied.Tally = Tally{}
	if cap(w.moves) < len(s.Moves) {
		w.moves = make([]Weighted, 0, len(s.Moves)+3) // so that two workers' counts are in different cache lines
	}
	w.moves = append(w.moves[:0], s.Moves...)
	for i := range w.moves {
		w.moves[i].Tally = Tally{}
	}
}

// sort finds out which particles are in which domain. One loop for all takes half as long again.
func (d *domains) sort(s *System) {
	across, corner := uint64(d.across), d.corner
	along := func(x, from int32) uint64 { return uint64(uint32(x-from)) * across >> 32 }
	for i := range s.particles {
		x := &s.particles[i].X
		n := along(x[1], corner[1])*across + along(x[0], corner[0])
		if s.dim == 3 {
			n += along(x[2], corner[2]) * across * across
		}
		d.home[i] = uint16(n)
	}
	clear(d.ends)
	for _, n := range d.home {
		d.ends[n]++
	}
	at := int32(0)
	for n, count := range d.ends {
		d.ends[n] = at
		at += count
	}
	members, ends := d.members, d.ends
	for i, n := range d.home {
		at := ends[n]
		members[at] = int32(i)
		ends[n] = at + 1
	}
}

// work does domains of the colour until none is left.
func (d *domains) work(s *System, w *worker) {
	for {
		i := int(d.next.Add(1)) - 1
		if i >= power(d.across/2, s.dim) {
			return
		}
		var n int
		if n, w.domain = d.domain(s.dim, d.colour, i); len(w.members) == 0 {
			continue
		}
		w.random.Seed(d.key, uint64(n))
		d.lists.RLock()
		s.work(w, len(w.members))
		d.lists.RUnlock()
	}
}

// domain returns domain i of a colour, and its number among all.
func (d *domains) domain(dim, colour, i int) (n int, is domain) {
	half, across, stride := d.across/2, uint64(d.across), 1
	is.width = [3]uint32{1, 1, 1} // in two dimensions the third coordinate is 0
	for k := range dim {
		a := uint64(2*(i%half) + colour&1)
		n += int(a) * stride
		stride *= d.across
		i, colour = i/half, colour>>1
		// The places whose number along the axis is a.
		from, to := (a<<32+across-1)/across, ((a+1)<<32+across-1)/across
		is.corner[k], is.width[k] = d.corner[k]+int32(uint32(from)), uint32(to-from)
	}
	first := int32(0)
	if n > 0 {
		first = d.ends[n-1]
	}
	is.members = d.members[first:d.ends[n]]
	return n, is
}
