// Package results reads results folders, of any system and in any state, without
// changing them: the runs, what they have in common and in what they differ, and the
// comparisons that follow.
//
//	Folder      results/NAME: its runs, read again where they have grown
//	Run         its record and its measurements
//	Key         a part of the configuration that differs between runs: what is swept
//	Setting     runs that differ in nothing but protocol and seed
//
// A symbolic link that leads out of the folder is not followed.
package results

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"swapmc/internal/lab"
)

// A Folder is a results folder as of the last [Folder.Refresh]. Runs, settings and
// protocols keep their number as new ones are found.
type Folder struct {
	Path      string
	Name      string
	Spec      string // spec.yaml
	System    string // network or glass
	Runs      []*Run
	Protocols []string // the baseline "none" is the first
	Settings  []Setting
	Keys      []Key // what is swept
	Changes   int   // how often anything was found new

	root    *os.Root
	targets []float64
	asked   []string       // protocols of the spec, in its order
	number  map[string]int // of a run
	byText  map[string]int // number of a protocol
	bySet   map[string]int // number of a setting, by its configuration
}

// A Setting is all runs that differ in nothing but protocol and seed.
type Setting struct {
	Label  string // of what is swept: "network mlp, lr 0.1"; "" where nothing is
	Config map[string]string
	Runs   []*Run
}

// maxFile is how much of a file is read: more is no file of ours.
const maxFile = 1 << 30

// Open opens a results folder for reading.
func Open(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("results folder: %w", err)
	}
	if info, err := root.Stat("runs"); err != nil || !info.IsDir() {
		root.Close()
		return nil, fmt.Errorf("%s: no results folder: it has no runs/: want a folder of swapmc compare, train, glass or sweep", path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	f := &Folder{Path: path, Name: filepath.Base(abs), root: root, Protocols: []string{"none"},
		number: map[string]int{}, byText: map[string]int{"none": 0}, bySet: map[string]int{}}
	return f, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Root is the folder on disk.
func (f *Folder) Root() *os.Root { return f.root }

// Refresh reads what is new: runs that have begun, grown or ended. It tells whether
// there was anything. Runs that have ended are looked at only if all are.
func (f *Folder) Refresh(all bool) (bool, error) {
	f.readSpec()
	entries, err := f.list("runs")
	if err != nil {
		return false, fmt.Errorf("results folder: %w", err)
	}
	var todo []*Run
	for _, e := range entries {
		id := e.Name()
		if !e.IsDir() || strings.HasPrefix(id, ".") {
			continue
		}
		if n, known := f.number[id]; known {
			if r := f.Runs[n]; all || !r.Status.Finished() || r.Fault != "" {
				todo = append(todo, r)
			}
			continue
		}
		todo = append(todo, &Run{ID: id})
	}
	changed := make([]bool, len(todo))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(todo), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(todo); k = int(next.Add(1)) - 1 {
				changed[k] = f.read(todo[k])
			}
		})
	}
	workers.Wait()
	any := false
	var fresh []*Run
	for k, r := range todo {
		if !changed[k] || r.Config == nil {
			continue // one without a record has not begun
		}
		if !any {
			f.Changes++
			any = true
		}
		r.Change = f.Changes
		if _, known := f.number[r.ID]; !known {
			fresh = append(fresh, r)
		}
	}
	f.order(fresh)
	for _, r := range fresh {
		f.number[r.ID] = len(f.Runs)
		f.Runs = append(f.Runs, r)
		f.place(r)
	}
	if len(fresh) > 0 {
		f.sweep()
	}
	return any, nil
}

// order sorts new runs: protocols as the spec has them, then settings, then seeds.
func (f *Folder) order(runs []*Run) {
	rank := map[string]int{}
	for i, text := range f.asked {
		rank[text] = i - len(f.asked)
	}
	rank["none"] = -len(f.asked) - 1
	slices.SortStableFunc(runs, func(a, b *Run) int {
		c := cmp.Or(cmp.Compare(rank[a.Protocol], rank[b.Protocol]), compareText(a.Protocol, b.Protocol))
		for _, key := range a.keys {
			if c != 0 {
				break
			}
			c = compareText(a.Config[key], b.Config[key])
		}
		return cmp.Or(c, cmp.Compare(a.Seed, b.Seed))
	})
}

