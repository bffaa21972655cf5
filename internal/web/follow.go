package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"swapmc/internal/page"
)

// watch looks at the folder again and again, the less often the longer a look takes.
func (s *Server) watch(ctx context.Context) {
	const allEvery = 15 // looks between two at runs that have ended too
	for n := 1; ; n++ {
		began := time.Now()
		_ = s.look(n%allEvery == 0) // a folder that cannot be read now may be read later
		pause := max(s.every, 4*time.Since(began))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// look reads what is new in the folder and tells the streams.
func (s *Server) look(all bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed, err := s.model.Refresh(all)
	if err != nil || !changed && s.view != nil {
		return err
	}
	s.model.Update()
	view := s.model.View()
	view.Made = "" // so that only news is news
	text, err := json.Marshal(view)
	if err != nil {
		return err
	}
	if !bytes.Equal(text, s.view) {
		s.view = text
		s.state++
		type figure struct {
			Name    string `json:"name"`
			Title   string `json:"title"`
			Version int    `json:"version"`
		}
		list := []figure{}
		for _, f := range s.model.Figures() {
			list = append(list, figure{f.Name, f.Title, s.state})
		}
		if s.figures, err = json.Marshal(list); err != nil {
			return err
		}
	}
	close(s.news)
	s.news = make(chan struct{})
	return nil
}

// A cursor is how far a stream has come.
type cursor struct {
	state int // of the view
	runs  map[string]progress
}

type progress struct{ rows, rewound, change int }

// batch is how many numbers an event carries at most, so that none grows without bound.
const batch = 200_000

// events sends the view, all runs, "ready", and then what is new: server-sent events, as
// the page's follow() reads them.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		http.Error(w, "too many pages follow these runs", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	send := func(event string, data []byte) error {
		if err := out.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data); err != nil {
			return err
		}
		return out.Flush()
	}
	_ = out.SetReadDeadline(time.Time{})
	if send("begin", []byte("{}")) != nil {
		return
	}
	c := cursor{runs: map[string]progress{}}
	ready := false
	for {
		news, parts, err := s.since(&c)
		if err != nil {
			return
		}
		for _, p := range parts {
			if send(p.event, p.data) != nil {
				return
			}
		}
		if len(parts) > 0 && parts[len(parts)-1].more {
			continue
		}
		if !ready {
			ready = true
			if send("ready", []byte("{}")) != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-news:
		case <-time.After(20 * time.Second): // so that a connection that is gone is noticed
			if send("still", []byte("{}")) != nil {
				return
			}
		}
	}
}

type part struct {
	event string
	data  []byte
	more  bool
}

// since returns what a stream has not seen, a batch at most, and where to wait for more.
func (s *Server) since(c *cursor) (<-chan struct{}, []part, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var parts []part
	if c.state != s.state {
		parts = append(parts, part{event: "view", data: s.view}, part{event: "figures", data: s.figures})
		c.state = s.state
	}
	var runs []page.RunView
	numbers, more := 0, false
	for _, r := range s.model.Runs {
		old := c.runs[r.ID]
		if r.Change == old.change { // from 1 on
			continue
		}
		if numbers > batch {
			more = true
			break
		}
		now := progress{page.Rows(r), r.Rewound, r.Change}
		from := old.rows
		if now.rewound != old.rewound || now.rows < from || s.model.System == "glass" {
			from = 0
		}
		runs = append(runs, s.model.Run(r, from))
		numbers += 8*(now.rows-from) + 50
		c.runs[r.ID] = now
	}
	if len(runs) > 0 {
		text, err := json.Marshal(runs)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, part{event: "runs", data: text, more: more})
	}
	return s.news, parts, nil
}
