package liquid

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"swapmc/dynamics"
	"swapmc/glass"
	"swapmc/internal/atomicfile"
	"swapmc/internal/lab"
)

// system makes the system of a run as it starts, and the moves of its protocol.
func (r *Run) system() (*glass.System, []glass.Weighted, error) {
	c := &r.Config
	o := glass.Options{Model: c.Model, N: c.Particles, Dim: c.Dimension, Density: c.Density, Packing: c.Packing,
		Temperature: c.Temperature, NonAdditive: c.NonAdditive, Seed: c.seed(), Domains: c.Domains, Threads: r.threads}
	if c.Sizes.Kind != "" {
		o.Sizes = &c.Sizes
	}
	var s *glass.System
	var err error
	if r.start != nil {
		s, err = glass.ReadXYZ(bytes.NewReader(r.start), o)
	} else {
		s, err = glass.New(o)
	}
	if err != nil {
		return nil, nil, err
	}
	moves, err := s.Protocols(c.Protocol)
	return s, moves, err
}

func (r *Run) check(p lab.Protocols) error {
	s, _, err := r.system()
	if err != nil {
		return err
	}
	moves, err := s.Protocols(p)
	if err == nil {
		err = s.SetMoves(moves)
	}
	return err
}

// A progress is a run between two sweeps; with the system's restart file it is all of it.
type progress struct {
	Format      string
	Run         string // its ID
	Equilibrate int    // sweeps done of it
	Recorder    dynamics.Recorder
	Sampled     []Sample
	Pairs       []float64 // histogram of g(r)
	Shots       int       // configurations in it
	Structure   []float64 // sums of S(k) of as many
	Inherent    []Inherent
	Frames      int64   // bytes of the trajectory
	Seconds     float64 // of simulation
	Measured    float64 // of these, after equilibration
	System      []byte
}

const progressFormat = "swapmc liquid 2"

// A Sample is a row of samples.csv.
type Sample struct {
	Sweep            int64
	Energy, Pressure float64 // energy a particle
}

// An Inherent is a row of inherent.csv: the minimum of the energy below a configuration.
type Inherent struct {
	Sweep  int64
	Energy float64 // a particle
	Force  float64 // the largest that is left
	Steps  int
}

// bins of g(r).
const bins = 200

// A Folder is a results folder.
type Folder struct {
	Path  string
	locks lab.Locks
}

func (f *Folder) file(r *Run, name string) string {
	return filepath.Join(f.Path, "runs", r.ID, name)
}

// Record returns the run.json of a run; its error wraps fs.ErrNotExist where nobody has
// begun it.
func (f *Folder) Record(r *Run) (*Record, error) {
	text, err := os.ReadFile(f.file(r, "run.json"))
	if err != nil {
		return nil, err
	}
	var rec Record
	if err := json.Unmarshal(text, &rec); err != nil {
		return nil, fmt.Errorf("%s: damaged: %w: remove it, and the run goes on from its checkpoint if it has one, and is made again if not", f.file(r, "run.json"), err)
	}
	return &rec, nil
}

// checkpointEvery is how often an unfinished run is saved.
const checkpointEvery = 20 * time.Second

