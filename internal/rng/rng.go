// Package rng derives independent random streams from one seed by name.
//
// A run draws from several streams ("order", "init", "swap/0", ...). Each is a
// PCG generator whose state is the SHA-256 hash of the seed and the name, so a
// stream does not depend on which others exist or on how much was drawn from
// them: switching a swap protocol on leaves the initial weights and the order
// of the data untouched, and runs can be compared seed by seed.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream is a random generator that can be saved and restored.
type Stream struct {
	*rand.Rand
	source *rand.PCG
}

// New returns the stream of that name under seed. Equal arguments give equal
// streams; streams of different names are statistically independent.
func New(seed uint64, name string) *Stream {
	h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(name+"\x00"), seed))
	var state struct {
		rand.PCG
		_ [112]byte // others may be drawn from at once: cache lines of its own
	}
	state.Seed(binary.BigEndian.Uint64(h[:8]), binary.BigEndian.Uint64(h[8:16]))
	return &Stream{Rand: rand.New(&state.PCG), source: &state.PCG}
}

// Uint64 is that of Rand, without the way round an interface.
func (s *Stream) Uint64() uint64 { return s.source.Uint64() }

// Seed begins the stream that a key and a number stand for: of the same key, streams of different numbers
// are as good as independent. It allocates nothing.
func (s *Stream) Seed(key, number uint64) {
	s.source.Seed(mixed(key+(2*number+1)*golden), mixed(key+(2*number+2)*golden))
}

// golden is 2^64 over the golden ratio. Steps of it, mixed, are the generator SplitMix64 (Steele, Lea and Flood,
// Proc. OOPSLA 2014, 453).
const golden = 0x9e3779b97f4a7c15

func mixed(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// MarshalBinary returns the position in the stream.
func (s *Stream) MarshalBinary() ([]byte, error) { return s.source.MarshalBinary() }

// UnmarshalBinary continues from a position that MarshalBinary returned.
func (s *Stream) UnmarshalBinary(state []byte) error { return s.source.UnmarshalBinary(state) }
