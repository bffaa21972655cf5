package browser

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Processor is the time that a process and its descendants have had on processors, 0
// where there is no /proc. Unlike the time of a clock it does not grow with what else
// the machine does.
func Processor(pid int) time.Duration {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	parent, ticks := map[int]int{}, map[int]int{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // from the state on: man 5 proc
		if len(fields) < 13 {
			continue
		}
		number := func(k int) int { n, _ := strconv.Atoi(string(fields[k])); return n }
		parent[id], ticks[id] = number(1), number(11)+number(12)
	}
	sum := 0
	for id := range ticks {
		for p := id; p > 0; p = parent[p] {
			if p == pid {
				sum += ticks[id]
				break
			}
		}
	}
	return time.Duration(sum) * time.Second / 100
}

// Processor is the time that the browser has had on processors.
func (b *Browser) Processor() time.Duration { return Processor(b.pid) }
