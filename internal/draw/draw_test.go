package draw

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"swapmc/swap"
)

var update = flag.Bool("update", false, "write docs/pictures anew")

func picture(t *testing.T, text string, seed uint64) *Picture {
	t.Helper()
	p, err := swap.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	pic, err := Protocol(p, seed)
	if err != nil {
		t.Fatal(err)
	}
	return pic
}

// everyCode calls f with every code of every target.
func everyCode(t *testing.T, f func(t *testing.T, text string)) {
	for _, target := range swap.Targets() {
		for _, code := range swap.Codes(target) {
			text := string(target) + ":" + code
			t.Run(text, func(t *testing.T) { f(t, text) })
		}
	}
}

// What moved is known from the code: the number of cells, and that one swap is
// its own inverse and takes each cell to where the letters let it go.
func TestEvent(t *testing.T) {
	everyCode(t, func(t *testing.T, text string) {
		for seed := range uint64(20) {
			p := picture(t, text, seed)
			here := make([]int, len(p.origin))
			for k, from := range p.origin {
				here[from]++
				if p.origin[from] != k {
					t.Fatalf("seed %d: cell %d came from %d, which came from %d", seed, k, from, p.origin[from])
				}
			}
			for k, n := range here {
				if n != 1 {
					t.Fatalf("seed %d: cell %d is there %d times after", seed, k, n)
				}
			}
			moved := 0
			for k, from := range p.origin {
				if from == k {
					continue
				}
				moved++
				i, j := p.blocks[p.block(k)], p.blocks[p.block(from)]
				at := [3]int{p.block(k), (k - i.first) / i.cols, (k - i.first) % i.cols}
				was := [3]int{p.block(from), (from - j.first) / j.cols, (from - j.first) % j.cols}
				code := p.protocol.Code
				switch len(code) {
				case 1:
					code = "11" + code
				case 2:
					code = code[:1] + "1" + code[1:]
				}
				for axis, letter := range code {
					if (letter == 'S') != (at[axis] != was[axis]) {
						t.Fatalf("seed %d: code %s took %v to %v", seed, p.protocol.Code, was, at)
					}
				}
			}
			if moved != 2*p.orbits || moved == 0 {
				t.Fatalf("seed %d: %d cells in %d cycles: want pairs", seed, moved, p.orbits)
			}
		}
	})
}

func TestEventCounts(t *testing.T) {
	for text, want := range map[string]int{
		"features:1SA":   2 * pixels * pixels,
		"features:SAA":   2 * channels * pixels * pixels,
		"features:ASA":   3 * 2 * pixels * pixels,
		"features:AAS":   3 * channels * 2,
		"features:1SS":   2,
		"weights:SAA":    2 * 5 * 4,
		"weights:A1S":    4 * 2,
		"biases:SA":      2 * 6,
		"params:1S each": 4 * 2,
		"diameters:S":    2,
		"features:1SA each p=0.2 every=100 from=7 until=900": 3 * 2 * pixels * pixels,
		"weights:1SS accept=metropolis T=1e-4 window=0.01":   2,
	} {
		p := picture(t, text, 3)
		moved := 0
		for k, from := range p.origin {
			if from != k {
				moved++
			}
		}
		if moved != want {
			t.Errorf("%s: %d cells moved, want %d", text, moved, want)
		}
	}
}

func TestFewSwapsOfMany(t *testing.T) {
	for _, text := range []string{"weights:1SS n=1000", "features:1SS n=64", "weights:SSS n=5000"} {
		p := picture(t, text, 1)
		if p.orbits == 0 || p.orbits > shownSwaps || !p.partial {
			t.Errorf("%s: %d cycles, partial %v: want 1 to %d, and a word about it", text, p.orbits, p.partial, shownSwaps)
		}
	}
	if p := picture(t, "weights:1SS n=2", 1); p.partial {
		t.Error("n=2 is said to be drawn in part")
	}
}

