package page

import (
	"bytes"
	"context"
	"encoding/csv"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"swapmc/internal/browser"
	"swapmc/internal/lab"
	"swapmc/internal/liquid"
	"swapmc/internal/results"
	"swapmc/internal/results/resultstest"
)

func model(t testing.TB, dir string) *Model {
	t.Helper()
	f, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Refresh(true); err != nil {
		t.Fatal(err)
	}
	m := &Model{Folder: f, Version: "test"}
	m.Update()
	return m
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	evil := resultstest.Arm{Protocol: "</script><img src=x onerror=alert(1)>", Speed: 1}
	resultstest.Write(t, dir, resultstest.Plan(append(resultstest.Arms(), evil), []float64{0.02, 0.1}, 3, 60))
	m := model(t, dir)
	paths, err := m.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	if strings.Contains(page, "<img src=x") || strings.Count(page, "</script>") != 4 {
		t.Error("a text from a file became a part of the page")
	}
	// Nothing from elsewhere: the only addresses are names of XML spaces and the chart
	// library's own.
	for _, m := range regexp.MustCompile(`(?i)(src|href|url)\s*[=(]\s*["']?(https?:)?//`).FindAllString(page, -1) {
		t.Errorf("the page wants something from elsewhere: %s", m)
	}
	seen := map[string]bool{}
	for _, p := range paths[1:] {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		seen[filepath.Base(p)] = true
		good := true
		switch filepath.Ext(p) {
		case ".svg":
			good = bytes.Contains(b, []byte("<svg"))
		case ".pdf":
			good = bytes.HasPrefix(b, []byte("%PDF")) && bytes.Contains(b, []byte("D:20000101000000"))
		case ".png":
			_, err := png.DecodeConfig(bytes.NewReader(b))
			good = err == nil
		case ".csv":
			rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
			good = err == nil && len(rows) == 1+2*4*18 && rows[0][1] == "optimizer.lr"
		case ".tex":
			good = strings.Count(string(b), `\begin{tabular}`) == 2 && strings.Contains(string(b), `\texttt{features:1SA}`)
		case ".md":
			good = strings.Contains(string(b), "| `features:1SA` |")
		}
		if !good {
			t.Errorf("%s is not what its name says", p)
		}
	}
	for _, want := range []string{"figure-1.svg", "figure-2.pdf", "heatmap.png", "verdicts.md", "verdicts.tex", "verdicts.csv"} {
		if !seen[want] {
			t.Errorf("no %s", want)
		}
	}
	if paths2, err := m.Write(dir); err != nil || len(paths2) != len(paths) {
		t.Errorf("a second time: %v", err)
	}

	b := browser.Open(t, 1000, 800)
	b.Go("file://" + paths[0])
	b.Wait("document.documentElement.dataset.ready === 'true'")
	var cells, runs int
	b.Run(&cells, "return [...document.querySelectorAll('.heat td')].filter(c => c.textContent).length")
	b.Run(&runs, "return document.querySelectorAll('#run-table tbody tr').length")
	if cells != 8 || runs != 30 {
		t.Errorf("%d cells of the heat map, %d runs", cells, runs)
	}
	if log := b.Log(); len(log) > 0 {
		t.Errorf("the page complains: %q", log)
	}
}

