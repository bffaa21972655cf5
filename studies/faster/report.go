package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/report"
	"swapmc/speedup"
)

// report writes what the runs say that have been made, into a folder: CSV files, figures,
// and tables, which also replace those between the marks of a README.md that lies there.
func (s *study) report(folder string) error {
	findings, err := s.findings()
	if err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var choices []*choice
	for _, f := range findings {
		for _, r := range f.results {
			choices = append(choices, r.choice)
		}
	}
	if err := writeTuning(in("tuning.csv"), choices); err != nil {
		return err
	}
	if err := writeSeeds(in("seeds.csv"), s.folder, choices); err != nil {
		return err
	}
	costs, err := readCost(s.folder.Path("cost.csv"))
	if err != nil {
		return err
	}
	if len(costs) > 0 {
		if err := writeCSV(in("cost.csv"), append([][]string{costHeader}, costs...)); err != nil {
			return err
		}
	}
	if err := writeCSV(in("ways.csv"), wayRows(findings)); err != nil {
		return err
	}
	if err := writeCSV(in("speedups.csv"), speedupRows(findings)); err != nil {
		return err
	}
	all := tables(findings)
	if err := atomicfile.WriteBytes(in("tables.md"), []byte(page(all))); err != nil {
		return err
	}
	for _, figure := range figures(findings) {
		if len(figure.Panels) == 0 {
			continue
		}
		if err := figure.Write(in(figure.name), report.SVG, report.PNG); err != nil {
			return err
		}
	}
	readme, err := os.ReadFile(in("README.md"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := fill(string(readme), all)
	if err != nil {
		return fmt.Errorf("%s: %w", in("README.md"), err)
	}
	if text == string(readme) {
		return nil
	}
	return atomicfile.WriteBytes(in("README.md"), []byte(text))
}

// A table is a piece of Markdown, with the name that the marks of a README have.
type table struct{ name, text string }

var mark = regexp.MustCompile(`(?s)<!-- table:([\w-]+) -->\n(.*?)<!-- end -->`)

// fill replaces what stands between <!-- table:NAME --> and <!-- end --> by the tables.
func fill(text string, tables []table) (string, error) {
	var faults []error
	text = mark.ReplaceAllStringFunc(text, func(all string) string {
		part := mark.FindStringSubmatch(all)
		i := slices.IndexFunc(tables, func(t table) bool { return t.name == part[1] })
		switch {
		case strings.Contains(part[2], "<!-- table:"):
			faults = append(faults, fmt.Errorf("table:%s has no <!-- end --> before the next table", part[1]))
			return all
		case i < 0:
			faults = append(faults, fmt.Errorf("table:%s: there is no such table", part[1]))
			return all
		}
		return fmt.Sprintf("<!-- table:%s -->\n%s<!-- end -->", part[1], tables[i].text)
	})
	if strings.Count(text, "<!-- table:") != strings.Count(text, "<!-- end -->") {
		faults = append(faults, errors.New("not as many <!-- end --> as <!-- table:NAME -->"))
	}
	return text, errors.Join(faults...)
}

// page is all tables below each other.
func page(tables []table) string {
	var b strings.Builder
	b.WriteString("<!-- Written by go run ./studies/faster -stage report. -->\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n%s", t.name, t.text)
	}
	return b.String()
}

// tables are what is missing, the claim, the profile, and of each problem the ways at the
// headline and at all targets.
func tables(findings []*finding) []table {
	list := []table{{"missing", missingTable(findings)}, {"claim", claimTable(findings)}, {"profile", profileTable(findings)}}
	for _, f := range findings {
		list = append(list, table{f.problem.name, f.table()}, table{f.problem.name + "-targets", f.targetsTable()})
	}
	return list
}

func missingTable(findings []*finding) string {
	var b strings.Builder
	for _, f := range findings {
		if len(f.missing) > 0 {
			fmt.Fprintf(&b, "- %s: %s\n", f.problem.name, strings.Join(f.missing, "; "))
		}
	}
	if b.Len() == 0 {
		return "Nothing is missing.\n"
	}
	return "Missing so far:\n\n" + b.String()
}

// claimTable judges, for each problem, the swap way that did best in tuning.
func claimTable(findings []*finding) string {
	rows := [][]string{{"problem", "loss", "best baseline", "iterations", "best swap way", "times fewer iterations", "times less time", "claim", "other swap ways that hold"}}
	for _, f := range findings {
		way, text := f.tuned(swaps), ""
		row := []string{f.problem.name, number(f.problem.headline), "-", "-", "-", "-", "-", "", "-"}
		if f.base != nil {
			row[2], row[3] = named(f.base), iterations(f.base, f.problem.headline)
		}
		switch {
		case f.base == nil:
			text = "no baseline is tuned"
		case len(f.base.runs) == 0:
			text = "the best baseline has no fresh seeds"
		case way == nil:
			text = "no swap way is tuned"
		case len(way.runs) == 0:
			row[4], text = named(way), "no fresh seeds"
		default:
			t := f.at(f.best, way)
			row[4], row[5], row[6] = named(way), report.Estimate(t.Iterations), report.Estimate(t.Time)
			text = "**holds**"
			if yes, why := holds(t); !yes {
				text = "does not hold: " + why
			}
			if other := f.othersThatHold(way); len(other) > 0 {
				row[8] = strings.Join(other, ", ")
			}
		}
		if len(f.missing) > 0 {
			text = "so far: " + text
		}
		row[7] = text
		rows = append(rows, row)
	}
	return markdown(rows)
}

// othersThatHold are the swap ways but one for which the claim holds.
func (f *finding) othersThatHold(but *result) []string {
	var list []string
	for _, r := range f.results {
		if r == but || r.way.kind != swaps {
			continue
		}
		if t := f.at(f.best, r); t != nil {
			if yes, _ := holds(t); yes {
				list = append(list, "`"+r.way.name+"`")
			}
		}
	}
	return list
}

// table is the ways at the headline, by kind.
func (f *finding) table() string {
	if f.base == nil {
		return "Nothing yet.\n"
	}
	p := f.problem
	loss := number(p.headline)
	rows := [][]string{{
		"way", "tuned", "iterations to " + loss, "reached",
		"times fewer than `" + f.base.way.name + "`", "times less time", "verdict", "times fewer than its own optimiser",
		"test accuracy at the end", "at " + loss,
	}}
	for _, k := range []kind{baseline, swaps, peer, control} {
		for _, r := range f.results {
			if r.way.kind != k {
				continue
			}
			_, reached := r.median(p.headline)
			final, moment := r.accuracies()
			row := []string{
				"`" + r.way.name + "`", setting(r), iterations(r, p.headline), fmt.Sprintf("%d/%d", reached, len(r.runs)),
				"-", "-", "-", "-", percent(final), percent(moment),
			}
			switch t := f.at(f.best, r); {
			case r == f.base:
				row[6] = "best baseline"
			case t != nil:
				row[4], row[5], row[6] = report.Estimate(t.Iterations), judged(t.Time, t.VerdictTime), words(t.Verdict)
			}
			if t := f.at(f.own, r); t != nil {
				row[7] = judged(t.Iterations, t.Verdict)
			}
			rows = append(rows, row)
		}
	}
	return markdown(rows)
}

// targetsTable is when each way reaches each target, and how much earlier than the best
// baseline.
func (f *finding) targetsTable() string {
	if f.base == nil {
		return "Nothing yet.\n"
	}
	head := []string{"way"}
	for _, target := range f.problem.targets {
		head = append(head, number(target))
	}
	rows := [][]string{head}
	for _, r := range f.results {
		row := []string{"`" + r.way.name + "`"}
		for _, target := range f.problem.targets {
			cell := iterations(r, target)
			if p := f.best[r.way.name]; p != nil {
				if t := p.At(target); t.Iterations.Pairs > 0 {
					cell += ": " + judged(t.Iterations, t.Verdict)
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return markdown(rows)
}

// named is a way and its setting.
func named(r *result) string { return "`" + r.way.name + "`, " + setting(r) }

// setting is what was tuned, marked where a better one may lie beyond what was tried.
func setting(r *result) string {
	text := r.trial().String()
	if e := r.edges(); e != "" {
		text += " (" + e + ")"
	}
	return text
}

// iterations is a median for people.
func iterations(r *result, target float64) string {
	m, _ := r.median(target)
	if len(r.runs) == 0 || math.IsInf(m, 0) {
		return "-"
	}
	return strconv.FormatFloat(m, 'f', 0, 64)
}

// judged is an estimate, and its verdict where there is a difference.
func judged(e speedup.Estimate, v speedup.Verdict) string {
	if v == speedup.Faster || v == speedup.Slower {
		return report.Estimate(e) + " " + words(v)
	}
	return report.Estimate(e)
}

// words is a verdict, one that something is shown in bold.
func words(v speedup.Verdict) string {
	if v == speedup.Faster || v == speedup.Slower {
		return "**" + string(v) + "**"
	}
	return string(v)
}

// percent is a mean of shares with its error, and of how many where not all seeds have one.
func percent(e estimate) string {
	if e.n == 0 {
		return "-"
	}
	text := fmt.Sprintf("%.1f%%", 100*e.mean)
	if e.err == e.err {
		text = fmt.Sprintf("%.1f ± %.1f%%", 100*e.mean, 100*e.err)
	}
	if e.n < len(fresh) {
		text += fmt.Sprintf(" (of %d)", e.n)
	}
	return text
}

// markdown is a table of which the first row is the head.
func markdown(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

// A profiled is the ways that all problems have, and their times on those problems on
// which all of them have runs.
type profiled struct {
	ways       []*way
	problems   []string
	iterations [][]float64 // [way][problem], medians to the headline
	seconds    [][]float64 // nil where a cost is missing
}

func profile(findings []*finding) profiled {
	var p profiled
	if len(findings) == 0 {
		return p
	}
	for _, w := range findings[0].ways {
		without := func(f *finding) bool {
			return !slices.ContainsFunc(f.ways, func(v *way) bool { return v.name == w.name })
		}
		if !slices.ContainsFunc(findings, without) {
			p.ways = append(p.ways, w)
		}
	}
	p.iterations, p.seconds = make([][]float64, len(p.ways)), make([][]float64, len(p.ways))
	costed := true
	for _, f := range findings {
		var list []*result
		for _, w := range p.ways {
			if r := f.result(w.name); r != nil && len(r.runs) == len(fresh) {
				list = append(list, r)
			}
		}
		if len(list) < len(p.ways) {
			continue
		}
		p.problems = append(p.problems, f.problem.name)
		for k, r := range list {
			m, _ := r.median(f.problem.headline)
			p.iterations[k] = append(p.iterations[k], m)
			p.seconds[k] = append(p.seconds[k], m*r.cost)
			costed = costed && r.cost > 0
		}
	}
	if !costed {
		p.seconds = nil
	}
	return p
}

// most is the factor up to which profiles are drawn and scored.
const most = 4

func profileTable(findings []*finding) string {
	p := profile(findings)
	if len(p.problems) == 0 {
		return "Nothing yet.\n"
	}
	rows := [][]string{{"way", "score in iterations", "score in time"}}
	byIterations, bySeconds := speedup.Profiles(p.iterations), speedup.Profiles(p.seconds)
	for k, w := range p.ways {
		row := []string{"`" + w.name + "`", fmt.Sprintf("%.2f", byIterations[k].Score(most)), "-"}
		if p.seconds != nil {
			row[2] = fmt.Sprintf("%.2f", bySeconds[k].Score(most))
		}
		rows = append(rows, row)
	}
	return markdown(rows) + fmt.Sprintf("\nOver %s.\n", strings.Join(p.problems, ", "))
}

// writeCSV writes rows, the head first.
func writeCSV(path string, rows [][]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
}

// wayRows are the ways on the fresh seeds.
func wayRows(findings []*finding) [][]string {
	rows := [][]string{strings.Fields("problem way kind lr x best_baseline seconds_per_iteration seeds target reached median_iterations " +
		"final_train_loss final_train_loss_error final_test_accuracy final_test_accuracy_error " +
		"target_test_accuracy target_test_accuracy_error accuracy_over_best_baseline accuracy_over_best_baseline_error")}
	for _, f := range findings {
		for _, r := range f.results {
			median, reached := r.median(f.problem.headline)
			var losses []float64
			for _, o := range r.runs {
				loss, _ := o.final()
				losses = append(losses, loss)
			}
			loss := mean(losses)
			final, moment := r.accuracies()
			over := estimate{mean: math.NaN(), err: math.NaN()}
			if f.base != nil && r != f.base {
				over = r.gained(f.base)
			}
			rows = append(rows, []string{
				f.problem.name, r.way.name, string(r.way.kind), r.trial().lr, r.trial().x, strconv.FormatBool(r == f.base), number(r.cost),
				strconv.Itoa(len(r.runs)), number(f.problem.headline), strconv.Itoa(reached), number(median),
				number(loss.mean), number(loss.err), number(final.mean), number(final.err), number(moment.mean), number(moment.err), number(over.mean), number(over.err),
			})
		}
	}
	return rows
}

// speedupRows are all comparisons.
func speedupRows(findings []*finding) [][]string {
	rows := [][]string{strings.Fields("problem way against opponent target seeds reached reached_opponent median_iterations median_iterations_opponent " +
		"speedup_iterations speedup_iterations_low speedup_iterations_high p_iterations verdict " +
		"speedup_time speedup_time_low speedup_time_high p_time verdict_time at_most at_least")}
	for _, f := range findings {
		add := func(r *result, against, opponent string, p *speedup.Protocol) {
			if p == nil {
				return
			}
			for _, t := range p.Targets {
				i, s := t.Iterations, t.Time
				verdictTime := string(t.VerdictTime)
				if s.Pairs == 0 && i.Pairs > 0 {
					verdictTime = "" // not measured
				}
				rows = append(rows, []string{
					f.problem.name, r.way.name, against, opponent, number(t.Target), strconv.Itoa(t.Seeds), strconv.Itoa(t.Reached), strconv.Itoa(t.ReachedBaseline),
					number(float64(t.Median)), number(float64(t.MedianBaseline)),
					number(i.Speedup), number(i.Low), number(i.High), number(i.P), string(t.Verdict),
					number(s.Speedup), number(s.Low), number(s.High), number(s.P), verdictTime, strconv.Itoa(i.AtMost), strconv.Itoa(i.AtLeast),
				})
			}
		}
		for _, r := range f.results {
			if f.base != nil {
				add(r, "best", f.base.way.name, f.best[r.way.name])
			}
			add(r, "own", r.way.base, f.own[r.way.name])
		}
	}
	return rows
}
