package page

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat"

	"swapmc/glass"
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
	if m.System == "glass" {
		return m.glassQuestion(count(len(seeds), "seed"))
	}
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
	return fmt.Sprintf("Does swapping speed up training? %s on %s, %s at a learning rate of %s: %s against no swaps%s, %s.",
		value("network"), value("data.set"), value("optimizer.name"), value("optimizer.lr"), protocols, over, count(len(seeds), "seed"))
}

// glassQuestion is what runs of glasses ask.
func (m *Model) glassQuestion(seeds string) string {
	c := m.Settings[0].Config
	value := func(name string) string {
		for _, k := range m.Keys {
			if k.Name == name {
				return list(k.Values, 4)
			}
		}
		return c[name]
	}
	parts := []string{value("model"), value("particles") + " particles"}
	temperatures := m.temperatures()
	switch n := len(temperatures); {
	case n > 3:
		parts = append(parts, fmt.Sprintf("%d temperatures from %s to %s", n, temperatures[0], temperatures[n-1]))
	case n > 0:
		parts = append(parts, "T = "+strings.Join(temperatures, ", "))
	}
	for _, k := range m.Keys {
		if k.Setting != nil && !slices.Contains([]string{"model", "particles", "temperature"}, k.Name) {
			parts = append(parts, count(len(k.Values), "value")+" of "+results.Short(k.Name))
		}
	}
	protocols, baseline := m.made()
	ask := "How does this liquid relax?"
	switch {
	case m.tempering() && len(protocols) == 0:
		ask = "Parallel tempering:"
	case m.tempering():
		ask = "Parallel tempering with " + list(protocols, 2) + ":"
	case baseline && len(protocols) > 0:
		ask = "Do swaps of diameters make this liquid relax faster?"
		parts = append(parts, count(len(protocols), "protocol")+" against no swaps")
	case len(protocols) > 0:
		ask = "How does this liquid relax with " + list(protocols, 2) + "?"
	}
	if m.tempering() {
		parts = append(parts, "exchanges every "+value("tempering.every")+" sweeps")
	}
	return ask + " " + strings.Join(append(parts, seeds), ", ") + "."
}

// made are the protocols of which there are runs, and whether there are runs without any.
func (m *Model) made() (protocols []string, baseline bool) {
	for _, r := range m.Runs {
		if r.Protocol == m.Protocols[0] {
			baseline = true
		} else if !slices.Contains(protocols, r.Protocol) {
			protocols = append(protocols, r.Protocol)
		}
	}
	return protocols, baseline
}

// tempering tells whether all runs exchange configurations.
func (m *Model) tempering() bool {
	return len(m.Runs) > 0 && !slices.ContainsFunc(m.Runs, func(r *results.Run) bool { return r.Liquid == nil || r.Liquid.Tempering == nil })
}

// temperatures are those of all runs, from low to high; of hard particles, which have none, none.
func (m *Model) temperatures() []string {
	for _, k := range m.Keys {
		if k.Name == "temperature" {
			return k.Values
		}
	}
	c := m.Settings[0].Config
	if model, err := glass.FindModel(c["model"]); err != nil || model.Hard {
		return nil
	}
	return []string{c["temperature"]}
}

// glassAnswer is what runs of glasses tell that have nothing to be compared with.
func (m *Model) glassAnswer() string {
	if m.tempering() {
		least, most := math.Inf(1), math.Inf(-1)
		trips := map[string]int64{}
		for _, r := range m.Runs {
			if r.Result == nil || r.Result.Exchanges == nil {
				continue
			}
			e := r.Result.Exchanges
			trips[fmt.Sprint(r.Seed, " ", r.Protocol)] = e.RoundTrips
			if e.Next != nil && e.Next.Proposed > 0 {
				least, most = min(least, float64(e.Next.Rate)), max(most, float64(e.Next.Rate))
			}
		}
		if len(trips) == 0 || least > most {
			return "No ladder of temperatures has ended yet."
		}
		var all int64
		for _, n := range trips {
			all += n
		}
		return fmt.Sprintf("Of the exchanges between neighbouring temperatures %.0f%% to %.0f%% are accepted; configurations made %s between the first temperature and the last.",
			100*least, 100*most, count(int(all), "round trip"))
	}
	var parts []string
	temperatures := m.temperatures()
	if temperatures == nil {
		temperatures = []string{""}
	}
	for _, t := range temperatures {
		var logs []float64
		bound := false
		for _, r := range m.Runs {
			if r.Result == nil || t != "" && r.Config["temperature"] != t || len(r.Result.Curves.Time) == 0 {
				continue
			}
			logs = append(logs, math.Log(r.Result.Tau.Value))
			bound = bound || !r.Result.Tau.Reached
		}
		if len(logs) == 0 {
			continue
		}
		more := ""
		if bound {
			more = "more than "
		}
		tau := math.Exp(stat.Mean(logs, nil))
		digit := math.Pow(10, math.Floor(math.Log10(tau))-2) // the third
		text := fmt.Sprintf("%s%.0f sweeps", more, math.Round(tau/digit)*digit)
		if t != "" {
			text += " at T = " + t
		}
		parts = append(parts, text)
	}
	if protocols, baseline := m.made(); len(parts) == 0 || len(m.Settings) > len(temperatures) || len(protocols) > 1 || baseline && len(protocols) > 0 {
		return "Nothing to compare yet: it takes runs without swaps and runs with them that have ended."
	}
	return "Relaxation time: " + list(parts, 6) + "."
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
	if n == 0 && m.System == "glass" {
		return m.glassAnswer()
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