// Both panels draw the same colours equally often: the cells are a permutation.
func TestColoursPermute(t *testing.T) {
	everyCode(t, func(t *testing.T, text string) {
		p := picture(t, text, 5)
		count := make(map[any]int)
		for k := range p.origin {
			count[p.colour(p.content(k, false))]++
			count[p.colour(p.content(k, true))]--
		}
		for c, n := range count {
			if n != 0 {
				t.Errorf("colour %v: %d more before than after", c, n)
			}
		}
		differ := false
		for k := range p.origin {
			differ = differ || p.colour(p.content(k, false)) != p.colour(p.content(k, true))
		}
		if !differ {
			t.Error("before and after look the same")
		}
	})
}

func wellFormed(t *testing.T, data []byte) (texts []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(data))
	inside, elements := false, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements++
			inside = token.Name.Local == "text"
			for _, a := range token.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("%s has %s=%q", token.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			if inside {
				texts = append(texts, string(token))
			}
		case xml.EndElement:
			inside = false
		}
	}
	if elements < 10 {
		t.Fatalf("only %d elements", elements)
	}
	return texts
}

func TestSVG(t *testing.T) {
	everyCode(t, func(t *testing.T, text string) {
		var b bytes.Buffer
		if err := picture(t, text, 1).SVG(&b); err != nil {
			t.Fatal(err)
		}
		texts := strings.Join(wellFormed(t, b.Bytes()), "\n")
		for _, want := range []string{text, "before", "after"} {
			if !strings.Contains(texts, want) {
				t.Errorf("no text %q", want)
			}
		}
	})
}

func TestPNG(t *testing.T) {
	for _, text := range []string{"features:1SA", "weights:1SS n=all", "biases:1S", "params:SS", "diameters:S", "lengths:S"} {
		var b bytes.Buffer
		if err := picture(t, text, 1).PNG(&b); err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(&b)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if w := m.Bounds().Dx(); w != 1680 {
			t.Errorf("%s: %d pixels wide, want 5.6 inches at 300", text, w)
		}
	}
}

func TestText(t *testing.T) {
	everyCode(t, func(t *testing.T, text string) {
		p := picture(t, text, 1)
		var plain, coloured bytes.Buffer
		if err := p.Text(&plain, false); err != nil {
			t.Fatal(err)
		}
		if err := p.Text(&coloured, true); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{text, "before", "after", "→"} {
			if !strings.Contains(plain.String(), want) {
				t.Errorf("no %q in\n%s", want, plain.String())
			}
		}
		same, before, after := true, p.textPanel(false), p.textPanel(true)
		for row := range before {
			for col, g := range before[row] {
				same = same && g.char == after[row][col].char
			}
		}
		if same {
			t.Errorf("without colours before and after are the same:\n%s", plain.String())
		}
		if strings.Contains(plain.String(), "\x1b") {
			t.Error("colours where none are wanted")
		}
		if !strings.Contains(coloured.String(), "\x1b[38;2;") {
			t.Error("no colours where they are wanted")
		}
		if strings.Count(coloured.String(), "\x1b[0m") != strings.Count(coloured.String(), "\x1b[38;2;") {
			t.Error("a colour is not ended")
		}
		for _, line := range strings.Split(plain.String(), "\n") {
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%d columns: %s", n, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("trailing blanks: %q", line)
			}
		}
	})
}

// What a picture leaves out, it says.
func TestGaugeIsNamed(t *testing.T) {
	for text, want := range map[string]bool{"weights:1SA": false, "weights:1SA gauge=true": true} {
		var b bytes.Buffer
		if err := picture(t, text, 1).Text(&b, false); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "Not drawn: the units' biases"); got != want {
			t.Errorf("%s: names what is not drawn: %v, want %v:\n%s", text, got, want, b.String())
		}
	}
}

