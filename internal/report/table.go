package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"swapmc/speedup"
)

// Table writes the result at the headline target for a terminal: one line a
// protocol.
func Table(w io.Writer, c *speedup.Comparison) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	target := c.HeadlineTarget()
	if math.IsNaN(target) {
		_, err := fmt.Fprintf(w, "No target: the %s of the runs without swaps does not fall.\n", quantity(c))
		return err
	}
	fmt.Fprintf(w, "Speed-up to a %s of %.4g, against no swaps (geometric mean over seeds, 95%% interval):\n\n", quantity(c), target)
	fmt.Fprintf(t, "protocol\t%s\ttime\treached\tverdict\n", unit(c))
	for i := range c.Protocols {
		p := &c.Protocols[i]
		r := p.At(target)
		if r == nil {
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d/%d\t%s\n", p.Text, Estimate(r.Iterations), Estimate(r.Time), r.Reached, r.Seeds, r.Verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r := first(c); r != nil {
		_, err := fmt.Fprintf(w, "\nWithout swaps %d of %d runs reach it", r.ReachedBaseline, r.Seeds)
		if m := float64(r.MedianBaseline); err == nil && !math.IsInf(m, 0) && !math.IsNaN(m) {
			_, err = fmt.Fprintf(w, ", after %.0f %s (median)", m, unit(c))
		}
		if err == nil {
			_, err = fmt.Fprintf(w, ". Verdicts are on %s, with Holm's correction over %d protocols.\n", unit(c), len(c.Protocols))
		}
		return err
	}
	return nil
}

// Correlation is the Metric of comparisons of relaxation times, from the correlation of
// a configuration with a later one.
const Correlation = "correlation"

// quantity names what falls to a target.
func quantity(c *speedup.Comparison) string {
	if c.Metric == Correlation {
		return "correlation F_s"
	}
	return "training loss"
}

// unit names the steps of a run.
func unit(c *speedup.Comparison) string {
	if c.Metric == Correlation {
		return "sweeps"
	}
	return "iterations"
}

func first(c *speedup.Comparison) *speedup.Target {
	if len(c.Protocols) == 0 {
		return nil
	}
	return c.Protocols[0].At(c.HeadlineTarget())
}

// Estimate writes "1.52 [1.31, 1.77]", with <= or >= before a bound and ~ before what was
// fitted to times of which some are bounds.
func Estimate(e speedup.Estimate) string {
	if math.IsNaN(e.Speedup) {
		return "-"
	}
	s := e.Mark() + fmt.Sprintf("%.2f", e.Speedup)
	if math.IsNaN(e.Low) {
		return s
	}
	return fmt.Sprintf("%s [%.2f, %.2f]", s, e.Low, e.High)
}

// Markdown writes the table of [Table] for a README or a paper's supplement.
func Markdown(w io.Writer, c *speedup.Comparison) error {
	target := c.HeadlineTarget()
	fmt.Fprintf(w, "| protocol | speed-up in %s to a %s of %.4g | in time | reached | verdict |\n|---|---|---|---|---|\n", unit(c), quantity(c), target)
	var err error
	for i := range c.Protocols {
		p := &c.Protocols[i]
		if r := p.At(target); r != nil {
			_, err = fmt.Fprintf(w, "| `%s` | %s | %s | %d/%d | %s |\n", p.Text, Estimate(r.Iterations), Estimate(r.Time), r.Reached, r.Seeds, r.Verdict)
		}
	}
	return err
}

// LaTeX writes the table of [Table] for a paper, with the rules of package booktabs.
func LaTeX(w io.Writer, c *speedup.Comparison) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%% \\usepackage{booktabs}\n\\begin{tabular}{lllll}\n\\toprule\nprotocol & speed-up in %s & in time & reached & verdict \\\\\n\\midrule\n", unit(c))
	for i := range c.Protocols {
		p := &c.Protocols[i]
		if r := p.At(c.HeadlineTarget()); r != nil {
			fmt.Fprintf(&b, "\\texttt{%s} & %s & %s & %d/%d & %s \\\\\n", escape.Replace(p.Text), formula(r.Iterations), formula(r.Time), r.Reached, r.Seeds, r.Verdict)
		}
	}
	fmt.Fprintf(&b, "\\bottomrule\n\\end{tabular}\n%% to a %s of %.4g, geometric mean over seeds, 95%% interval\n", quantity(c), c.HeadlineTarget())
	_, err := io.WriteString(w, b.String())
	return err
}

// escape is for what LaTeX would take as its own.
var escape = strings.NewReplacer(`\`, `\textbackslash{}`, "_", `\_`, "%", `\%`, "&", `\&`, "#", `\#`, "$", `\$`, "{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`)

// formula is an estimate in LaTeX.
func formula(e speedup.Estimate) string {
	if math.IsNaN(e.Speedup) {
		return "--"
	}
	s := strings.NewReplacer("<=", `\le `, ">=", `\ge `, "~", `\sim `, "+Inf", `\infty`).Replace(Estimate(e))
	return "$" + s + "$"
}

// CSV writes one row for each protocol and target. What is not known is empty.
func CSV(w io.Writer, c *speedup.Comparison) error {
	out := csv.NewWriter(w)
	out.Write(strings.Fields("protocol target seeds reached reached_baseline median_iterations median_iterations_baseline " +
		"speedup_iterations speedup_iterations_low speedup_iterations_high p_iterations " +
		"speedup_time speedup_time_low speedup_time_high p_time at_most at_least verdict verdict_time"))
	num := func(x float64) string {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	for _, p := range c.Protocols {
		for _, t := range p.Targets {
			i, s := t.Iterations, t.Time
			out.Write([]string{p.Text, num(t.Target), strconv.Itoa(t.Seeds), strconv.Itoa(t.Reached), strconv.Itoa(t.ReachedBaseline),
				num(float64(t.Median)), num(float64(t.MedianBaseline)), num(i.Speedup), num(i.Low), num(i.High), num(i.P),
				num(s.Speedup), num(s.Low), num(s.High), num(s.P), strconv.Itoa(i.AtMost), strconv.Itoa(i.AtLeast), string(t.Verdict), string(t.VerdictTime)})
		}
	}
	out.Flush()
	return out.Error()
}
