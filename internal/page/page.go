package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/report"
)

//go:embed assets/page.html
var pageText string

//go:embed assets/uplot/uPlot.min.css
var chartStyle string

//go:embed assets/page.css
var style string

//go:embed assets/uplot/uPlot.iife.min.js
var chartScript string

//go:embed assets/model.js
var modelScript string

//go:embed assets/chart.js
var curvesScript string

//go:embed assets/sections.js
var sectionsScript string

//go:embed assets/main.js
var mainScript string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// scripts are one script, so that one hash allows it and nothing else.
func scripts() string {
	return strings.Join([]string{chartScript, modelScript, curvesScript, sectionsScript, mainScript}, "\n")
}

// Policy is the content security policy of the page: its own script, no other, and
// nothing from elsewhere.
func Policy() string {
	sum := sha256.Sum256([]byte(scripts()))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; script-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// shell is the page around the data.
type shell struct {
	Title   string
	Live    bool
	Policy  string
	Style   template.CSS
	Script  template.JS
	View    template.JS
	Runs    template.JS
	Points  template.JS
	Figures []fileSet
}

// A fileSet is a figure in all formats, as URLs.
type fileSet struct {
	Name, Title   string
	SVG, PDF, PNG template.URL
}

func newShell(title string) shell {
	return shell{Title: title, Policy: Policy(), Style: template.CSS(chartStyle + style), Script: template.JS(scripts())}
}

// Live writes the page for a server that sends the data.
func Live(w io.Writer, title string) error {
	s := newShell(title)
	s.Live = true
	return pageTemplate.Execute(w, s)
}

// most points that a file holds, so that it opens at once: 32 bytes each, before
// compression.
const mostPoints = 400_000

// Write writes report.html into a folder, and beside it, in report/, every figure as
// SVG, PDF and PNG and the tables as Markdown, LaTeX and CSV. It returns the paths.
func (m *Model) Write(dir string) (paths []string, err error) {
	files := filepath.Join(dir, "report")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return nil, err
	}
	v := m.View()
	s := newShell(v.Title)
	figures := m.Figures()
	s.Figures = make([]fileSet, len(figures))
	contents := make([]map[report.Format][]byte, len(figures))
	errs := make([]error, len(figures))
	inParallel(len(figures), func(i int) {
		contents[i] = map[report.Format][]byte{}
		for _, format := range report.Formats() {
			if contents[i][format], errs[i] = figures[i].bytes(format); errs[i] != nil {
				return
			}
		}
	})
	for i, f := range figures {
		if errs[i] != nil {
			return nil, errs[i]
		}
		for _, format := range report.Formats() {
			path := filepath.Join(files, f.Name+"."+string(format))
			if err := atomicfile.WriteBytes(path, contents[i][format]); err != nil {
				return nil, err
			}
			paths = append(paths, path)
		}
		s.Figures[i] = fileSet{f.Name, f.Title, dataURL("image/svg+xml", contents[i][report.SVG]), dataURL("application/pdf", contents[i][report.PDF]), dataURL("image/png", contents[i][report.PNG])}
	}
	tables, err := m.writeTables(files)
	if err != nil {
		return nil, err
	}
	paths = append(paths, tables...)
	if err := m.fill(&s, v); err != nil {
		return nil, err
	}
	page := filepath.Join(dir, "report.html")
	if err := atomicfile.Write(page, func(w io.Writer) error { return pageTemplate.Execute(w, s) }); err != nil {
		return nil, err
	}
	return append([]string{page}, paths...), nil
}

func dataURL(kind string, b []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(b))
}

// fill puts the view and the runs into the page.
func (m *Model) fill(s *shell, v *View) error {
	most := 0
	if rows := m.rows(); rows > mostPoints {
		most = max(20, mostPoints/max(1, len(m.Runs)))
		v.Thinned = most
	}
	runs := make([]RunView, len(m.Runs))
	points := make([][]byte, len(m.Runs))
	inParallel(len(m.Runs), func(i int) {
		runs[i], points[i] = m.run(m.Runs[i], 0, most)
	})
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return err
	}
	for _, p := range points {
		if _, err := z.Write(p); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	s.Points = template.JS(base64.StdEncoding.EncodeToString(packed.Bytes()))
	for _, part := range []struct {
		to   *template.JS
		from any
	}{{&s.View, v}, {&s.Runs, runs}} {
		text, err := json.Marshal(part.from) // escapes <, > and &
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		*part.to = template.JS(text)
	}
	return nil
}

func (m *Model) rows() int {
	rows := 0
	for _, r := range m.Runs {
		rows += r.Metrics.Rows()
	}
	return rows
}

func float32s(points []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint32(points, math.Float32bits(float32(x)))
}

// writeTables writes the verdicts of each setting.
func (m *Model) writeTables(dir string) (paths []string, err error) {
	var markdown, latex bytes.Buffer
	for i := range m.compared {
		if !m.compared[i].ok {
			continue
		}
		if label := m.Settings[i].Label; label != "" {
			fmt.Fprintf(&markdown, "\n%s\n\n", label)
			fmt.Fprintf(&latex, "\n%% %s\n", label)
		}
		markdown.WriteString(m.compared[i].view.Markdown)
		latex.WriteString(m.compared[i].view.LaTeX)
	}
	if markdown.Len() == 0 {
		return nil, nil
	}
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"verdicts.md", func(w io.Writer) error { _, err := w.Write(markdown.Bytes()); return err }},
		{"verdicts.tex", func(w io.Writer) error { _, err := w.Write(latex.Bytes()); return err }},
		{"verdicts.csv", m.writeCSV},
	} {
		path := filepath.Join(dir, f.name)
		if err := atomicfile.Write(path, f.write); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// writeCSV writes one row for each setting, protocol and target of a comparison.
func (m *Model) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := []string{"setting"}
	for _, k := range m.Keys {
		if k.Setting != nil {
			head = append(head, k.Name)
		}
	}
	out.Write(append(head, "protocol", "target", "speedup_iterations", "low", "high", "speedup_time", "low_time", "high_time", "reached", "reached_baseline", "seeds", "verdict", "verdict_time"))
	number := func(x float64) string {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	for i := range m.compared {
		if !m.compared[i].ok {
			continue
		}
		start := []string{strconv.Itoa(i + 1)}
		for _, k := range m.Keys {
			if k.Setting != nil {
				start = append(start, k.Values[k.Setting[i]])
			}
		}
		for _, p := range m.compared[i].c.Protocols {
			for _, t := range p.Targets {
				out.Write(append(slices.Clip(start), p.Text, number(t.Target), number(t.Iterations.Speedup), number(t.Iterations.Low), number(t.Iterations.High),
					number(t.Time.Speedup), number(t.Time.Low), number(t.Time.High), strconv.Itoa(t.Reached), strconv.Itoa(t.ReachedBaseline), strconv.Itoa(t.Seeds), string(t.Verdict), string(t.VerdictTime)))
			}
		}
	}
	out.Flush()
	return out.Error()
}
