package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// Fetches go through all regions, in order and without gaps of more than a line of the cache, if there is as much
// time for them as there was before.
func TestAhead(t *testing.T) {
	for _, w := range []*width{{entries: 1}, {entries: 2}} {
		for i, lengths := range [][]int{{1000}, {1 << 10, 3, 5000, 64}, {40 << 10}, {1000, 1000}, {1 << 10, 3, 5000, 64}, {40 << 10}} {
			each := 1 + i/3*8 // products that ask together
			var a Ahead
			calls := func(visit func(at *float32, pace, fetches int)) {
				all := 0
				defer func() {
					if a.fetches != all {
						t.Fatalf("time for %d fetches is taken for %d", all, a.fetches)
					}
				}()
				for left := 64; left > 0; {
					const sums, length = 6, 33
					var near float32
					products, at, pace := a.take(w, min(left, each), sums, length, &near)
					if products < 1 || products > min(left, each) {
						t.Fatalf("%d products of %d", products, min(left, each))
					}
					left -= products
					fetches := products * sums * ((length + w.entries - 1) / w.entries)
					all += fetches
					if at == &near && pace != 0 {
						t.Fatalf("pace %d where there is nothing to fetch", pace)
					}
					if at != &near {
						visit(at, pace, fetches)
					}
				}
			}
			a.Begin()
			calls(func(*float32, int, int) { t.Error("fetches before anything is added") })
			a.Begin()
			var regions [][]float32
			var seen []map[int]bool // lines of each region
			total := 0
			for _, n := range lengths {
				x := make([]float32, n)
				a.Add(x)
				a.Add(nil)
				regions, seen = append(regions, x), append(seen, map[int]bool{})
				total += 4 * n
			}
			calls(func(at *float32, pace, fetches int) {
				if pace <= 0 || pace > 64 || pace%4 != 0 {
					t.Fatalf("pace %d: want a part of a line", pace)
				}
				for i, x := range regions {
					offset := int(uintptr(unsafe.Pointer(at)) - uintptr(unsafe.Pointer(&x[0])))
					if offset < 0 || offset >= 4*len(x) {
						continue
					}
					for k := range fetches {
						seen[i][(offset+k*pace)/64] = true
					}
					return
				}
				t.Fatal("fetches from outside of all regions")
			})
			room := 64 * 64 * 6 * ((33 + w.entries - 1) / w.entries)
			for i, x := range regions {
				for line := range len(x) / 16 {
					if !seen[i][line] && total <= room {
						t.Fatalf("%v, %d entries a fetch: line %d of region %d is not fetched", lengths, w.entries, line, i)
					}
				}
			}
		}
	}
	var none *Ahead
	var near float32
	if products, at, pace := none.take(&width{entries: 1}, 7, 5, 5, &near); products != 7 || at != &near || pace != 0 {
		t.Error("nil fetches something")
	}
}

// Fetching changes no bit of a product, nor what it fetches.
func TestProductsFetch(t *testing.T) { each(t, testProductsFetch) }

func testProductsFetch(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	far := random(r, 3000)
	kept := append([]float32(nil), far...)
	for _, s := range [][3]int{{1, 1, 1}, {7, 16, 3}, {64, 16, 16}, {29, 33, 17}, {64, 64, 64}} {
		m, n, k := s[0], s[1], s[2]
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			a, at, b := random(r, m*k), random(r, k*m), random(r, k*Padded(n))
			var ahead Ahead
			products := func(with *Ahead) (rows, columns []float32) {
				rows, columns = make([]float32, 2*m*n), make([]float32, 2*m*n)
				if with != nil {
					with.Begin()
					with.Add(far[:1000])
					with.Add(far[1000:])
				}
				one := Apart{N: 2, C: m * n, Ahead: with}
				MulRowsEach(one, m, n, a, Rows(k, k), b, Padded(n), rows, n, false)
				MulColumnsEach(one, m, n, 1, k, at, Strided{Lead: m}, b, Strided{Lead: Padded(n)}, columns, n, false)
				return rows, columns
			}
			rows, columns := products(nil)
			for range 3 {
				gotRows, gotColumns := products(&ahead)
				for i := range rows {
					if gotRows[i] != rows[i] || gotColumns[i] != columns[i] {
						t.Fatalf("entry %d is %g, %g: want %g, %g", i, gotRows[i], gotColumns[i], rows[i], columns[i])
					}
				}
			}
		})
	}
	for i := range far {
		if far[i] != kept[i] {
			t.Fatal("what is fetched has changed")
		}
	}
}
