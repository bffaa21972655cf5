package page

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"swapmc/internal/results"
	"swapmc/speedup"
)

// question is what the folder asks, in a sentence.
func (m *Model) question() string {
	if len(m.Settings) == 0 {
		return "No run has begun."
	}
	protocols := count(len(m.Protocols)-1, "protocol")
	if len(m.Protocols) == 1 {
		protocols = "no swaps"
	}
	over := ""
	if len(m.Settings) > 1 {
		var names []string
		for _, k := range m.Keys {
			if k.Setting != nil {
				names = append(names, results.Short(k.Name))
			}
		}
		over = fmt.Sprintf(" in %s (%s)", count(len(m.Settings), "setting"), list(names, 4))
	}
	seeds := map[uint64]bool{}
	for _, r := range m.Runs {
		seeds[r.Seed] = true
	}
	c := m.Settings[0].Config
	value := func(key string) string {
		for _, k := range m.Keys {
			if k.Name == key {
				if len(k.Values) > 3 {
					return fmt.Sprintf("%d values of %s", len(k.Values), results.Short(key))
				}
				return strings.Join(k.Values, " / ")
			}
		}
		return c[key]
	}
	if m.System == "glass" {
		return fmt.Sprintf("Do swaps of diameters make this liquid relax faster? %s, %s particles, T = %s: %s%s, %s.",
			value("model"), value("particles"), value("temperature"), protocols, over, count(len(seeds), "seed"))
	}
	return fmt.Sprintf("Does swapping speed up training? %s on %s, %s at a learning rate of %s: %s against no swaps%s, %s.",
		value("network"), value("data.set"), value("optimizer.name"), value("optimizer.lr"), protocols, over, count(len(seeds), "seed"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// list writes at most so many texts.
func list(texts []string, most int) string {
	if len(texts) > most {
		texts = append(slices.Clone(texts[:most]), fmt.Sprintf("%d more", len(texts)-most))
	}
	return strings.Join(texts, ", ")
}

// answer is what the comparisons say, in a sentence.
func (m *Model) answer() string {
	verdicts := map[speedup.Verdict]int{}
	var faster []string
	n := 0
	for i := range m.compared {
		if !m.compared[i].ok {
			continue
		}
		c := &m.compared[i].c
		for k := range c.Protocols {
			p := &c.Protocols[k]
			n++
			verdicts[p.Verdict]++
			if t := p.At(c.HeadlineTarget()); p.Verdict == speedup.Faster && t != nil {
				where := ""
				if m.Settings[i].Label != "" {
					where = " (" + m.Settings[i].Label + ")"
				}
				faster = append(faster, fmt.Sprintf("%s%s is %.2f times faster [%.2f, %.2f]", p.Text, where, t.Iterations.Speedup, t.Iterations.Low, t.Iterations.High))
			}
		}
	}
	if n == 0 {
		return "Nothing to compare yet: it takes runs without swaps and runs with them that have ended."
	}
	if len(faster) > 3 {
		s := fmt.Sprintf("%d of %d comparisons show swaps to be faster", len(faster), n)
		if slower := verdicts[speedup.Slower]; slower > 0 {
			s += fmt.Sprintf(", %d slower", slower)
		}
		return s + "."
	}
	if len(faster) > 0 {
		return strings.Join(faster, "; ") + "."
	}
	undecided := verdicts[speedup.TooFewSeeds]
	switch {
	case undecided == n:
		return "Too few seeds for a verdict: at least three pairs are needed."
	case n == 1 && verdicts[speedup.Slower] == 1:
		return "The swaps make it slower."
	case n == 1:
		return "No difference is shown."
	}
	s := fmt.Sprintf("None of the %d comparisons shows swaps to be faster", n)
	if slower := verdicts[speedup.Slower]; slower > 0 {
		s += fmt.Sprintf(", %d show them to be slower", slower)
	}
	return s + "."
}

// fixed is the configuration that all runs share.
func (m *Model) fixed() [][2]string {
	list := [][2]string{}
	if len(m.Settings) == 0 {
		return list
	}
	var names []string
	for name := range m.Settings[0].Config {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		v := m.Settings[0].Config[name]
		if v != "" && !slices.ContainsFunc(m.Settings, func(s results.Setting) bool { return s.Config[name] != v }) {
			list = append(list, [2]string{name, v})
		}
	}
	return list
}

// commands make the numbers of the page again.
func (m *Model) commands() []CommandView {
	dir := results.Quote(m.Path)
	list := []CommandView{{"this page, its figures and its tables, from the runs in the folder", "swapmc report " + dir}}
	compared := 0
	for i := range m.compared {
		if m.compared[i].ok {
			compared++
		}
	}
	if compared == 1 && len(m.Settings) == 1 {
		list = append(list,
			CommandView{"every speed-up, interval and verdict, and compare.csv with the curve S(target); runs that are missing are made", "swapmc compare " + dir},
			CommandView{"the same from nothing", "swapmc compare " + dir + "/spec.yaml --out again"})
	}
	return append(list, CommandView{"this page, while runs go on", "swapmc serve " + dir})
}

// inParallel calls do for 0 to n-1 on all cores.
func inParallel(n int, do func(int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				do(k)
			}
		})
	}
	workers.Wait()
}