// Do makes a run, or continues it, unless it is finished. When ctx is done it saves the
// run and returns the cause. report, which may be nil, is told how it goes.
func (f *Folder) Do(ctx context.Context, r *Run, version string, report func(Event)) (*Record, error) {
	if report == nil {
		report = func(Event) {}
	}
	done := func() (*Record, error) {
		rec, err := f.Record(r)
		if errors.Is(err, fs.ErrNotExist) || err == nil && rec.Status != lab.Done {
			return nil, nil
		}
		if err == nil {
			report(Event{Run: r, Record: rec})
		}
		return rec, err
	}
	if rec, err := done(); rec != nil || err != nil {
		return rec, err
	}
	if err := os.MkdirAll(filepath.Join(f.Path, "runs", r.ID), 0o755); err != nil {
		return nil, err
	}
	lock, err := f.locks.Take(f.file(r, "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	// Another process may have finished it before it gave the lock back.
	if rec, err := done(); rec != nil || err != nil {
		return rec, err
	}
	j, err := f.begin(r, version)
	if err != nil {
		return nil, err
	}
	j.lock, j.report = lock, report
	if err := j.write(lab.Running); err != nil {
		return nil, err
	}
	if err := j.run(ctx); err != nil {
		return nil, err
	}
	report(Event{Run: r, Record: j.record})
	return j.record, nil
}

// A job is a run that is being made.
type job struct {
	progress
	folder *Folder
	lock   *lab.Lock // on a ladder, that of all its runs
	run_   *Run
	record *Record
	system *glass.System
	moves  []glass.Weighted // of the measured part
	frames *os.File
	when   map[int64]bool // sweeps of the trajectory
	quench map[int64]bool // sweeps whose inherent structures are found
	every  int            // sweeps between samples
	began  time.Time
	report func(Event)

	exchanges *Exchanges // of a ladder
}

// begin prepares to make or continue a run.
func (f *Folder) begin(r *Run, version string) (*job, error) {
	saved, err := os.ReadFile(f.file(r, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return f.prepare(r, version, nil)
	} else if err != nil {
		return nil, err
	}
	var p progress
	if err = load(saved, &p); err == nil {
		var j *job
		if j, err = f.prepare(r, version, &p); err == nil {
			return j, nil
		}
	}
	return nil, fmt.Errorf("%s: %w: remove it to begin this run again", f.file(r, "checkpoint"), err)
}

// prepare makes a run's system, as it was when its progress p was saved, if p is not nil.
func (f *Folder) prepare(r *Run, version string, p *progress) (*job, error) {
	s, moves, err := r.system()
	if err != nil {
		return nil, err
	}
	c := &r.Config
	j := &job{folder: f, run_: r, system: s, moves: moves, record: newRecord(r, version), every: max(1, c.Sweeps/4096)}
	j.every = min(max(j.every, 10), max(1, c.Sweeps/16))
	j.progress = progress{Format: progressFormat, Run: r.ID, Pairs: make([]float64, bins), Structure: make([]float64, c.Measure.Structure), Recorder: dynamics.Recorder{
		K: c.Measure.K, A: c.Measure.Overlap, Every: max(1, c.Sweeps/c.Measure.Origins)}}
	if c.Tempering == nil { // there a configuration has no past
		j.Recorder.Times = dynamics.Times(c.Sweeps, 10)
	}
	j.when, j.quench = map[int64]bool{}, map[int64]bool{}
	switch c.Trajectory.Times {
	case "linear":
		for k := range c.Trajectory.Frames + 1 {
			j.when[int64(k)*int64(c.Sweeps)/int64(c.Trajectory.Frames)] = true
		}
	case "log":
		for _, t := range dynamics.Times(c.Sweeps, c.Trajectory.Frames) {
			j.when[int64(t)] = true
		}
	}
	for k := range c.Measure.Inherent {
		j.quench[int64(k+1)*int64(c.Sweeps)/int64(c.Measure.Inherent)] = true
	}
	if p != nil {
		if p.Format != progressFormat || len(p.Pairs) != bins || len(p.Structure) != c.Measure.Structure || len(p.Recorder.Times) != len(j.Recorder.Times) {
			return nil, fmt.Errorf("of another version, %q", p.Format)
		}
		if p.Run != r.ID {
			return nil, fmt.Errorf("of another run, %q", p.Run)
		}
		j.progress = *p
	}
	if err := j.phase(); err != nil {
		return nil, err
	}
	if j.System != nil {
		if err := s.Load(bytes.NewReader(j.System)); err != nil {
			return nil, err
		}
		j.record.Resumed++
	}
	if len(j.when) > 0 {
		j.frames, err = os.OpenFile(f.file(r, "trajectory.xyz"), os.O_CREATE|os.O_RDWR, 0o644)
		if err == nil {
			err = j.frames.Truncate(j.Frames)
		}
		if err == nil {
			_, err = j.frames.Seek(j.Frames, io.SeekStart)
		}
		if err != nil {
			return nil, err
		}
	}
	return j, nil
}

// phase sets the moves of the part that the run is in.
func (j *job) phase() error {
	moves := j.moves
	if j.Equilibrate < j.run_.Config.Equilibrate {
		var err error
		if moves, err = j.system.Protocols(j.run_.Config.First); err != nil {
			return err
		}
	}
	return j.system.SetMoves(append([]glass.Weighted(nil), moves...))
}

// load reads what writeGob wrote.
func load(text []byte, x any) error {
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err == nil {
		err = gob.NewDecoder(z).Decode(x)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, z) // to the checksum
	}
	if err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	return nil
}

// writeGob writes x to a file, compressed and with a checksum.
func writeGob(path string, x any) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err == nil {
			err = gob.NewEncoder(z).Encode(x)
		}
		if err == nil {
			err = z.Close()
		}
		return err
	})
}