// A picture fits its page: no line of text is wider than the figure.
func TestLongProtocol(t *testing.T) {
	p := picture(t, "weights:1SS each n=all from=1000 until=20000 ramp=cosine p=0.75..0.125 layers="+strings.Repeat("block.0.conv1,", 12)+"fc guide=momentum beta=0.95 window=0.0123 accept=metropolis T=0.00025", 1)
	f := p.figure()
	pen := newPen(nil, 0)
	for _, line := range f.title {
		face := pen.face(titleStyle)
		if w := float64(face.Width(line)); w > figureWidth-2*margin {
			t.Errorf("%.0f pt wide: %s", w, line)
		}
	}
	bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	if bare(strings.Join(f.title, "")) != bare(p.protocol.String()) {
		t.Errorf("title %q has lost something of %q", f.title, p.protocol)
	}
}

func TestSameSeedSamePicture(t *testing.T) {
	draw := func(seed uint64) string {
		var b bytes.Buffer
		if err := picture(t, "weights:ASA", seed).SVG(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	one := draw(1)
	if again := draw(1); one != again {
		t.Error("the same seed gives two pictures")
	}
	if one == draw(2) && one == draw(3) {
		t.Error("the seed has no effect")
	}
}

func TestErrors(t *testing.T) {
	for _, p := range []swap.Protocol{{}, {Target: "pixels", Code: "1S"}, {Target: swap.Features, Code: "111"}, {Target: swap.Weights, Code: "1S"}} {
		if _, err := Protocol(p, 1); err == nil {
			t.Errorf("%v: no error", p)
		}
	}
	if err := Sheet(io.Discard, "pixels"); err == nil || !strings.Contains(err.Error(), "pixels") {
		t.Errorf("unknown target: error %v", err)
	}
	full := errors.New("disk full")
	if err := picture(t, "biases:1S", 1).Text(failing{full}, false); !errors.Is(err, full) {
		t.Errorf("Text: error %v, want %v", err, full)
	}
	if err := picture(t, "biases:1S", 1).SVG(failing{full}); !errors.Is(err, full) {
		t.Errorf("SVG: error %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The sheets in docs/pictures are what Sheet draws. Write them anew with
//
//	go test ./internal/draw -run Sheet -update
func TestSheet(t *testing.T) {
	for _, target := range swap.Targets() {
		var b bytes.Buffer
		if err := Sheet(&b, target); err != nil {
			t.Fatal(err)
		}
		texts := wellFormed(t, b.Bytes())
		have := make(map[string]bool)
		for _, s := range texts {
			have[s] = true
		}
		for _, code := range swap.Codes(target) {
			if !have[code] {
				t.Errorf("%s: no label %s", target, code)
			}
		}
		if b.Len() > 300e3 {
			t.Errorf("%s: %d bytes, want at most 300 kB", target, b.Len())
		}
		path := filepath.Join("..", "..", "docs", "pictures", string(target)+".svg")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if runtime.GOARCH != "amd64" {
			continue // the last digit of a length may differ
		}
		docs, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(docs, b.Bytes()) {
			t.Errorf("%s is not what Sheet draws: run go test ./internal/draw -run Sheet -update", path)
		}
	}
}

// Where an optimiser or a gradient says what moves, values stay in their row and
// more than two may move at once.
func TestEventOfManyStaysInItsRow(t *testing.T) {
	for _, text := range []string{"weights:11S each n=all guide=lookahead", "weights:11S each n=all guide=momentum cycles window=0.01 accept=greedy"} {
		longer := 0
		for seed := range uint64(20) {
			p := picture(t, text, seed)
			row, here := make([]int, 0, len(p.origin)), make([]int, len(p.origin))
			for i, b := range p.blocks {
				for k := range b.rows * b.cols {
					row = append(row, 100*i+k/b.cols)
				}
			}
			for k, from := range p.origin {
				here[from]++
				if row[k] != row[from] {
					t.Fatalf("%s: seed %d: cell %d came from %d, of another row", text, seed, k, from)
				}
				if p.origin[from] != k {
					longer++
				}
			}
			for k, n := range here {
				if n != 1 {
					t.Fatalf("%s: seed %d: cell %d is there %d times after", text, seed, k, n)
				}
			}
		}
		if longer == 0 {
			t.Errorf("%s: only pairs were drawn", text)
		}
	}
}