// simulated makes the runs of a spec of a glass in a folder.
func simulated(t *testing.T, dir string, change func(*liquid.Spec)) {
	t.Helper()
	s := liquid.Default()
	s.Particles, s.Equilibrate.Sweeps, s.Sweeps = 150, 20, 60
	change(&s)
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	plan, err := liquid.Plan(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := liquid.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Run(context.Background(), plan, 0, "test", nil); err != nil {
		t.Fatal(err)
	}
}

// What the page shows of a glass is what its runs have, and nothing empty.
func TestGlasses(t *testing.T) {
	swaps, err := lab.ParseProtocols("diameters:S p=0.2")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name             string
		change           func(*liquid.Spec)
		charts           string
		columns          string
		chips            string
		question, answer string
	}{
		{"tempering", func(s *liquid.Spec) {
			s.Temperature, s.Tempering, s.Protocols = liquid.Temperatures{0.25, 0.28, 0.31, 0.36}, 5, []lab.Protocols{swaps}
			s.Measure.Inherent, s.Measure.Structure = 2, 4
		}, "chart-energy chart-inherent chart-exchanged chart-g chart-s", "protocol,setting,seed,status,energy,inherent energy,exchanged,swaps accepted,seconds,run",
			"diameters:S p=0.2,T = 0.36,T = 0.31,T = 0.28,T = 0.25", "Parallel tempering with diameters:S p=0.2: soft-poly, 150 particles, 4 temperatures from 0.25 to 0.36, exchanges every 5 sweeps, 1 seed.", "Of the exchanges"},
		{"temperatures", func(s *liquid.Spec) {
			s.Temperature, s.Seeds = liquid.Temperatures{0.2, 0.25}, lab.FirstSeeds(2)
		}, "chart-fs chart-msd chart-diameter chart-chi4 chart-energy chart-g", "protocol,setting,seed,status,energy,tau,swaps accepted,seconds,run",
			"no swaps,T = 0.25,T = 0.2", "How does this liquid relax? soft-poly, 150 particles, T = 0.2, 0.25, 2 seeds.", "Relaxation time: more than 60 sweeps at T = 0.2, more than 60 sweeps at T = 0.25."},
		{"hard", func(s *liquid.Spec) {
			s.Model, s.Packing, s.Protocols = "hard-poly", 0.5, []lab.Protocols{swaps}
		}, "chart-fs chart-msd chart-diameter chart-chi4 chart-g", "protocol,seed,status,energy,tau,swaps accepted,seconds,run",
			"diameters:S p=0.2", "How does this liquid relax with diameters:S p=0.2? hard-poly, 150 particles, 1 seed.", "Relaxation time: more than 60 sweeps."},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			simulated(t, dir, c.change)
			m := model(t, dir)
			v := m.View()
			if v.Question != c.question || !strings.HasPrefix(v.Answer, c.answer) {
				t.Errorf("%q: %q", v.Question, v.Answer)
			}
			paths, err := m.Write(dir)
			if err != nil {
				t.Fatal(err)
			}
			b := browser.Open(t, 1000, 800)
			b.Go("file://" + paths[0])
			b.Wait("document.documentElement.dataset.ready === 'true'")
			var charts, columns, chips string
			var map_, lines bool
			b.Run(&charts, "return [...document.querySelectorAll('#charts .chart')].filter(c => !c.hidden).map(c => c.id).join(' ')")
			b.Run(&columns, "return [...document.querySelectorAll('#run-table th')].map(h => h.textContent.replace(/ [▴▾]/, '')).join(',')")
			b.Run(&chips, "return [...document.querySelectorAll('#chips > *')].map(c => c.textContent).join(',')")
			b.Run(&map_, "return !document.getElementById('maps').hidden")
			b.Run(&lines, "return charts.filter(c => !c.chart.root.hidden).every(c => c.chart.curves.length && c.chart.curves.every(k => k.x.length && Array.prototype.some.call(k.y, Number.isFinite)))")
			if charts != c.charts || columns != c.columns || chips != c.chips || map_ || !lines {
				t.Errorf("charts %q, all with lines: %v\ncolumns %q\nchips %q\na map: %v", charts, lines, columns, chips, map_)
			}
			if log := b.Log(); len(log) > 0 {
				t.Errorf("the page complains: %q", log)
			}
		})
	}
}

// The map that is shown first has no gaps, and every value is on its axes.
func TestMapIsFull(t *testing.T) {
	dir := t.TempDir()
	arms := []resultstest.Arm{{Protocol: "none", Speed: 1}, {Protocol: "features:1AS", Speed: 1}, {Protocol: "features:1AS n=4", Speed: 2}, {Protocol: "features:1AS n=16", Speed: 1}}
	resultstest.Write(t, dir, resultstest.Plan(arms, []float64{0.02, 0.1}, 3, 60))
	m := model(t, dir)
	paths, err := m.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := browser.Open(t, 1000, 800)
	b.Go("file://" + paths[0])
	b.Wait("document.documentElement.dataset.ready === 'true'")
	var full, empty int
	var family string
	b.Run(&full, "return [...document.querySelectorAll('.heat td')].filter(c => c.textContent).length")
	b.Run(&empty, "return [...document.querySelectorAll('.heat td')].filter(c => !c.textContent).length")
	b.Run(&family, "state.map.own = true; state.map.x = 'n of features:1AS n=*'; state.map.y = 'lr'; renderMap(); return [...document.querySelectorAll('.heat thead tr:last-child th')].map(h => h.textContent).join(' ').trim()")
	if full != 6 || empty != 0 || family != "1 4 16" {
		t.Errorf("%d cells are full, %d empty; n = %s", full, empty, family)
	}
}

// What is thinned keeps both ends and never more than asked for.
func TestThin(t *testing.T) {
	for n := range 200 {
		for _, most := range []int{0, 2, 3, 20, 150} {
			index := thin(0, n, most)
			if n > 0 && (index[0] != 0 || index[len(index)-1] != n-1) || most == 0 && len(index) != n || most > 0 && len(index) > most {
				t.Fatalf("%d of at most %d: %v", n, most, index)
			}
		}
	}
}

// A report of 200 MB of metrics: the time is printed, not judged.
func TestLargeReport(t *testing.T) {
	if os.Getenv("SWAPMC_LOAD") == "" {
		t.Skip("a measurement: SWAPMC_LOAD=1 go test ./internal/page -run Large -v")
	}
	dir := t.TempDir()
	resultstest.Write(t, dir, resultstest.Plan(resultstest.Arms(), []float64{0.01, 0.02, 0.05, 0.1, 0.2}, 5, 24000))
	var size int64
	filepath.Walk(dir, func(_ string, info os.FileInfo, _ error) error { size += info.Size(); return nil })
	began, used := time.Now(), browser.Processor(os.Getpid())
	m := model(t, dir)
	read := time.Since(began)
	paths, err := m.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d runs, %.0f MB: read and compared in %.1f s, all written after %.1f s (%.1f s of processor time); the page has %.1f MB", len(m.Runs), float64(size)/1e6, read.Seconds(), time.Since(began).Seconds(), (browser.Processor(os.Getpid()) - used).Seconds(), float64(info.Size())/1e6)
}
