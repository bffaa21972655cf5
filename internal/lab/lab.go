// Package lab is the laboratory: it takes a [Spec], plans one run for each
// protocol and seed, makes the runs, and keeps what they measured.
//
//	Spec      what is asked: data, network, optimiser, protocols, seeds
//	Plan      one Run for each protocol and seed, the baseline among them
//	Folder    results/NAME, where each Run has its own folder
//	Lab       makes the runs, several at once, and can be stopped at any time
//	Compare   how much faster the protocols arrive, paired by seed
//
// # The results folder
//
//	results/NAME/
//	  spec.yaml                       the Spec, complete, with the version
//	  runs/ID/run.json                the Record: what the run is and how it went
//	  runs/ID/metrics.csv             one row an evaluation, only ever appended to
//	  runs/ID/checkpoint.safetensors  all that an unfinished run needs to go on
//	  runs/ID/weights.safetensors     the final weights of a finished run
//	  runs/ID/lock                    held by the process that makes the run
//
// A run's ID is a hash of everything its result depends on and of nothing else,
// so that a finished run is never made twice, whichever Spec asks for it, and a
// Spec to which seeds or protocols are added makes only the new runs. Any number
// of processes may share a folder: each run is made by the one that holds its
// lock. A process may be killed at any point; the next one continues from the
// last checkpoint and arrives at the same weights, bit for bit.
//
// # Fair clocks
//
// Speed-ups are measured in iterations and in seconds. So that seconds of a
// protocol and of its baseline can be compared, the runs of one seed advance
// together, a few iterations each in turn: what slows the machine down slows all
// of them.
package lab
