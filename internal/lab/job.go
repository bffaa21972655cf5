package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"swapmc/dataset"
	"swapmc/internal/atomicfile"
	"swapmc/internal/kernel"
	"swapmc/internal/safetensors"
	"swapmc/internal/train"
	"swapmc/nn"
)

// A job is a run being made: it holds the run's lock, its network and its open
// files. One goroutine at a time uses it.
type job struct {
	run        *Run
	folder     *Folder
	checkpoint int // iterations between checkpoints, 0 for none
	noWeights  bool
	lock       *Lock
	record     Record
	training   *train.Run
	metrics    *metrics
	evaluated  int // iteration of the last evaluation, -1 before the first
	last       train.Point
	fresh      bool // a checkpoint of this very iteration is on the disk
}

// begin takes the lock of a run and prepares to make or continue it. Its error
// wraps ErrLocked where another process makes the run. It returns no job where
// the run turns out to be finished.
func (l *Lab) begin(r *Run) (_ *job, err error) {
	dir := l.Folder.Path("runs", r.ID)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	j := &job{run: r, folder: l.Folder, checkpoint: l.Checkpoint, noWeights: l.NoWeights, evaluated: -1}
	if j.lock, err = l.locks.Take(l.Folder.runFile(r, "lock")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			j.close()
		}
	}()
	// Another process may have finished it since we last looked.
	old, finished, err := l.Folder.finished(r)
	if err != nil {
		return nil, err
	}
	if finished {
		j.close()
		return nil, nil
	}
	l.Folder.sweep(r)
	j.record = newRecord(r, l.Version, l.threads)
	if old.ID != "" {
		j.record.Started, j.record.Notes, j.record.Resumed = old.Started, old.Notes, old.Resumed
	}
	err = j.restore(r.set, l.threads, old)
	if impossible, ok := errors.AsType[*impossibleError](err); ok {
		return j, j.end(Failed, impossible.Error())
	}
	if err != nil {
		return nil, err
	}
	return j, j.writeRecord()
}

// sameBits tells whether two kernels give the same bits: amx is avx512, but for products of bfloat16.
func sameBits(a, b, precision string) bool {
	plain := func(name string) string {
		if name == "amx" && precision != nn.BF16.String() {
			return "avx512"
		}
		return name
	}
	return plain(a) == plain(b)
}

// An impossibleError tells why a run cannot begin, whatever the files.
type impossibleError struct{ error }

// restore continues from the checkpoint, or starts at iteration 0 where there is
// none or where it or the metrics cannot be used.
func (j *job) restore(data *dataset.Set, threads int, old Record) error {
	var points []train.Point
	checkpoint, err := j.folder.readCheckpoint(j.run)
	if err == nil && checkpoint != nil {
		if points, err = j.load(checkpoint, data, threads); err == nil {
			j.record.Resumed++
			if k := kernel.Name(); old.Kernel != "" && !sameBits(k, old.Kernel, j.run.Config.Precision) {
				j.record.note("continued with the %s kernel, begun with %s: not bit-identical to a run on one of them", k, old.Kernel)
			}
		}
	}
	switch {
	case errors.Is(err, ErrDamaged):
		j.record.note("begun again from iteration 0: %v", err)
		j.stop()
		points = nil
	case err != nil:
		return err
	case old.Status.Finished():
		j.record.note("begun again from iteration 0: its record or metrics were damaged")
	}
	if j.training == nil {
		if j.training, err = train.New(j.run.Config, data, threads); err != nil {
			return &impossibleError{err}
		}
	}
	if len(points) > 0 {
		j.last = points[len(points)-1]
		j.evaluated = j.last.Iteration
		j.record.see(j.last)
	}
	j.record.Iteration = j.training.Iteration()
	j.metrics, err = openMetrics(j.folder.runFile(j.run, "metrics.csv"), points)
	return err
}

// load continues from a checkpoint and returns the evaluations up to it. Later
// ones, which the run will make again, are left out.
func (j *job) load(checkpoint *safetensors.File, data *dataset.Set, threads int) ([]train.Point, error) {
	var err error
	if j.training, err = train.New(j.run.Config, data, threads); err != nil {
		return nil, &impossibleError{err}
	}
	if err := j.training.Load(checkpoint); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	points, err := j.folder.Metrics(j.run)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	for len(points) > 0 && points[len(points)-1].Iteration > j.training.Iteration() {
		points = points[:len(points)-1]
	}
	// A fault past the checkpoint does no harm.
	if missing := complete(points, &j.run.Config, j.training.Iteration()); missing != nil {
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", j.folder.runFile(j.run, "metrics.csv"), missing)
	}
	return points, nil
}

