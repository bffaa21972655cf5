package web

import (
	"bytes"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"swapmc/internal/browser"
	"swapmc/internal/results/resultstest"
)

const ready = "document.documentElement.dataset.ready === 'true'"

// keep writes a screenshot to a folder, to be looked at.
func keep(t *testing.T, name string, png []byte) {
	t.Helper()
	if img, _, err := image.Decode(bytes.NewReader(png)); err != nil || img.Bounds().Dx() < 400 {
		t.Errorf("%s: no picture: %v", name, err)
	}
	if dir := os.Getenv("SWAPMC_KEEP_FIGURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The page in a browser: it loads, follows a run, lets choose and zoom.
func TestInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("in a browser: not with -short")
	}
	b := browser.Open(t, 1240, 900)
	dir := t.TempDir()
	runs := resultstest.Plan(resultstest.Arms(), []float64{0.02, 0.1}, 3, 120)
	first := runs[0]
	first.Rows, first.Status = 40, "running"
	resultstest.Write(t, dir, append([]resultstest.Run{first}, runs[1:]...))
	_, at := serve(t, dir)
	b.Go(at.String())
	b.Wait(ready)
	var got struct {
		Runs, Rows, Charts, Verdicts int
		Token                        bool
	}
	const count = `return {Runs: model.runs.length, Rows: column(model.byId.get(arguments[0]), "iteration").length, Charts: document.querySelectorAll(".plot canvas:not(.over)").length,
		Verdicts: document.querySelectorAll("#verdict-table tbody tr").length, Token: document.documentElement.outerHTML.includes(arguments[1])}`
	b.Run(&got, count, first.ID, at.Query().Get("token"))
	if got.Runs != len(runs) || got.Rows != 40 || got.Charts != 4 || got.Verdicts != 3 || got.Token {
		t.Fatalf("loaded: %+v", got)
	}

	t.Run("updates", func(t *testing.T) {
		f, err := os.OpenFile(filepath.Join(dir, "runs", first.ID, "metrics.csv"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for k := 40; k < 50; k++ {
			f.WriteString(first.Row(k))
			time.Sleep(20 * time.Millisecond)
		}
		b.Wait(`column(model.byId.get("` + first.ID + `"), "iteration").length === 50`)
		resultstest.Write(t, dir, runs[:1])
		b.Wait(`model.byId.get("` + first.ID + `").status === "done" && column(model.byId.get("` + first.ID + `"), "iteration").length === 120`)
		b.Wait(`document.querySelector("#state").textContent.includes("` + "24 done" + `")`)
	})

	t.Run("chooses", func(t *testing.T) {
		var before, after, hidden int
		b.Run(&before, "return charts[0].chart.curves.length")
		b.Run(nil, `document.querySelector('.chip[data-protocol="1"]').click()`)
		b.Run(&hidden, "return charts[0].chart.curves.length")
		b.Run(nil, `document.querySelector('.chip[data-protocol="1"]').click()`)
		b.Run(nil, `document.querySelector('[data-value="true"]').click()`)
		b.Run(&after, "return charts[0].chart.curves.length")
		if before != 4 || hidden != 3 || after != 12 {
			t.Errorf("curves: %d, one protocol less %d, every run %d", before, hidden, after)
		}
		b.Run(nil, `document.querySelector('#toggle-logY').click()`)
		var distribution int
		b.Run(&distribution, "return charts[0].chart.u.scales.y.distr")
		if distribution != 3 {
			t.Error("no logarithmic axis")
		}
		b.Run(nil, `document.querySelector('#toggle-logY').click()`)
		var rough []float64
		b.Run(&rough, `const r = () => { const y = charts[0].chart.curves[0].y; let s = 0; for (let i = 61; i < 119; i++) s += Math.abs(y[i + 1] - 2 * y[i] + y[i - 1]); return s; };
			const before = r(), range = document.querySelector("#smooth"); range.value = 0.9; range.dispatchEvent(new Event("input")); const after = r(); range.value = 0; range.dispatchEvent(new Event("input")); return [before, after];`)
		if len(rough) != 2 || !(rough[1] < rough[0]/4) {
			t.Errorf("roughness before and after smoothing: %v", rough)
		}
		b.Run(nil, `const s = document.querySelector("#setting"); s.value = "-1"; s.dispatchEvent(new Event("change"))`)
		b.Run(&after, "return document.querySelectorAll('#verdict-table tbody tr').length")
		if after != 6 {
			t.Errorf("%d verdicts over all settings, want 6", after)
		}
		b.Run(nil, `const s = document.querySelector("#setting"); s.value = "0"; s.dispatchEvent(new Event("change"))`)
	})

	t.Run("zooms and hovers", func(t *testing.T) {
		var box struct{ X, Y, W, H float64 }
		b.Run(nil, `document.querySelector("#chart-loss").scrollIntoView({block: "center"})`)
		b.Run(&box, `const r = document.querySelector("#chart-loss .u-over").getBoundingClientRect(); return {X: r.x, Y: r.y, W: r.width, H: r.height}`)
		move := func(x, y float64) browser.Action {
			return browser.Action{"type": "pointerMove", "duration": 50, "x": int(box.X + x*box.W), "y": int(box.Y + y*box.H)}
		}
		b.Pointer(move(0.25, 0.5), browser.Action{"type": "pointerDown", "button": 0}, move(0.4, 0.5), move(0.5, 0.5), browser.Action{"type": "pointerUp", "button": 0})
		b.Wait("charts[0].chart.range !== null")
		var ranges [][]float64
		b.Run(&ranges, "return [charts[0].chart.range, charts[1].chart.range, [charts[0].chart.u.scales.x.min, charts[0].chart.u.scales.x.max]]")
		// A quarter to a half of 0 to 1190.
		for _, r := range ranges {
			if r[0] < 1190*0.22 || r[0] > 1190*0.28 || r[1] < 1190*0.47 || r[1] > 1190*0.53 {
				t.Errorf("zoomed to %v", ranges)
				break
			}
		}
		var tip string
		for y := 0.9; y > 0.05 && tip == ""; y -= 0.04 {
			b.Pointer(move(0.6, y))
			b.Run(&tip, `return charts[0].chart.tip.hidden ? "" : charts[0].chart.tip.textContent`)
		}
		if tip == "" {
			t.Error("no curve under the pointer says what it is")
		}
		b.Run(nil, `document.querySelector("#chart-loss .reset").click()`)
		b.Wait("charts[0].chart.range === null && charts[1].chart.range === null")
	})

	t.Run("shows a run", func(t *testing.T) {
		b.Run(nil, `location.hash = "run=`+first.ID+`"`)
		b.Wait(`document.querySelector("#run").open && document.querySelectorAll("#run .plot canvas:not(.over)").length === 4`)
		var text string
		b.Run(&text, `return document.querySelector("#run .command pre").textContent`)
		if text == "" {
			t.Error("no command")
		}
		keep(t, "run.png", b.Screenshot())
		b.Run(nil, `document.querySelector("#run .close").click()`)
	})

	t.Run("themes", func(t *testing.T) {
		var paper []string
		b.Run(&paper, `const out = []; for (let i = 0; i < 3; i++) { document.querySelector("#theme").click(); out.push(getComputedStyle(document.body).backgroundColor); } return out`)
		if len(paper) != 3 || paper[0] == paper[1] {
			t.Errorf("dark, light, auto: %v", paper)
		}
		if pdf := b.Print(); !bytes.HasPrefix(pdf, []byte("%PDF")) {
			t.Error("cannot be printed")
		}
	})
	if log := b.Log(); len(log) > 0 {
		t.Errorf("the page complains: %q", log)
	}
}

// A thousand runs of a thousand points stay fluid. The numbers are printed, not judged;
// docs/report.md has those of one machine.
func TestLoad(t *testing.T) {
	if os.Getenv("SWAPMC_LOAD") == "" {
		t.Skip("a measurement: SWAPMC_LOAD=1 go test ./internal/web -run Load -v")
	}
	b := browser.Open(t, 1240, 900)
	dir := t.TempDir()
	resultstest.Write(t, dir, resultstest.Plan(resultstest.Arms(), []float64{0.01, 0.02, 0.05, 0.1, 0.2}, 50, 1000))
	_, at := serve(t, dir)
	began := time.Now()
	b.Go(at.String())
	b.Wait(ready)
	t.Logf("loaded in %.1f s", time.Since(began).Seconds())
	b.Run(nil, `state.setting = -1; state.every = true; state.chosen = new Set(model.view.protocols.keys()); renderControls(); renderCurves(); document.querySelector("#chart-loss").scrollIntoView()`)
	var n struct {
		Curves int
		Points int
	}
	b.Run(&n, `const c = charts[0].chart.curves; return {Curves: c.length, Points: c.reduce((s, c) => s + c.x.length, 0)}`)
	t.Logf("%d curves, %d points", n.Curves, n.Points)
	time.Sleep(3 * time.Second) // until it rests
	var times []float64
	used := b.Processor()
	b.Run(&times, `return new Promise(done => {
		const over = document.querySelector("#chart-loss .u-over"), r = over.getBoundingClientRect(), times = [];
		let last = performance.now(), k = 0;
		const step = now => {
			times.push(now - last); last = now;
			if (++k > 60) return done(times.slice(1));
			over.dispatchEvent(new WheelEvent("wheel", {deltaY: k % 40 < 20 ? -30 : 30, ctrlKey: true, clientX: r.x + r.width / 2, clientY: r.y + 50, bubbles: true, cancelable: true}));
			requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	})`)
	frames(t, "zooming with the wheel, three linked charts", times, b.Processor()-used)
	time.Sleep(3 * time.Second)
	used = b.Processor()
	b.Run(&times, `return new Promise(done => {
		const over = document.querySelector("#chart-loss .u-over"), r = over.getBoundingClientRect(), times = [];
		let last = performance.now(), k = 0;
		const step = now => {
			times.push(now - last); last = now;
			if (++k > 60) return done(times.slice(1));
			over.dispatchEvent(new MouseEvent("mousemove", {clientX: r.x + r.width * k / 61, clientY: r.y + r.height * 0.6, bubbles: true}));
			requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	})`)
	frames(t, "hovering", times, b.Processor()-used)
	used = b.Processor()
	b.Run(&times, `const times = []; for (let i = 0; i < 5; i++) { const t = performance.now(); charts[0].chart.zoom(i % 2 ? null : [2000, 5000]); times.push(performance.now() - t); } return times`)
	frames(t, "a zoom by dragging, three linked charts, script only", times, b.Processor()-used)
	keep(t, "load.png", b.Screenshot())
}

func frames(t *testing.T, what string, times []float64, used time.Duration) {
	sum, worst := 0.0, 0.0
	for _, x := range times {
		sum += x
		worst = max(worst, x)
	}
	t.Logf("%s: %.0f ms a frame on average, the longest %.0f ms; %.0f ms of processor time a frame", what, sum/float64(len(times)), worst, 1000*used.Seconds()/float64(len(times)))
}
