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
	source := rand.NewPCG(binary.BigEndian.Uint64(h[:8]), binary.BigEndian.Uint64(h[8:16]))
	return &Stream{Rand: rand.New(source), source: source}
}

// Uint64 is that of Rand, without the way round an interface.
func (s *Stream) Uint64() uint64 { return s.source.Uint64() }

// MarshalBinary returns the position in the stream.
func (s *Stream) MarshalBinary() ([]byte, error) { return s.source.MarshalBinary() }

// UnmarshalBinary continues from a position that MarshalBinary returned.
func (s *Stream) UnmarshalBinary(state []byte) error { return s.source.UnmarshalBinary(state) }