// advance goes on to the next evaluation, calling step after every iteration,
// and tells whether the run has ended. When ctx is done it saves the run and
// returns the cause. An error of the disk leaves the run to be continued later;
// that of the training ends it and is in the record.
func (j *job) advance(ctx context.Context, step func()) (ended bool, err error) {
	cfg := &j.run.Config
	if j.training.Iteration() > j.evaluated && evaluated(cfg, j.training.Iteration()) {
		if diverged, err := j.evaluate(); diverged || err != nil {
			return diverged, err
		}
	}
	for !j.training.Done() {
		if ctx.Err() != nil {
			if err := j.save(); err != nil {
				return false, err
			}
			j.record.Reason = fmt.Sprintf("interrupted at iteration %d", j.training.Iteration())
			if err := j.writeRecord(); err != nil {
				return false, err
			}
			return false, context.Cause(ctx)
		}
		if err := j.training.Step(); err != nil {
			return true, j.fail(err)
		}
		j.fresh = false
		step()
		t := j.training.Iteration()
		measured := evaluated(cfg, t)
		if measured {
			if diverged, err := j.evaluate(); diverged || err != nil {
				return diverged, err
			}
		}
		if j.checkpoint > 0 && t%j.checkpoint == 0 && !j.training.Done() {
			if err := j.save(); err != nil {
				return false, err
			}
		}
		if measured && !j.training.Done() {
			return false, nil
		}
	}
	return true, j.finish()
}

// evaluate measures the run and appends a row.
func (j *job) evaluate() (diverged bool, err error) {
	p := j.training.Evaluate()
	if math.IsNaN(p.TrainLoss) || math.IsInf(p.TrainLoss, 0) {
		return true, j.fail(fmt.Errorf("iteration %d: clean loss is %v: %w", p.Iteration, p.TrainLoss, train.ErrDiverged))
	}
	if err := j.lock.Held(); err != nil {
		return false, err
	}
	if err := j.metrics.add(p); err != nil {
		return false, err
	}
	j.last, j.evaluated = p, p.Iteration
	j.record.see(p)
	return false, nil
}

// save writes a checkpoint, after the rows that belong to it.
func (j *job) save() error {
	if j.fresh {
		return nil
	}
	if err := j.lock.Held(); err != nil {
		return err
	}
	if err := j.metrics.sync(); err != nil {
		return err
	}
	file := j.training.Save()
	if file.Metadata == nil {
		file.Metadata = map[string]string{}
	}
	file.Metadata["run"] = j.run.ID
	if err := atomicfile.Write(j.folder.runFile(j.run, "checkpoint.safetensors"), file.Write); err != nil {
		return err
	}
	j.fresh = true
	j.record.Iteration = j.training.Iteration()
	return j.writeRecord()
}

// finish writes the weights and the last record, and removes the checkpoint.
func (j *job) finish() error {
	if j.noWeights {
		return j.end(Done, "")
	}
	if err := j.lock.Held(); err != nil {
		return err
	}
	weights := &safetensors.File{
		Tensors: j.training.Network().Tensors(),
		Metadata: map[string]string{
			"format":    "pt",
			"run":       j.run.ID,
			"network":   j.run.Config.Network,
			"protocols": j.run.Protocols().String(),
			"seed":      strconv.FormatUint(j.run.Config.Seed, 10),
			"iteration": strconv.Itoa(j.training.Iteration()),
		},
	}
	if err := atomicfile.Write(j.folder.Weights(j.run), weights.Write); err != nil {
		return err
	}
	return j.end(Done, "")
}

// fail ends the run for a reason of its own.
func (j *job) fail(reason error) error {
	j.record.Iteration = j.training.Iteration()
	if errors.Is(reason, train.ErrDiverged) {
		return j.end(Diverged, reason.Error())
	}
	return j.end(Failed, reason.Error())
}

func (j *job) end(status Status, reason string) error {
	if err := j.lock.Held(); err != nil {
		return err
	}
	if j.metrics != nil {
		if err := j.metrics.sync(); err != nil {
			return err
		}
	}
	now := time.Now().Round(time.Millisecond)
	j.record.Status, j.record.Reason, j.record.Ended = status, reason, &now
	if err := j.writeRecord(); err != nil {
		return err
	}
	os.Remove(j.folder.runFile(j.run, "checkpoint.safetensors")) // of no more use; harmless if it stays
	return nil
}

func (j *job) writeRecord() error {
	return j.record.write(j.folder.runFile(j.run, "run.json"))
}

// stop frees the network.
func (j *job) stop() {
	if j.training != nil {
		j.training.Close()
		j.training = nil
	}
}

// close frees everything that the job holds.
func (j *job) close() {
	j.stop()
	if j.metrics != nil {
		j.metrics.close()
	}
	if j.lock != nil {
		j.lock.Release()
	}
}