func (f *Folder) list(name string) ([]fs.DirEntry, error) {
	d, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// place gives a new run its protocol and its setting.
func (f *Folder) place(r *Run) {
	if f.System == "" {
		f.System = r.System
	}
	p, known := f.byText[r.Protocol]
	if !known {
		p = len(f.Protocols)
		f.byText[r.Protocol] = p
		f.Protocols = append(f.Protocols, r.Protocol)
	}
	var b strings.Builder
	for _, key := range r.keys {
		fmt.Fprintf(&b, "%s=%s\n", key, r.Config[key])
	}
	s, known := f.bySet[b.String()]
	if !known {
		s = len(f.Settings)
		f.bySet[b.String()] = s
		f.Settings = append(f.Settings, Setting{Config: r.Config})
	}
	f.Settings[s].Runs = append(f.Settings[s].Runs, r)
	r.at = [2]int{s, p}
}

// Setting and Protocol are the numbers of a run's setting and protocol in its folder.
func (r *Run) Place() (setting, protocol int) { return r.at[0], r.at[1] }

// A stamp tells whether a file is as it was.
type stamp struct {
	info os.FileInfo
}

func (s stamp) same(info os.FileInfo) bool {
	return s.info != nil && os.SameFile(s.info, info) && s.info.Size() == info.Size() && s.info.ModTime().Equal(info.ModTime())
}

// read brings a run up to date and tells whether it has changed.
func (f *Folder) read(r *Run) bool {
	changed := false
	fault := ""
	text, info, err := f.file(r, "run.json", r.record, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false
	case err != nil:
		fault = "run.json: " + err.Error()
	case text != nil:
		changed = true
		r.record = stamp{info}
		if err := r.decode(text); err != nil {
			fault = "run.json: " + err.Error()
		}
	default:
		if strings.HasPrefix(r.Fault, "run.json") {
			fault = r.Fault
		}
	}
	if r.System != "glass" && r.Config != nil {
		grown, err := f.readMetrics(r)
		changed = changed || grown
		if err != nil && fault == "" {
			fault = "metrics.csv: " + err.Error()
		}
	}
	changed = changed || fault != r.Fault
	r.Fault = fault
	return changed
}

// readMetrics reads the rows that metrics.csv has gained. A file that has been put in
// the place of the old one, or has become shorter, is read anew.
func (f *Folder) readMetrics(r *Run) (bool, error) {
	info, err := f.root.Stat(filepath.Join("runs", r.ID, "metrics.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if r.metrics.same(info) {
		if r.Fault != "" && strings.HasPrefix(r.Fault, "metrics.csv: ") {
			return false, errors.New(strings.TrimPrefix(r.Fault, "metrics.csv: "))
		}
		return false, nil
	}
	if old := r.metrics.info; old != nil && (!os.SameFile(old, info) || info.Size() < r.read) {
		r.Metrics, r.read = Table{}, 0
		r.Rewound++
	}
	text, info, err := f.file(r, "metrics.csv", stamp{}, r.read)
	if err != nil {
		return false, err
	}
	n, err := r.Metrics.parse(string(text))
	r.read += int64(n)
	r.metrics = stamp{info}
	return true, err
}

// file reads a file of a run from an offset on; nil where it is as it was.
func (f *Folder) file(r *Run, name string, old stamp, from int64) ([]byte, os.FileInfo, error) {
	file, err := f.root.Open(filepath.Join("runs", r.ID, name))
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, errors.New("no regular file")
	case info.Size() > maxFile:
		return nil, nil, fmt.Errorf("%d bytes are too many", info.Size())
	case old.same(info):
		return nil, info, nil
	}
	if from > 0 {
		if _, err := file.Seek(from, io.SeekStart); err != nil {
			return nil, nil, err
		}
	}
	text := make([]byte, 0, max(0, info.Size()-from)+512)
	for {
		n, err := file.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err == io.EOF {
			return text, info, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
	}
}

// Count counts the runs of each status.
func (f *Folder) Count() map[lab.Status]int {
	count := map[lab.Status]int{}
	for _, r := range f.Runs {
		count[r.Status]++
	}
	return count
}
