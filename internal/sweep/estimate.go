package sweep

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"swapmc/internal/lab"
)

// A Clock knows how long runs take, from a calibration.
type Clock struct {
	pace  map[string]lab.Pace // of the baseline, by network and what else matters
	ratio map[string]float64  // of an iteration under protocols to one without
}

// calibration is the time that each measurement takes, about.
const calibration = 150 * time.Millisecond

// Calibrate measures real iterations: of each network and batch without swaps, and
// of each protocol on one of them. As many copies run at once as there are cores,
// as runs will. It takes a good tenth of a second for each; step is told of them.
func (p *Plan) Calibrate(ctx context.Context, survey Survey, step func(done, total int)) (*Clock, error) {
	bad := map[string]bool{}
	for _, runs := range survey.Impossible {
		for _, r := range runs {
			bad[r.ID] = true
		}
	}
	var networks, protocols []*lab.Run
	baseline := map[string]*lab.Run{} // by pace key
	met := map[string]bool{}
	for _, r := range p.Runs {
		if bad[r.ID] {
			continue
		}
		if key := paceKey(r); baseline[key] == nil {
			plain := *r
			plain.Config.Protocols = nil
			baseline[key] = &plain
			networks = append(networks, &plain)
		}
		if text := r.Protocols().String(); len(r.Protocols()) > 0 && !met[text] {
			met[text] = true
			protocols = append(protocols, r)
		}
	}
	c := &Clock{pace: map[string]lab.Pace{}, ratio: map[string]float64{}}
	total := len(networks) + len(protocols)
	for i, r := range networks {
		step(i, total)
		pace, err := measure(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("calibration of %s: %w", paceKey(r), err)
		}
		c.pace[paceKey(r)] = pace
	}
	for i, r := range protocols {
		step(len(networks)+i, total)
		pace, err := measure(ctx, r)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			continue // it diverges at once: taken to cost nothing
		}
		c.ratio[r.Protocols().String()] = max(1, pace.Iteration/c.pace[paceKey(r)].Iteration)
	}
	step(total, total)
	return c, nil
}

// measure runs as many copies at once as there are cores, and averages.
func measure(ctx context.Context, r *lab.Run) (lab.Pace, error) {
	if ctx.Err() != nil {
		return lab.Pace{}, context.Cause(ctx)
	}
	n := runtime.GOMAXPROCS(0)
	paces := make([]lab.Pace, n)
	faults := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { paces[i], faults[i] = r.Pace(calibration) })
	}
	wg.Wait()
	if err := errors.Join(faults...); err != nil {
		return lab.Pace{}, faults[0]
	}
	var mean lab.Pace
	for _, p := range paces {
		mean.Iteration += p.Iteration / float64(n)
		mean.Evaluation += p.Evaluation / float64(n)
	}
	return mean, nil
}

// paceKey tells apart what takes different time, swaps aside.
func paceKey(r *lab.Run) string {
	e := r.Config.Eval
	return fmt.Sprintf("%s, evaluated on %d and %d images", networkKey(r), e.Train, e.Test)
}

// Time estimates the seconds of one core that a run takes.
func (c *Clock) Time(r *lab.Run) float64 {
	pace := c.pace[paceKey(r)]
	ratio := c.ratio[r.Protocols().String()]
	if ratio == 0 {
		ratio = 1
	}
	n := float64(r.Config.Iterations)
	return n*pace.Iteration*ratio + evaluations(r)*pace.Evaluation
}

func evaluations(r *lab.Run) float64 {
	return float64(1 + (r.Config.Iterations+r.Config.Eval.Every-1)/r.Config.Eval.Every)
}

// Disk estimates the bytes and the number of files that the runs leave.
func (p *Plan) Disk(survey Survey) (bytes float64, files int) {
	const block = 4096
	blocks := func(n float64) float64 { return block * float64(int64(n+block-1)/block) }
	for _, r := range p.Runs {
		bytes += block + blocks(3000) + blocks(80*evaluations(r)) // the folder, run.json, metrics.csv
		files += 2
		if p.Spec.Block.Weights {
			bytes += blocks(4 * float64(survey.Parameters[r.Config.Network]))
			files++
		}
	}
	return bytes, files
}
