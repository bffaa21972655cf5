package lab

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"swapmc/swap"
)

// Protocols act together in one run. None at all is the baseline.
type Protocols []swap.Protocol

// ParseProtocols reads protocols joined by " + ".
func ParseProtocols(text string) (Protocols, error) {
	list, err := swap.ParseList(text)
	return Protocols(list), err
}

func (p Protocols) String() string { return swap.FormatList(p) }

// MarshalText writes the protocols as String does.
func (p Protocols) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what [ParseProtocols] reads.
func (p *Protocols) UnmarshalText(text []byte) (err error) {
	*p, err = ParseProtocols(string(text))
	return err
}

// Network is a network as nn.Parse reads it. In YAML it may also be a list of
// layers.
type Network string

// UnmarshalYAML reads a name, a text, or a list of layers.
func (n *Network) UnmarshalYAML(unmarshal func(any) error) error {
	var layers []string
	if unmarshal(&layers) == nil {
		*n = Network(strings.Join(layers, ", "))
		return nil
	}
	var text string
	if unmarshal(&text) != nil {
		return errors.New("want the name of a network, or a list of layers")
	}
	*n = Network(text)
	return nil
}

// Seeds of runs. In YAML and on the command line the number n stands for the
// seeds 1 to n; a list names them.
type Seeds []uint64

// maxSeeds keeps a slip of the finger from filling the memory.
const maxSeeds = 1 << 16

// FirstSeeds returns the seeds 1 to n.
func FirstSeeds(n int) Seeds {
	s := make(Seeds, n)
	for i := range s {
		s[i] = uint64(i) + 1
	}
	return s
}

// MarshalYAML writes a number where the seeds are 1 to n, else a list.
func (s Seeds) MarshalYAML() (any, error) {
	if IsFirstSeeds(s) {
		return len(s), nil
	}
	return []uint64(s), nil
}

// UnmarshalYAML reads a number or a list.
func (s *Seeds) UnmarshalYAML(unmarshal func(any) error) error {
	var list []uint64
	if unmarshal(&list) == nil {
		*s = list
		return nil
	}
	var n uint64
	if err := unmarshal(&n); err != nil || n < 1 || n > maxSeeds {
		return fmt.Errorf("want a number of seeds from 1 to %d, or a list of seeds", maxSeeds)
	}
	*s = FirstSeeds(int(n))
	return nil
}

// alternatives writes "a, b or c".
func alternatives(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// IsFirstSeeds tells whether the seeds are 1 to n.
func IsFirstSeeds(s Seeds) bool { return slices.Equal(s, FirstSeeds(len(s))) }

// ParseSeeds reads a number of seeds, "3", or a list, "4,7" ("4," is a list of
// one).
func ParseSeeds(text string) (Seeds, error) {
	fault := fmt.Errorf("want a number of seeds from 1 to %d, or a list such as 4,7", maxSeeds)
	parts := strings.Split(text, ",")
	var s Seeds
	for i, part := range parts {
		part = strings.TrimSpace(part)
		if i > 0 && i == len(parts)-1 && part == "" {
			break
		}
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return nil, fault
		}
		s = append(s, n)
	}
	if len(parts) > 1 {
		return s, nil
	}
	if s[0] < 1 || s[0] > maxSeeds {
		return nil, fault
	}
	return FirstSeeds(int(s[0])), nil
}
