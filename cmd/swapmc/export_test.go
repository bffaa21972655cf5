package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	dir := t.TempDir()
	results := filepath.Join(dir, "r")
	if code, _, stderr := run(append([]string{"compare", "--quiet"}, tiny(results, "--protocol", "biases:1S", "--seeds", "2")...)...); code != 0 {
		t.Fatal(stderr)
	}
	parquet, logs := filepath.Join(dir, "r.parquet"), filepath.Join(dir, "logs")
	code, stdout, stderr := run("export", results, "--csv", "-", "--parquet", parquet, "--tensorboard", logs)
	if code != 0 {
		t.Fatal(stderr)
	}
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(rows) != 1+2*2*7 { // protocols, seeds, evaluations at 0, 5, ..., 30
		t.Fatal(len(rows), err)
	}
	if last := rows[len(rows)-1]; last[2] != "biases:1S" || last[3] != "2" || last[5] != "30" {
		t.Errorf("last row %q", last)
	}
	if text, err := os.ReadFile(parquet); err != nil || !strings.HasPrefix(string(text), "PAR1") {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(logs, "*", "*", "events.out.tfevents.*")); len(files) != 4 {
		t.Errorf("event files %q", files)
	}

	runs, _ := filepath.Glob(filepath.Join(results, "runs", "*", "metrics.csv"))
	text, err := os.ReadFile(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(runs[0], text[:len(text)-5], 0o644); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(dir, "all.csv")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{1, "metrics.csv:8: damaged: the last line is cut off: make the run again, or leave it out with --skip-damaged", []string{"export", results, "--csv", target}},
		{0, "left out: " + runs[0], []string{"export", results, "--csv", target, "--skip-damaged"}},
		{2, "no such folder", []string{"export", filepath.Join(dir, "absent"), "--csv", target}},
		{1, "no folder runs in it", []string{"export", dir, "--csv", target}},
		{1, "absent", []string{"export", results, "--skip-damaged", "--csv", filepath.Join(dir, "absent", "x.csv")}},
		{2, "nothing to write", []string{"export", results}},
		{2, "--table losses: want metrics, samples or curves", []string{"export", results, "--csv", "-", "--table", "losses"}},
		{2, "accepts 1 arg", []string{"export"}},
	} {
		if _, err := os.Stat(target); c.code != 0 && err == nil {
			t.Errorf("%q left a file", c.args)
		}
		code, _, stderr := run(c.args...)
		if code != c.code || !strings.Contains(stderr, c.want) || code != 0 && strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit %d, want %d with %q: %s", c.args, code, c.code, c.want, stderr)
		}
		os.Remove(target)
	}
}
