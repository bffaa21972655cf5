// Package browser drives a headless Chromium through its WebDriver
// (https://www.w3.org/TR/webdriver2/), for tests of pages.
package browser

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

// A Browser has one window.
type Browser struct {
	t       testing.TB
	session string // its URL
	pid     int    // of its driver
}

// Open starts Chromium with a window of so many pixels, and ends it with the test. The
// test is skipped where there is no Chromium.
func Open(t testing.TB, width, height int, flags ...string) *Browser {
	t.Helper()
	driver, err := exec.LookPath("chromedriver")
	if err != nil {
		t.Skip("no chromedriver here: install chromium and chromium-driver to test pages in a browser")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command(driver, "--port="+port)
	if err := cmd.Start(); err != nil {
		t.Skip("chromedriver does not start: ", err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	b := &Browser{t: t, session: "http://127.0.0.1:" + port, pid: cmd.Process.Pid}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if _, err = b.call("GET", "/status", nil); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("chromedriver: ", err)
		}
	}
	args := append([]string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(), fmt.Sprintf("--window-size=%d,%d", width, height)}, flags...)
	value, err := b.call("POST", "/session", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName": "chrome", "goog:chromeOptions": map[string]any{"args": args}, "goog:loggingPrefs": map[string]any{"browser": "ALL"}}}})
	if err != nil {
		t.Skip("Chromium does not start: ", err)
	}
	var s struct{ SessionID string }
	if err := json.Unmarshal(value, &s); err != nil || s.SessionID == "" {
		t.Fatalf("no session: %s", value)
	}
	b.session += "/session/" + s.SessionID
	t.Cleanup(func() { b.call("DELETE", "", nil) })
	b.must("POST", "/timeouts", map[string]any{"script": 120000, "pageLoad": 120000})
	return b
}

// call makes one request of the protocol.
func (b *Browser) call(method, path string, body any) (json.RawMessage, error) {
	var text io.Reader
	if method == "POST" {
		if body == nil {
			body = struct{}{}
		}
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, b.session+path, text)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: 3 * time.Minute}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var reply struct{ Value json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&reply); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		var fault struct{ Error, Message string }
		json.Unmarshal(reply.Value, &fault)
		return nil, errors.New(fault.Error + ": " + fault.Message)
	}
	return reply.Value, nil
}

func (b *Browser) must(method, path string, body any) json.RawMessage {
	b.t.Helper()
	value, err := b.call(method, path, body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return value
}

// Go opens an address.
func (b *Browser) Go(url string) {
	b.t.Helper()
	b.must("POST", "/url", map[string]any{"url": url})
}

// Run runs the body of a function in the page and reads what it returns into a value; a
// promise is waited for.
func (b *Browser) Run(into any, script string, args ...any) {
	b.t.Helper()
	if args == nil {
		args = []any{}
	}
	value := b.must("POST", "/execute/sync", map[string]any{"script": script, "args": args})
	if into == nil {
		return
	}
	if err := json.Unmarshal(value, into); err != nil {
		b.t.Fatalf("%s: %s: %v", script, value, err)
	}
}

// Wait waits until an expression in the page is true.
func (b *Browser) Wait(expression string) {
	b.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var yes bool
		b.Run(&yes, "return !!("+expression+")")
		if yes {
			return
		}
		if time.Now().After(end) {
			var text string
			b.Run(&text, "return document.body.innerText.slice(0, 2000)")
			b.t.Fatalf("never true: %s\npage: %s\nlog: %s", expression, text, b.Log())
		}
	}
}

// Action is one step of a pointer or wheel, as the protocol has it.
type Action map[string]any

// Pointer moves and presses the mouse.
func (b *Browser) Pointer(actions ...Action) {
	b.t.Helper()
	b.must("POST", "/actions", map[string]any{"actions": []any{map[string]any{"type": "pointer", "id": "mouse", "parameters": map[string]any{"pointerType": "mouse"}, "actions": actions}}})
}

// Screenshot returns the window as a PNG.
func (b *Browser) Screenshot() []byte {
	b.t.Helper()
	var text string
	if err := json.Unmarshal(b.must("GET", "/screenshot", nil), &text); err != nil {
		b.t.Fatal(err)
	}
	png, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}

// Print returns the page as a PDF.
func (b *Browser) Print() []byte {
	b.t.Helper()
	var text string
	if err := json.Unmarshal(b.must("POST", "/print", nil), &text); err != nil {
		b.t.Fatal(err)
	}
	pdf, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return pdf
}

// Log returns the errors and warnings that the page has had since the last call.
func (b *Browser) Log() []string {
	value, err := b.call("POST", "/se/log", map[string]any{"type": "browser"})
	if err != nil {
		return []string{err.Error()}
	}
	var entries []struct{ Level, Message string }
	if err := json.Unmarshal(value, &entries); err != nil {
		return []string{err.Error()}
	}
	var list []string
	for _, e := range entries {
		if e.Level == "SEVERE" || e.Level == "WARNING" {
			list = append(list, e.Message)
		}
	}
	return list
}
