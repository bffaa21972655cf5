// Package spelling guesses what a misspelt name was meant to be.
package spelling

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// Hint returns " (did you mean NAME?)", ready to follow what was written in an error: the name that begins or ends with it,
// or else the one that is at most three letters away, if there is one. It is "" if there is none.
func Hint(got string, names []string) string {
	written := strings.ToLower(got)
	best, distance := "", 4
	for _, name := range names {
		n := strings.ToLower(name)
		d := levenshtein.Distance(written, n, nil)
		if len(written) > 2 && (strings.HasPrefix(n, written) || strings.HasSuffix(n, written)) {
			d = 1
		}
		if d < distance && 2*d < max(len(n), len(written))+1 {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}
