package export

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

const header = "iteration,seconds,train_loss,train_accuracy\n"

// folder makes a results folder: ID to run.json and metrics.csv.
func folder(t *testing.T, runs map[string][2]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for id, files := range runs {
		for i, name := range []string{"run.json", "metrics.csv"} {
			if files[i] == "" {
				continue
			}
			path := filepath.Join(dir, "runs", id, name)
			os.MkdirAll(filepath.Dir(path), 0o755)
			if err := os.WriteFile(path, []byte(files[i]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func record(id, protocol, seed, status, lr string) string {
	return fmt.Sprintf(`{"id":%q,"status":%q,"protocols":%q,"seed":%s,"started":"2026-01-02T03:04:05.678Z","iterations":10,
"seconds":9,"final":{"x":1},"notes":["n"],"system":"network","config":{"network":"a, \"b\"","optimizer":{"lr":%s},"nesterov":true,"iterations":10,
"eval":{"every":5},"protocols":["x"],"seed":%s}}`, id, status, protocol, seed, lr, seed)
}

// two runs, one of them going on, with columns and facts that the other has not.
func two(t *testing.T) string {
	return folder(t, map[string][2]string{
		"bb": {record("bb", "features:1SA", "18446744073709551615", "running", "1"), "iteration,seconds,train_loss,gradient_norm\n0,0,Inf,0.1\n5,0.25,1.0000000000000002,\n10,0.5,0."},
		"aa": {record("aa", "none", "7", "done", "0.1"), header + "0,0,2.5,0.1\n5,0.125,NaN,0.2\n10,0.5,1e-400,0.3\n"},
		"cc": {"", ""},
	})
}

func TestCSV(t *testing.T) {
	res, err := Open(two(t), "")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	n, err := res.CSV(&b, nil)
	if err != nil || n != 5 {
		t.Fatal(n, err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		strings.Split("run,system,protocol,seed,status,iteration,seconds,train_loss,train_accuracy,gradient_norm,started,config_network,config_optimizer_lr,config_nesterov,config_iterations,config_eval_every", ","),
		{"aa", "network", "none", "7", "done", "0", "0", "2.5", "0.1", "", "2026-01-02T03:04:05.678Z", `a, "b"`, "0.1", "true", "10", "5"},
		{"aa", "network", "none", "7", "done", "5", "0.125", "NaN", "0.2", "", "2026-01-02T03:04:05.678Z", `a, "b"`, "0.1", "true", "10", "5"},
		{"aa", "network", "none", "7", "done", "10", "0.5", "0", "0.3", "", "2026-01-02T03:04:05.678Z", `a, "b"`, "0.1", "true", "10", "5"},
		{"bb", "network", "features:1SA", "18446744073709551615", "running", "0", "0", "Inf", "", "0.1", "2026-01-02T03:04:05.678Z", `a, "b"`, "1", "true", "10", "5"},
		{"bb", "network", "features:1SA", "18446744073709551615", "running", "5", "0.25", "1.0000000000000002", "", "", "2026-01-02T03:04:05.678Z", `a, "b"`, "1", "true", "10", "5"},
	}
	for i, row := range want {
		if i >= len(records) || strings.Join(records[i], "|") != strings.Join(row, "|") {
			t.Fatalf("row %d: %q\nwant %q", i, records[min(i, len(records)-1)], row)
		}
	}
}

func TestParquet(t *testing.T) {
	res, err := Open(two(t), "metrics")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	n, err := res.Parquet(&b, nil)
	if err != nil || n != 5 {
		t.Fatal(n, err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, c := range f.Schema().Fields() {
		names = append(names, c.Name())
		want := map[string]string{"seed": "INT(64,false)", "iteration": "INT(64,true)", "train_loss": "DOUBLE", "gradient_norm": "DOUBLE", "run": "STRING",
			"config_optimizer_lr": "DOUBLE", "config_nesterov": "BOOLEAN", "started": "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)"}[c.Name()]
		if want != "" && c.Type().String() != want {
			t.Errorf("column %d, %s: %s, want %s", i, c.Name(), c.Type(), want)
		}
	}
	if got := strings.Join(names, ","); got != "run,system,protocol,seed,status,iteration,seconds,train_loss,train_accuracy,gradient_norm,started,config_network,config_optimizer_lr,config_nesterov,config_iterations,config_eval_every" {
		t.Errorf("columns %s", got)
	}
	type row struct {
		Run      string   `parquet:"run"`
		Seed     uint64   `parquet:"seed"`
		Step     int64    `parquet:"iteration"`
		Seconds  float64  `parquet:"seconds"`
		Loss     float64  `parquet:"train_loss"`
		Accuracy *float64 `parquet:"train_accuracy"`
		Norm     *float64 `parquet:"gradient_norm"`
		LR       float64  `parquet:"config_optimizer_lr"`
		Nesterov bool     `parquet:"config_nesterov"`
		Started  int64    `parquet:"started"`
	}
	rows, err := parquet.Read[row](bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(rows) != 5 {
		t.Fatal(len(rows), err)
	}
	a, z := rows[1], rows[4]
	if a.Run != "aa" || a.Seed != 7 || a.Step != 5 || a.Seconds != 0.125 || !math.IsNaN(a.Loss) || a.Accuracy == nil || *a.Accuracy != 0.2 || a.Norm != nil || a.LR != 0.1 || !a.Nesterov || a.Started != 1767323045678 {
		t.Errorf("%+v", a)
	}
	if z.Run != "bb" || z.Seed != math.MaxUint64 || z.Step != 5 || z.Loss != 1.0000000000000002 || z.Accuracy != nil || z.Norm != nil || z.LR != 1 {
		t.Errorf("%+v", z)
	}
	if norm := rows[3].Norm; norm == nil || *norm != 0.1 || !math.IsInf(rows[3].Loss, 1) {
		t.Errorf("%+v", rows[3])
	}
}

// Several row groups and pages, at whose borders nothing may be lost.
func TestParquetOfManyRows(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	const n = 400_000
	for i := range n {
		fmt.Fprintf(&b, "%d,%d.5,1,0\n", i, i)
	}
	runs := map[string][2]string{}
	for _, id := range []string{"a", "b", "c"} {
		runs[id] = [2]string{record(id, "none", "1", "diverged", "1"), b.String()}
	}
	res, err := Open(folder(t, runs), "")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if rows, err := res.Parquet(&out, nil); err != nil || rows != 3*n {
		t.Fatal(rows, err)
	}
	type row struct {
		Run     string  `parquet:"run"`
		Step    int64   `parquet:"iteration"`
		Seconds float64 `parquet:"seconds"`
	}
	f, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil || len(f.RowGroups()) != 2 {
		t.Fatal(err, len(f.RowGroups()))
	}
	rows, err := parquet.Read[row](bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil || len(rows) != 3*n {
		t.Fatal(len(rows), err)
	}
	for i, r := range rows {
		if r.Run != string(rune('a'+i/n)) || r.Step != int64(i%n) || r.Seconds != float64(i%n)+0.5 {
			t.Fatalf("row %d: %+v", i, r)
		}
	}
}

// Bytes written by tensorboard.summary.writer.record_writer.RecordWriter (TensorBoard
// 2.21) from its own Event and Summary messages.
func TestEventsAreTensorBoards(t *testing.T) {
	const golden = "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9" +
		"1e00000000000000d9dc12320900001040fc54d9412a130a110a0a747261696e5f6c6f737315000020" +
		"40e399d4773200000000000000241956ec0900003043fc54d94110ac022a240a110a0a747261696e5f" +
		"6c6f737315cdcccc3d0a0f0a086163636570746564150000e040696fcc42"
	rec := strings.Replace(record("aa", "none", "7", "diverged", "0.1"), "2026-01-02T03:04:05.678Z", "2023-11-14T22:13:20.25Z", 1)
	dir := folder(t, map[string][2]string{"aa": {rec, "iteration,train_loss,seconds,accepted\n0,2.5,,\n300,0.1,12.5,7\n"}})
	res, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	logs := t.TempDir()
	if n, err := res.TensorBoard(logs, nil); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	text, err := os.ReadFile(filepath.Join(logs, "none", "seed-7-aa", "events.out.tfevents.1700000000.swapmc"))
	if err != nil {
		t.Fatal(err)
	}
	// The seconds too are a scalar; here they are taken out of what is compared.
	want, _ := hex.DecodeString(golden)
	var b bytes.Buffer
	writeRecord(&b, versionEvent(1700000000.25))
	if !bytes.HasPrefix(text, b.Bytes()) || !bytes.HasPrefix(want, b.Bytes()) {
		t.Fatalf("first record %x", text[:min(len(text), b.Len())])
	}
	event := func(at float64, step int64, tags []string, values []float32) {
		e := appendEvent(nil, at, step)
		var summary []byte
		for i, tag := range tags {
			summary = appendScalar(summary, tag, values[i])
		}
		e = append(append(e, 0x2a, byte(len(summary))), summary...)
		writeRecord(&b, e)
	}
	event(1700000000.25, 0, []string{"train_loss"}, []float32{2.5})
	if !bytes.HasPrefix(text, b.Bytes()) {
		t.Errorf("the second record differs")
	}
	own := bytes.Clone(b.Bytes())
	event(1700000012.75, 300, []string{"train_loss", "accepted"}, []float32{0.1, 7})
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%x\nwant %x", b.Bytes(), want)
	}
	b.Reset()
	b.Write(own)
	event(1700000012.75, 300, []string{"train_loss", "seconds", "accepted"}, []float32{0.1, 12.5, 7})
	if !bytes.Equal(b.Bytes(), text) {
		t.Errorf("%x\nwant %x", text, b.Bytes())
	}
}

func TestFaults(t *testing.T) {
	good := record("aa", "none", "7", "done", "0.1")
	rows := header + "0,0,2.5,0.1\n5,1,2,0.2\n10,2,1,0.3\n"
	for _, c := range []struct {
		name, record, rows, want string
		damaged                  bool
	}{
		{"cut in a line", good, rows[:len(rows)-3], "metrics.csv:4: damaged: the last line is cut off", true},
		{"cut between lines", good, header + "0,0,2.5,0.1\n5,1,2,0.2\n", "metrics.csv: damaged: it ends at iteration 5 of 10", true},
		{"no rows", good, header, "metrics.csv: damaged: the run is finished and has no rows", true},
		{"few values", good, header + "0,0,2.5\n", "metrics.csv:2: damaged: 3 values: want 4", true},
		{"many values", good, header + "0,0,2.5,1,1\n", "metrics.csv:2: damaged: more than 4 values", true},
		{"a word", good, header + "0,0,low,1\n", `metrics.csv:2: damaged: train_loss = "low" is no number`, true},
		{"a fraction", good, header + "0.5,0,1,1\n", `metrics.csv:2: damaged: iteration = "0.5" is no number`, true},
		{"twice", good, "iteration,iteration\n", `metrics.csv:1: damaged: two columns "iteration"`, true},
		{"none", good, "", "none of 1 runs has a metrics.csv yet", false},
		{"no JSON", "{", rows, "run.json: damaged: it ends too early", false},
		{"a list", "[]", rows, "run.json: damaged: want an object", false},
		{"no id", "{}", rows, "run.json: damaged: no id", false},
		{"more", good + "{", rows, "run.json: damaged: text after its end", false},
		{"nothing begun", "", rows, "no run has been begun", false},
	} {
		res, err := Open(folder(t, map[string][2]string{"aa": {c.record, c.rows}}), "")
		if err == nil {
			_, err = res.CSV(&bytes.Buffer{}, nil)
			if c.damaged {
				skipped := 0
				if n, err := res.CSV(&bytes.Buffer{}, func(error) { skipped++ }); n != 0 || err != nil || skipped != 1 {
					t.Errorf("%s: skipped %d: %d rows, %v", c.name, skipped, n, err)
				}
			}
		}
		var damaged *DamagedError
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || errors.As(err, &damaged) != c.damaged {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	dir := t.TempDir()
	if _, err := Open(dir, ""); err == nil || !strings.Contains(err.Error(), "no folder runs in it") {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "absent"), ""); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Error(err)
	}
	if _, err := Open(dir, "x"); err == nil {
		t.Error("no error for a table x")
	}
}

// A fault in one of many runs ends all and leaves no goroutine behind; what was written
// cannot be written further.
func TestOneDamagedOfMany(t *testing.T) {
	runs := map[string][2]string{}
	for i := range 50 {
		id := fmt.Sprintf("%02d", i)
		runs[id] = [2]string{record(id, "none", "1", "done", "1"), header + "10,1,2,3\n"}
	}
	runs["20"] = [2]string{record("20", "none", "1", "done", "1"), header + "5,1,2,3\n"}
	res, err := Open(folder(t, runs), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := res.Parquet(&bytes.Buffer{}, nil); err == nil {
		t.Error("no error")
	}
	if n, err := res.Parquet(&bytes.Buffer{}, func(error) {}); n != 49 || err != nil {
		t.Error(n, err)
	}
	full := errors.New("disk full")
	if _, err := res.CSV(failing{full}, func(error) {}); !errors.Is(err, full) {
		t.Error(err)
	}
	if _, err := res.Parquet(failing{full}, func(error) {}); !errors.Is(err, full) {
		t.Error(err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	os.WriteFile(blocked, nil, 0o644)
	var path *fs.PathError
	if _, err := res.TensorBoard(blocked, func(error) {}); !errors.As(err, &path) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestSlug(t *testing.T) {
	for text, want := range map[string]string{"features:1AS n=64": "features_1AS n=64", "a + b": "a + b", "../..": "_", "": "none", "weights:1SS T=1e-4": "weights_1SS T=1e-4"} {
		if got := slug(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// No bytes of a run's files make the export panic, and rows that are read are whole.
func FuzzRows(f *testing.F) {
	f.Add(record("aa", "none", "7", "running", "0.1"), header+"0,0,2.5,0.1\n5,0.125,NaN,\n")
	f.Add(record("aa", "none", "7", "done", "1e-4"), "iteration\n10\n")
	f.Add(`{"id":"aa","config":{"a":{"b":[1,{"c":2}]},"protocol":"x"},"result":{"curves":[1],"protocols":{"x":{}}}}`, "sweep,x\r\n1,2\r\n")
	f.Fuzz(func(t *testing.T, record, rows string) {
		r, err := readRun([]byte(record))
		if err != nil {
			return
		}
		res := &Results{runs: []*run{r}, index: map[string]int{}}
		res.arrange()
		head, _, _ := strings.Cut(rows, "\n")
		for _, name := range strings.Split(strings.TrimSuffix(head, "\r"), ",") {
			if _, known := res.index[strings.TrimSpace(name)]; !known {
				res.index[strings.TrimSpace(name)] = len(res.metrics)
				res.metrics = append(res.metrics, column{name: strings.TrimSpace(name), kind: kindOfMetric(strings.TrimSpace(name))})
			}
		}
		got, _, err := res.parse([]byte(rows), r.finished())
		if err != nil {
			return
		}
		for _, d := range got.columns {
			if d.whole != nil && len(d.whole) != got.n || d.real != nil && len(d.real) != got.n || d.missing != nil && len(d.missing) != got.n {
				t.Fatalf("%d rows, a column of %d, %d, %d", got.n, len(d.whole), len(d.real), len(d.missing))
			}
		}
		if err := res.events(&bytes.Buffer{}, r, got, 0); err != nil {
			t.Fatal(err)
		}
	})
}
