package results

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"swapmc/internal/lab"
	"swapmc/internal/liquid"
	"swapmc/nn"
)

// A Run is what is known of one run.
type Run struct {
	ID       string
	Status   lab.Status
	Reason   string // of a failure
	System   string // network or glass
	Protocol string // as swap.FormatList prints it; "none" is the baseline
	Seed     uint64
	Version  string
	Host     string
	CPU      string
	Kernel   string
	Started  time.Time
	Ended    *time.Time
	Resumed  int
	Done     int // iterations or sweeps
	Length   int // how many there will be
	Seconds  float64
	Proposed int64 // swaps
	Accepted int64
	Config   map[string]string // what it depends on but protocol and seed, flat: "optimizer.lr" is "0.1"
	Metrics  Table             // of metrics.csv
	Result   *liquid.Result    // of a glass
	Liquid   *liquid.Config    // of a glass: the whole configuration
	Fault    string            // what is wrong with its files
	Change   int               // number of the last change, from 1 on
	Rewound  int               // how often its metrics began anew

	at        [2]int // setting and protocol of the Folder
	keys      []string
	protocols []string
	metrics   stamp // the file as it was read
	record    stamp
	read      int64 // bytes of metrics.csv
}

// record is the run.json of any system.
type record struct {
	ID       string          `json:"id"`
	Status   lab.Status      `json:"status"`
	Reason   string          `json:"reason"`
	System   string          `json:"system"`
	Seed     uint64          `json:"seed"`
	Version  string          `json:"version"`
	Host     string          `json:"host"`
	CPU      string          `json:"cpu"`
	Kernel   string          `json:"kernel"`
	Started  time.Time       `json:"started"`
	Ended    *time.Time      `json:"ended"`
	Resumed  int             `json:"resumed"`
	Done     int             `json:"iterations"`
	Sweeps   int             `json:"sweeps"`
	Seconds  float64         `json:"seconds"`
	Proposed int64           `json:"proposed"`
	Accepted int64           `json:"accepted"`
	Data     map[string]any  `json:"data"`
	Config   json.RawMessage `json:"config"`
	Result   *liquid.Result  `json:"result"`
}

// float32Name is the precision of training whose record does not say.
var float32Name = nn.Float32.String()

// decode takes over a run.json.
func (r *Run) decode(text []byte) error {
	var rec record
	if err := json.Unmarshal(text, &rec); err != nil {
		return err
	}
	if rec.ID != r.ID {
		return fmt.Errorf("it is of run %.20q", rec.ID)
	}
	var config map[string]any
	d := json.NewDecoder(strings.NewReader(string(rec.Config)))
	d.UseNumber()
	if err := d.Decode(&config); err != nil {
		return fmt.Errorf("config: %v", err)
	}
	r.Status, r.Reason, r.System, r.Version, r.Host, r.CPU, r.Kernel = rec.Status, rec.Reason, rec.System, rec.Version, rec.Host, rec.CPU, rec.Kernel
	r.Started, r.Ended, r.Resumed, r.Done, r.Seconds, r.Proposed, r.Accepted = rec.Started, rec.Ended, rec.Resumed, rec.Done, rec.Seconds, rec.Proposed, rec.Accepted
	r.Result = rec.Result
	flat := map[string]string{}
	flatten(flat, "", config)
	for key, value := range rec.Data {
		if key != "sha256" {
			flat["data."+key] = fmt.Sprint(value)
		}
	}
	r.Seed = rec.Seed
	if n, err := parseUint(flat["seed"]); err == nil {
		r.Seed = n
	}
	r.protocols = texts(config["protocols"])
	length := "iterations"
	if r.System == "glass" {
		r.protocols = strings.Split(flat["protocol"], " + ")
		if flat["protocol"] == "none" {
			r.protocols = nil
		}
		r.Done, length = rec.Sweeps, "sweeps"
		r.Liquid = new(liquid.Config)
		if err := json.Unmarshal(rec.Config, r.Liquid); err != nil {
			return fmt.Errorf("config: %v", err)
		}
		r.Proposed, r.Accepted = 0, 0
		if rec.Result != nil {
			for _, rate := range rec.Result.Protocols {
				r.Proposed += rate.Proposed
				r.Accepted += rate.Accepted
			}
		}
	}
	if r.System != "glass" && flat["precision"] == "" {
		flat["precision"] = float32Name
	}
	r.Protocol = "none"
	if len(r.protocols) > 0 {
		r.Protocol = strings.Join(r.protocols, " + ")
	}
	fmt.Sscan(flat[length], &r.Length)
	for _, key := range []string{"seed", "protocols", "protocol"} {
		delete(flat, key)
	}
	r.Config = flat
	r.keys = r.keys[:0]
	for key := range flat {
		if key != "first" { // how a glass came to equilibrium is no setting of its own
			r.keys = append(r.keys, key)
		}
	}
	sort.Strings(r.keys)
	return nil
}

// flatten writes a JSON tree as "a.b" -> "value".
func flatten(into map[string]string, prefix string, tree any) {
	switch v := tree.(type) {
	case map[string]any:
		for key, value := range v {
			flatten(into, strings.TrimPrefix(prefix+"."+key, "."), value)
		}
	case []any:
		var list []string
		for _, value := range v {
			list = append(list, fmt.Sprint(value))
		}
		into[prefix] = strings.Join(list, ", ")
	case nil:
	default:
		into[prefix] = fmt.Sprint(v)
	}
}

func texts(tree any) []string {
	var list []string
	items, _ := tree.([]any)
	for _, x := range items {
		list = append(list, fmt.Sprint(x))
	}
	return list
}

// Final returns the last value of a column of the metrics.
func (r *Run) Final(column string) (float64, bool) {
	c := r.Metrics.Column(column)
	if len(c) == 0 {
		return 0, false
	}
	return c[len(c)-1], true
}

// Progress is how much of the run is done, in [0, 1].
func (r *Run) Progress() float64 {
	if r.Status.Finished() || r.Length == 0 {
		return 1
	}
	done := float64(r.Done)
	if last, ok := r.Final("iteration"); ok {
		done = last
	}
	return min(1, done/float64(r.Length))
}
