package kernel

// Ahead is memory that is needed soon and far away. Products that are given one fetch it to L2 piece by piece while
// they sum, when the processor does not wait for memory; the loops that read and write it would.
// The zero value, and nil, has none. Each thread has its own.
type Ahead struct {
	regions [16][]float32
	n, next int // regions, and those that are fetched
	bytes   int // of all
	fetches int // that there was time for since Begin,
	before  int // and in the round before
}

// Begin forgets what there was, and takes it that there will be time for as many fetches as there was
// since the last call.
func (a *Ahead) Begin() {
	a.n, a.next, a.bytes = 0, 0, 0
	a.before, a.fetches = a.fetches, 0
}

// Add adds a region, if there is room for one more.
func (a *Ahead) Add(x []float32) {
	if a.n == len(a.regions) || len(x) == 0 {
		return
	}
	a.regions[a.n] = x
	a.n++
	a.bytes += 4 * len(x)
}

// pace returns how many bytes apart fetches are: a line of the cache, or less if that will do.
func (a *Ahead) pace() int { return min(64, (a.bytes/max(1, a.before)+4)&^3) }

// take returns how many of so many products a micro-kernel is to make in one go, where it begins to fetch meanwhile, and its pace; each
// product is so many sums over so many entries. Where there is nothing to fetch, that is what is near anyway.
func (a *Ahead) take(w *width, products, sums, length int, near *float32) (int, *float32, int) {
	if a == nil || w.entries == 0 {
		return products, near, 0
	}
	fetches := sums * ((length + w.entries - 1) / w.entries)
	if a.next == a.n {
		a.fetches += products * fetches
		return products, near, 0
	}
	region, pace := &a.regions[a.next], a.pace()
	at, n := &(*region)[0], pace/4*fetches
	products = min(products, (len(*region)+n-1)/n)
	a.fetches += products * fetches
	if n *= products; n < len(*region) {
		*region = (*region)[n:]
	} else {
		a.next++
	}
	return products, at, pace
}
