package web

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swapmc/internal/page"
	"swapmc/internal/results"
	"swapmc/internal/results/resultstest"
)

// serve serves a folder and returns the server and its printed address.
func serve(t testing.TB, dir string) (*Server, *url.URL) {
	t.Helper()
	folder, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := New(&page.Model{Folder: folder, Version: "test"})
	s.every = 50 * time.Millisecond
	l, err := s.Listen("127.0.0.1:0", false, nil)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(s.Address(l))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		folder.Close()
	})
	return s, address
}

func small(t testing.TB) string {
	dir := t.TempDir()
	resultstest.Write(t, dir, resultstest.Plan(resultstest.Arms()[:2], []float64{0.1}, 3, 30))
	return dir
}

// raw sends a request as it is and returns the status and the rest of the answer.
func raw(t *testing.T, host, request string) (status, rest string) {
	t.Helper()
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		return "closed", "" // it did not even want to read it
	}
	answer, _ := io.ReadAll(c)
	first, rest, _ := strings.Cut(string(answer), "\r\n")
	_, status, _ = strings.Cut(first, " ")
	status, _, _ = strings.Cut(status, " ")
	return status, rest
}

func TestGuard(t *testing.T) {
	dir := small(t)
	if err := os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("SECRET"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, at := serve(t, dir)
	token := at.Query().Get("token")
	if len(token) < 20 {
		t.Fatalf("token %q", token)
	}
	_, port, _ := net.SplitHostPort(at.Host)
	cookie := "Cookie: swapmc-" + port + "=" + token + "\r\n"
	get := func(target, host, more string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + more + "\r\n"
	}
	for _, test := range []struct{ name, request, want string }{
		{"the printed address", get("/?token="+token, at.Host, ""), "200"},
		{"the cookie", get("/", at.Host, cookie), "200"},
		{"localhost", get("/", "localhost:"+port, cookie), "200"},
		{"a figure", get("/figure/figure.svg", at.Host, cookie), "200"},
		{"HEAD", strings.Replace(get("/", at.Host, cookie), "GET", "HEAD", 1), "200"},
		{"no token", get("/", at.Host, ""), "403"},
		{"events without token", get("/events", at.Host, ""), "403"},
		{"a figure without token", get("/figure/figure.svg", at.Host, ""), "403"},
		{"a wrong token", get("/?token="+token[1:]+"A", at.Host, ""), "403"},
		{"an empty token", get("/?token=", at.Host, cookie), "403"},
		{"a part of the token", get("/?token="+token[:10], at.Host, ""), "403"},
		{"a wrong cookie", get("/", at.Host, strings.Replace(cookie, token, "x"+token[1:], 1)), "403"},
		{"two tokens, the first wrong", get("/?token=x&token="+token, at.Host, ""), "403"},
		{"another host (DNS rebinding)", get("/?token="+token, "evil.example:"+port, ""), "421"},
		{"a host that begins like ours", get("/", "localhost.evil.example:"+port, cookie), "421"},
		{"another port", get("/", "127.0.0.1:1", cookie), "421"},
		{"an address of the network", get("/", "10.0.0.1:"+port, cookie), "421"},
		{"no host", "GET / HTTP/1.0\r\n" + cookie + "\r\n", "421"},
		{"two hosts", get("/", at.Host, "Host: evil.example\r\n"+cookie), "400"},
		{"parent", get("/../secret.txt", at.Host, cookie), "400"},
		{"parent of figure", get("/figure/../secret.txt", at.Host, cookie), "400"},
		{"encoded parent", get("/figure/%2e%2e/secret.txt", at.Host, cookie), "400"},
		{"encoded slash", get("/figure/..%2fsecret.txt", at.Host, cookie), "400"},
		{"twice encoded", get("/figure/%252e%252e%252fsecret.txt", at.Host, cookie), "404"},
		{"backslash", get(`/figure/..\secret.txt`, at.Host, cookie), "400"},
		{"encoded backslash", get("/figure/..%5csecret.txt", at.Host, cookie), "400"},
		{"a zero byte", get("/figure/figure.svg%00", at.Host, cookie), "400"},
		{"two slashes", get("//etc/passwd", at.Host, cookie), "400"},
		{"an absolute path as figure", get("/figure//etc/passwd", at.Host, cookie), "400"},
		{"a file of the folder", get("/secret.txt", at.Host, cookie), "404"},
		{"a file of the folder as figure", get("/figure/secret.txt", at.Host, cookie), "404"},
		{"a run's file", get("/runs/000000000001/run.json", at.Host, cookie), "404"},
		{"a figure that is none", get("/figure/spec.svg", at.Host, cookie), "404"},
		{"a proxy's request", get("http://evil.example/", at.Host, cookie), "421"},
		{"POST", "POST / HTTP/1.1\r\nHost: " + at.Host + "\r\nConnection: close\r\nContent-Length: 0\r\n" + cookie + "\r\n", "405"},
		{"PUT", "PUT /spec.yaml HTTP/1.1\r\nHost: " + at.Host + "\r\nConnection: close\r\nContent-Length: 1\r\n" + cookie + "\r\nx", "405"},
		{"DELETE", "DELETE /runs HTTP/1.1\r\nHost: " + at.Host + "\r\nConnection: close\r\n" + cookie + "\r\n", "405"},
		{"OPTIONS", "OPTIONS / HTTP/1.1\r\nHost: " + at.Host + "\r\nConnection: close\r\n" + cookie + "\r\n", "405"},
		{"CONNECT", "CONNECT evil.example:80 HTTP/1.1\r\nHost: " + at.Host + "\r\nConnection: close\r\n\r\n", "405"},
		{"a body", "GET / HTTP/1.1\r\nHost: " + at.Host + "\r\nConnection: close\r\nContent-Length: 3\r\n" + cookie + "\r\nabc", "400"},
		{"a chunked body", "GET / HTTP/1.1\r\nHost: " + at.Host + "\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n" + cookie + "\r\n0\r\n\r\n", "400"},
		{"a long address", get("/?x="+strings.Repeat("a", 3000), at.Host, cookie), "414"},
		{"large headers", get("/", at.Host, cookie+"X: "+strings.Repeat("a", 20000)+"\r\n"), "431"},
		{"many headers", get("/", at.Host, cookie+strings.Repeat("X: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 1000)), "431"},
		{"no HTTP", "hello\r\n\r\n", "400"},
		{"a bad escape", get("/%zz", at.Host, cookie), "400"},
		{"HTTP/3.7", strings.Replace(get("/", at.Host, cookie), "HTTP/1.1", "HTTP/3.7", 1), "505"},
	} {
		status, rest := raw(t, at.Host, test.request)
		if status != test.want && !(status == "closed" && test.want == "431") && !(status == "" && test.want == "431") {
			t.Errorf("%s: %s, want %s", test.name, status, test.want)
		}
		if strings.Contains(rest, "SECRET") || strings.Contains(rest, "root:") {
			t.Errorf("%s: gave away a file", test.name)
		}
		if test.want != "200" && strings.Contains(rest, token) {
			t.Errorf("%s: gave away the token", test.name)
		}
	}
	_, rest := raw(t, at.Host, get("/?token="+token, at.Host, ""))
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "script-src 'sha256-", "frame-ancestors 'none'", "X-Frame-Options: DENY", "nosniff", "Referrer-Policy: no-referrer", "Cache-Control: no-store"} {
		if !strings.Contains(rest, want) {
			t.Errorf("no %s in the answer", want)
		}
	}
}

func TestListenOnlyHere(t *testing.T) {
	for address, anywhere := range map[string]bool{"0.0.0.0:0": false, ":0": false, "example.org:80": false, "192.0.2.1:80": false, "nonsense": true} {
		if l, err := (&Server{}).Listen(address, anywhere, nil); err == nil {
			l.Close()
			t.Errorf("%s: allowed", address)
		}
	}
	s := New(nil)
	l, err := s.Listen("0.0.0.0:0", true, []string{"Lab.Example"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for host, want := range map[string]bool{"lab.example": true, "192.0.2.1": true, "[2001:db8::1]": true, "evil.example": false, "lab.example.evil": false} {
		if got := s.named(host + ":" + s.port); got != want {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
}

// The stream sends the state, then each row once, whatever the runs do meanwhile.
func TestEvents(t *testing.T) {
	dir := t.TempDir()
	runs := resultstest.Plan(resultstest.Arms()[:2], []float64{0.1}, 3, 30)
	first := runs[0]
	first.Rows, first.Status = 5, "running"
	resultstest.Write(t, dir, append([]resultstest.Run{first}, runs[1:]...))
	_, at := serve(t, dir)
	at.Path = "/events"
	res, err := http.Get(at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	rows := map[string]int{}
	status := map[string]string{}
	in := bufio.NewReader(res.Body)
	until := func(done func(event string) bool) {
		t.Helper()
		deadline := time.AfterFunc(time.Minute, func() { res.Body.Close() })
		defer deadline.Stop()
		event := ""
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("the stream ended: %v; %v %v", err, rows, status)
			}
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				event = strings.TrimSpace(name)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				if event == "runs" {
					var list []page.RunView
					if err := json.Unmarshal([]byte(data), &list); err != nil {
						t.Fatal(err)
					}
					for _, r := range list {
						if r.Reset {
							rows[r.ID] = 0
						}
						rows[r.ID] += r.Rows[0]
						status[r.ID] = string(r.Status)
					}
				}
				if done(event) {
					return
				}
			}
		}
	}
	until(func(event string) bool { return event == "ready" })
	if rows[first.ID] != 5 || len(rows) != len(runs) || rows[runs[1].ID] != 30 {
		t.Errorf("at first %v", rows)
	}
	f, err := os.OpenFile(filepath.Join(dir, "runs", first.ID, "metrics.csv"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for k := 5; k < 9; k++ {
		if _, err := f.WriteString(first.Row(k)); err != nil {
			t.Fatal(err)
		}
		until(func(string) bool { return rows[first.ID] == k+1 })
	}
	resultstest.Write(t, dir, runs[:1]) // it ends
	until(func(string) bool { return status[first.ID] == "done" && rows[first.ID] == 30 })
}