// pack puts the system into the progress.
func (j *job) pack() error {
	var b bytes.Buffer
	if err := j.system.Save(&b); err != nil {
		return err
	}
	j.System = b.Bytes()
	if j.frames != nil {
		return j.frames.Sync()
	}
	return nil
}

// save writes the checkpoint, unless another process has taken the run over meanwhile.
func (j *job) save() error {
	err := j.lock.Held()
	if err == nil {
		err = j.pack()
	}
	if err == nil {
		err = writeGob(j.folder.file(j.run_, "checkpoint"), &j.progress)
	}
	if err == nil {
		err = j.write(lab.Running)
	}
	return err
}

// equilibrate does so many of the first sweeps at most, and ends that part of the run after the last.
func (j *job) equilibrate(sweeps int) error {
	c := &j.run_.Config
	n := min(sweeps, c.Equilibrate-j.Equilibrate)
	j.system.Equilibrate(n, c.Acceptance)
	if j.Equilibrate += n; j.Equilibrate < c.Equilibrate {
		return nil
	}
	j.clock(time.Now())
	if err := j.phase(); err != nil {
		return err
	}
	j.system.Restart()
	return nil
}

// run goes on from where the run is to its end.
func (j *job) run(ctx context.Context) (err error) {
	if j.frames != nil {
		defer j.frames.Close()
	}
	c := &j.run_.Config
	j.began = time.Now()
	saved, told := time.Now(), time.Time{}
	// pause, now and then, saves and reports.
	pause := func() error {
		now := time.Now()
		j.clock(now)
		if now.Sub(told) > 200*time.Millisecond {
			told = now
			j.tell()
		}
		if err := context.Cause(ctx); err != nil {
			if e := j.save(); e != nil {
				return e
			}
			return err
		}
		if now.Sub(saved) > checkpointEvery {
			saved = now
			return j.save()
		}
		return nil
	}
	for j.Equilibrate < c.Equilibrate {
		if err := j.equilibrate(10); err != nil {
			return err
		}
		if err := pause(); err != nil {
			return err
		}
	}
	for {
		sweep := j.system.Sweeps()
		if err := j.measure(sweep); err != nil {
			return err
		}
		if sweep >= int64(c.Sweeps) {
			break
		}
		j.system.Run(1)
		if sweep%8 == 0 {
			// Measured again after a restart, a sweep would count twice: save between a sweep and its measurement.
			if err := pause(); err != nil {
				return err
			}
		}
	}
	j.clock(time.Now())
	if err := j.lock.Held(); err != nil {
		return err
	}
	return j.finish()
}

// clock adds the time since it was last called.
func (j *job) clock(now time.Time) {
	passed := now.Sub(j.began).Seconds()
	j.began = now
	j.Seconds += passed
	if j.Equilibrate >= j.run_.Config.Equilibrate {
		j.Measured += passed
	}
}

// measure looks at the system after a sweep.
func (j *job) measure(sweep int64) error {
	s := j.system
	j.Recorder.Record(s, sweep)
	if sweep%int64(j.every) == 0 {
		energy, pressure := s.Virial()
		j.Sampled = append(j.Sampled, Sample{sweep, energy / float64(s.N()), pressure})
	}
	if sweep%int64(j.Recorder.Every) == 0 {
		s.RadialDistribution(j.Pairs)
		for n := range j.Structure {
			_, value := s.StructureFactor(n + 1)
			j.Structure[n] += value
		}
		j.Shots++
	}
	if j.quench[sweep] {
		c, m, err := s.Quench(1e-6, 20000)
		if err != nil {
			return err
		}
		j.Inherent = append(j.Inherent, Inherent{sweep, m.Energy / float64(s.N()), m.Force, m.Steps})
		if err := atomicfile.Write(j.folder.file(j.run_, "inherent.xyz"), c.WriteXYZ); err != nil {
			return err
		}
	}
	if j.when[sweep] {
		var b bytes.Buffer
		if err := s.WriteXYZ(&b); err != nil {
			return err
		}
		n, err := j.frames.Write(b.Bytes())
		if err != nil {
			return err
		}
		j.Frames += int64(n)
	}
	return nil
}
