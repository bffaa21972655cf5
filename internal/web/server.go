// Package web serves the page of a results folder while its runs go on. It only reads.
//
// Whoever wants anything must show a token, which the printed address carries: once as
// ?token=, then in a cookie. A request must name this server in its Host header, so that
// a page from elsewhere whose name has been pointed at this machine gets nothing (DNS
// rebinding). Nothing but GET and HEAD without a body is answered, and no path of a
// request ever becomes a path on the disk.
package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"swapmc/internal/page"
	"swapmc/internal/report"
)

// A Server shows one results folder.
type Server struct {
	model *page.Model
	token string
	names []string // of this machine, besides addresses
	loop  bool     // loopback only
	port  string
	every time.Duration // between two looks at the folder

	mu      sync.RWMutex  // of the model, which only watch changes
	news    chan struct{} // closed when there is news
	state   int           // number of the last change of the view
	view    []byte
	figures []byte
	drawing sync.Mutex
	drawn   map[string][]byte
	streams chan struct{}
}

// Limits on what a request may be, and on how many pages may follow at once.
const (
	maxHeader  = 16 << 10
	maxURL     = 2 << 10
	maxStreams = 64
)

// New makes a server of a folder, with a token of its own.
func New(model *page.Model) *Server {
	return &Server{model: model, token: rand.Text(), every: time.Second, news: make(chan struct{}), drawn: map[string][]byte{}, streams: make(chan struct{}, maxStreams)}
}

// Listen opens an address. Only that of the machine itself (loopback) is allowed, unless
// anywhere is true; names are those by which the machine may then be called.
func (s *Server) Listen(address string, anywhere bool, names []string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: want HOST:PORT, such as 127.0.0.1:8080: %w", address, err)
	}
	if ip := net.ParseIP(host); !anywhere && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("address %s: others could reach it: say --anywhere if you want that", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		s.loop = tcp.IP.IsLoopback()
	}
	_, s.port, _ = net.SplitHostPort(l.Addr().String())
	s.names = []string{"localhost"}
	if !s.loop {
		if name, err := os.Hostname(); err == nil {
			s.names = append(s.names, strings.ToLower(name))
		}
		for _, n := range names {
			s.names = append(s.names, strings.ToLower(n))
		}
	}
	return l, nil
}

// Address is what to open in a browser.
func (s *Server) Address(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return "http://" + net.JoinHostPort(host, port) + "/?token=" + s.token
}

// Serve answers until ctx is done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if err := s.look(true); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.watch(ctx)
	server := &http.Server{
		Handler:           s.handler(),
		MaxHeaderBytes:    maxHeader - 4096, // net/http allows 4096 more
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          log.New(discard{}, "", 0), // a scan of the port is no news
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// handler answers what passes the guard.
func (s *Server) handler() http.Handler {
	pages := map[string]http.HandlerFunc{"/": s.home, "/events": s.events}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", page.Policy()+"; frame-ancestors 'none'")
		refuse := func(code int, why string) { http.Error(w, why, code) }
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			refuse(http.StatusMethodNotAllowed, "this server only shows: want GET")
		case len(r.RequestURI) > maxURL:
			refuse(http.StatusRequestURITooLong, "the address is too long")
		case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
			refuse(http.StatusBadRequest, "a request with a body")
		case !s.named(r.Host):
			refuse(http.StatusMisdirectedRequest, "the request is for another host: use the address that swapmc serve printed")
		case r.URL.Path != path.Clean(r.URL.Path) || strings.ContainsAny(r.URL.Path, "\\\x00") || r.URL.RawPath != "":
			refuse(http.StatusBadRequest, "no such path")
		case !s.admitted(w, r):
			refuse(http.StatusForbidden, "no token, or a wrong one: use the address that swapmc serve printed")
		default:
			if serve := pages[r.URL.Path]; serve != nil {
				serve(w, r)
				return
			}
			if name, ok := strings.CutPrefix(r.URL.Path, "/figure/"); ok {
				s.figure(w, r, name)
				return
			}
			http.NotFound(w, r)
		}
	})
}

// named tells whether a Host header means this server: its port, and an address of the
// kind it listens on or one of its names.
func (s *Server) named(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), "80"
	}
	if port != s.port {
		return false
	}
	if ip := net.ParseIP(name); ip != nil {
		return !s.loop || ip.IsLoopback()
	}
	return slices.Contains(s.names, strings.ToLower(name))
}

// admitted tells whether a request has the token. One that has it in its address gets it
// as a cookie, which the page's own requests bring along.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request) bool {
	right := func(token string) bool { return subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1 }
	name := "swapmc-" + s.port
	if given := r.URL.Query()["token"]; len(given) > 0 {
		if !right(given[0]) {
			return false
		}
		http.SetCookie(w, &http.Cookie{Name: name, Value: s.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		return true
	}
	cookie, err := r.Cookie(name)
	return err == nil && right(cookie.Value)
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	title := s.model.Name
	s.mu.RUnlock()
	var b bytes.Buffer
	if err := page.Live(&b, title); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.Write(b.Bytes())
}

// figure draws a figure. Its name is looked up among those that there are.
func (s *Server) figure(w http.ResponseWriter, r *http.Request, name string) {
	base, format, _ := strings.Cut(name, ".")
	kind := map[string]string{"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}[format]
	if kind == "" {
		http.NotFound(w, r)
		return
	}
	s.drawing.Lock() // one at a time: a figure takes a whole core
	defer s.drawing.Unlock()
	text, err := s.draw(base, report.Format(format))
	switch {
	case err != nil:
		http.Error(w, "the figure cannot be drawn", http.StatusInternalServerError)
	case text == nil:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
		w.Write(text)
	}
}

func (s *Server) draw(name string, format report.Format) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	key := fmt.Sprintf("%s.%s %d", name, format, s.state)
	if text := s.drawn[key]; text != nil {
		return text, nil
	}
	for _, f := range s.model.Figures() {
		if f.Name != name {
			continue
		}
		var b bytes.Buffer
		if err := f.Draw(&b, format); err != nil {
			return nil, err
		}
		if len(s.drawn) > 40 {
			clear(s.drawn)
		}
		s.drawn[key] = b.Bytes()
		return b.Bytes(), nil
	}
	return nil, nil
}
