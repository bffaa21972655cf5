// What is chosen, the curves, and where the data comes from.
const state = {
  setting: 0, chosen: null, x: null, logX: false, logY: false, every: false, smooth: 0,
  map: { x: "", y: "protocol", quantity: "speedup", protocol: -1 },
  runs: { find: "", by: "protocol", down: 1, most: 100 },
};
const live = $("view").textContent.trim() === "null";

const networkCharts = [
  { id: "loss", title: ["training loss", "test loss"], hue: "blue", y: ["train_loss", "test_loss"], linked: true },
  { id: "accuracy", title: ["test accuracy", "training accuracy"], hue: "green", y: ["test_accuracy", "train_accuracy"], percent: true, linked: true },
  { id: "speedup", title: ["speed-up against target"], hue: "blue" },
  { id: "acceptance", title: ["swap acceptance"], hue: "blue", y: ["acceptance"], percent: true, linked: true },
];
const glassCharts = [
  { id: "fs", title: ["F_s(k, t)", "overlap"], hue: "blue", y: ["fs", "overlap"], linked: true },
  { id: "msd", title: ["mean-square displacement"], hue: "blue", y: ["msd"], linked: true, logY: true },
  { id: "diameter", title: ["correlation of diameters"], hue: "green", y: ["diameter"], linked: true },
  { id: "chi4", title: ["chi_4", "alpha_2"], hue: "green", y: ["chi4", "alpha2"], linked: true },
  { id: "tau", title: ["relaxation time against temperature"], hue: "blue", against: r => r.tau_reached && r.tau > 0 ? r.tau : null, unit: "sweeps", log: true },
  { id: "energy", title: ["energy against temperature"], hue: "blue", against: r => r.loss, unit: "energy a particle" },
  { id: "inherent", title: ["inherent energy against temperature"], hue: "blue", against: r => r.inherent, unit: "energy a particle" },
  { id: "exchanged", title: ["exchanges between neighbours"], hue: "blue", against: r => r.exchanged, at: r => r.between, unit: "exchanges accepted", percent: true },
  { id: "g", title: ["g(r)"], hue: "blue", x: "r", y: ["g"] },
  { id: "s", title: ["S(k)"], hue: "blue", x: "k", y: ["s"] },
];
let charts = [];

// named are the protocols chosen, by their shade: the baseline first, which is grey.
function rankOf() {
  const v = model.view, swaps = v.protocols.map((_, p) => p).filter(p => p > 0), few = swaps.length <= 8 ? swaps : swaps.filter(p => state.chosen.has(p));
  return p => ({ rank: p === 0 ? -1 : few.indexOf(p), n: few.length });
}

function look(hue, p, rank) {
  const r = rank(p);
  return { colour: colour(hue, p === 0 ? -1 : r.rank, r.n), dash: p === 0 ? [] : strokes[Math.max(0, r.rank) % strokes.length] };
}

// temperatures are the values that have a colour each, the hottest first, where curves of several are shown.
function temperatures() {
  const key = model.view.system === "glass" && state.setting < 0 && model.view.keys.find(k => k.name === "temperature" && k.setting);
  return key ? key.values.map(Number).sort((a, b) => b - a) : [];
}

// temperatureOf is that of a setting, null where all runs have one.
function temperatureOf(setting) {
  const key = model.view.keys.find(k => k.name === "temperature" && k.setting);
  return key ? +key.values[key.setting[setting]] : null;
}

function runsOf(p) {
  return model.runs.filter(r => r.protocol === p && (state.setting < 0 || r.setting === state.setting) && r.tables);
}

function settingName(s) { return model.view.settings[s] || ""; }

// courses are the curves of one quantity.
function courses(hue, x, y) {
  const rank = rankOf(), curves = [], many = state.setting < 0 && model.view.settings.length > 1;
  const order = [...state.chosen].sort((a, b) => b - a); // the baseline on top
  const hot = temperatures();
  for (const p of order) {
    const look_ = look(hue, p, rank);
    const lookAt = s => hot.length ? { colour: heat(hot.indexOf(temperatureOf(s)), hot.length), dash: strokes[protocolStroke(p, rank)] } : look_;
    const of = r => ({ x: column(r, x), y: smooth(column(r, y), state.smooth) });
    if (state.every) {
      for (const r of runsOf(p)) curves.push({ ...of(r), ...lookAt(r.setting), ...(hot.length ? {} : { dash: [] }), width: 1, fade: 0.75, id: r.id, label: `${protocolName(p)} · seed ${r.seed}` + (many ? " · " + settingName(r.setting) : "") });
      continue;
    }
    const groups = new Map();
    for (const r of runsOf(p)) groups.set(r.setting, [...(groups.get(r.setting) || []), r]);
    for (const [s, runs] of groups) {
      const c = mean(runs.map(of).filter(c => c.x.length));
      const band = runs.length > 1 && (groups.size === 1 || hot.length) ? {} : { low: null, high: null };
      curves.push({ ...c, ...band, ...lookAt(s), width: groups.size > 1 ? 1.4 : 2, label: protocolName(p) + (runs.length > 1 ? ` · mean of ${runs.length}` : "") + (many ? " · " + settingName(s) : "") });
    }
  }
  return curves.filter(c => Array.prototype.some.call(c.y, Number.isFinite));
}

function speedups() {
  const rank = rankOf(), curves = [];
  model.view.compared.forEach((c, s) => {
    if (!c || (state.setting >= 0 && state.setting !== s)) return;
    for (const a of c.arms) {
      if (!state.chosen.has(a.protocol) || a.curve.target.length < 2) continue;
      const order = a.curve.target.map((_, i) => i).sort((i, k) => a.curve.target[i] - a.curve.target[k]);
      const bound = i => a.curve.bound && a.curve.bound[i];
      const pick = (list, open) => order.map(i => list[i] == null ? open : list[i] > 0 ? Math.log2(list[i]) : open);
      const curve = { x: order.map(i => a.curve.target[i]), y: pick(a.curve.speedup, NaN).map((y, k) => bound(order[k]) ? NaN : y), ...look("blue", a.protocol, rank), width: 2, label: protocolName(a.protocol) + (state.setting < 0 && model.view.settings.length > 1 ? " · " + settingName(s) : "") };
      if (a.curve.low && state.setting >= 0) { curve.low = pick(a.curve.low, NaN); curve.high = pick(a.curve.high, NaN); }
      curves.push(curve);
      const loose = order.filter(bound);
      if (loose.length) curves.push({ ...curve, low: null, high: null, x: loose.map(i => a.curve.target[i]), y: loose.map(i => Math.log2(a.curve.speedup[i])), dots: true, width: 0, label: curve.label + " · a bound: not all runs reach this target" });
    }
  });
  // As high as the curves and some of their intervals.
  let low = -0.07, high = 0.07;
  for (const c of curves) for (const y of c.y) if (Number.isFinite(y)) { low = Math.min(low, y); high = Math.max(high, y); }
  const room = Math.max(0.14, (high - low) / 4), clip = y => Math.max(low - room, Math.min(high + room, y));
  for (const c of curves) if (c.low) { c.low = c.low.map(clip); c.high = c.high.map(clip); }
  return curves;
}

// against is a quantity of the runs against temperature: the mean over seeds, of a logarithmic one the geometric mean.
function against(d) {
  const rank = rankOf();
  return [...state.chosen].sort((a, b) => b - a).map(p => {
    const of = new Map();
    for (const r of model.runs) {
      const value = d.against(r), t = d.at ? d.at(r) : temperatureOf(r.setting);
      if (r.protocol === p && t != null && value != null) of.set(t, [...(of.get(t) || []), d.log ? Math.log(value) : value]);
    }
    const x = [...of.keys()].sort((a, b) => a - b), mean = t => of.get(t).reduce((a, b) => a + b) / of.get(t).length;
    return { x, y: x.map(t => d.log ? Math.exp(mean(t)) : mean(t)), ...look("blue", p, rank), width: 2, dots: true, label: protocolName(p) };
  }).filter(c => c.x.length);
}

// factorTicks marks an axis of binary logarithms.
function factorTicks(u, axis, low, high) {
  const span = high - low, list = [];
  if (span < 3.4) {
    const nice = span < 0.4 ? [0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2] : span < 1.2 ? [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 1.8, 2] : [0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10];
    return nice.map(Math.log2).filter(v => v >= low && v <= high);
  }
  const step = Math.max(1, Math.round(span / 6));
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) list.push(v);
  return list;
}
const factor = v => "×" + (+(2 ** v).toPrecision(3));

const upper = t => /^(g\(|chi_|alpha_|F_)/.test(t) ? t : t[0].toUpperCase() + t.slice(1);

function buildCharts() {
  $("charts").replaceChildren();
  charts = (model.view.system === "glass" ? glassCharts : networkCharts).map(d => {
    d.which = d.which || 0;
    const title = d.title.length > 1 ? el("select", { "aria-label": "quantity", onchange: e => { d.which = +e.target.value; renderCurves(); } }, ...d.title.map((t, i) => el("option", { value: i, selected: i === d.which }, upper(t)))) :
      el("h3", {}, upper(d.title[0]));
    const chart = new Chart($("charts"), {
      id: "chart-" + d.id, title, onPick: id => location.hash = "run=" + id,
      ...(d.percent && { format: percent, values: v => v == null ? null : +(100 * v).toFixed(2) + "%" }),
      ...(d.id === "speedup" && {
        format: factor, ticks: factorTicks, tick: factor,
        under: u => { // the line of no difference
          const y = Math.round(u.valToPos(0, "y", true));
          if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
          u.ctx.save(); u.ctx.strokeStyle = shades[theme()].grey; u.ctx.lineWidth = devicePixelRatio; u.ctx.setLineDash([4, 4]);
          u.ctx.beginPath(); u.ctx.moveTo(u.bbox.left, y); u.ctx.lineTo(u.bbox.left + u.bbox.width, y); u.ctx.stroke(); u.ctx.restore();
        },
      }),
      onZoom: (from, range, moves) => { if (d.linked) for (const c of charts) if (c.d.linked && c.chart !== from) c.chart.zoom(range, moves, true); },
    });
    return { d, chart };
  });
}

function renderCurves() {
  const glass = model.view.system === "glass", x = state.x || (glass ? "sweeps" : "iteration");
  $("curves").hidden = !model.runs.length;
  if (!model.runs.length) return;
  if (!charts.length) buildCharts();
  const drawn = charts.map(({ d }) => {
    let curves, axes = { x, y: d.title[d.which], logX: state.logX, logY: state.logY || !!d.logY };
    if (d.id === "speedup") { curves = speedups(); axes = { x: "target " + model.view.quantity, y: "speed-up", reverse: true, logX: state.logX }; }
    else if (d.against) { curves = against(d); axes = { x: "temperature", y: d.unit, logY: !!d.log }; }
    else { curves = courses(d.hue, d.x || x, d.y[d.which]); if (d.x) axes = { ...axes, x: d.x, logX: false }; }
    return { curves, axes };
  });
  const any = drawn.some(x => x.curves.length);
  charts.forEach(({ chart }, i) => {
    const { curves, axes } = drawn[i];
    chart.root.hidden = !curves.length && (any || i > 0); // while there is nothing, one that is empty
    if (!chart.root.hidden) chart.show(curves, axes);
  });
}

function renderControls() {
  const v = model.view, glass = v.system === "glass", again = () => { renderControls(); renderCurves(); };
  const segment = (name, options, value, set) => el("span", { class: "segments", role: "group", "aria-label": name }, ...options.map(([id, text]) => el("button", { type: "button", "data-value": String(id), "aria-pressed": String(id === value), onclick: () => { set(id); again(); } }, text)));
  const toggle = (id, text) => el("label", {}, el("input", { type: "checkbox", id: "toggle-" + id, checked: state[id], onchange: e => { state[id] = e.target.checked; for (const c of charts) c.chart.range = null; renderCurves(); } }), text);
  const list = v.settings.length > 1 ? el("label", {}, "setting", el("select", { id: "setting", onchange: e => { state.setting = +e.target.value; again(); renderVerdicts(); renderAgain(); } },
    el("option", { value: -1, selected: state.setting < 0 }, "all settings"), ...v.settings.map((s, i) => el("option", { value: i, selected: i === state.setting }, s)))) : "";
  const range = el("input", { type: "range", id: "smooth", min: 0, max: 0.98, step: 0.02, value: state.smooth, oninput: e => { state.smooth = +e.target.value; renderCurves(); } });
  $("controls").replaceChildren(list,
    segment("what is drawn", [[false, "mean over seeds"], [true, "every run"]], state.every, x => state.every = x),
    glass ? "" : segment("time", [["iteration", "iterations"], ["seconds", "seconds"]], state.x || "iteration", x => { state.x = x; for (const c of charts) c.chart.range = null; }),
    toggle("logX", "log x"), toggle("logY", "log y"), el("label", {}, "smoothing", range));
  renderChips();
}

function renderChips() {
  const v = model.view, rank = rankOf(), set = chosen => { state.chosen = chosen; renderChips(); renderCurves(); };
  const stroke = (hue, p, y) => { const l = look(hue, p, rank); return el("line", { x1: 0, x2: 30, y1: y, y2: y, stroke: l.colour, "stroke-width": 2.4, "stroke-dasharray": l.dash.join(" ") }); };
  const hot = temperatures();
  const shown = v.protocols.map((_, p) => p).filter(p => p > 0 || v.protocols.length === 1 || hasBaseline());
  const chips = shown.map(p => el("button", {
    type: "button", class: "chip", "data-protocol": p, "aria-pressed": String(state.chosen.has(p)),
    onclick: () => { const c = new Set(state.chosen); c.has(p) ? c.delete(p) : c.add(p); set(c); },
    ondblclick: () => set(new Set([0, p])),
  }, el("svg", { viewBox: "0 0 30 10" }, ...(hot.length ? [el("line", { x1: 0, x2: 30, y1: 5, y2: 5, stroke: look("blue", p, rank).colour, "stroke-width": 2.4, "stroke-dasharray": strokes[protocolStroke(p, rank)].join(" ") })] : [stroke("blue", p, 2.5), stroke("green", p, 7.5)])), protocolName(p)));
  if (v.protocols.length > 3) chips.push(el("button", { type: "button", class: "chip", onclick: () => set(new Set(v.protocols.keys())) }, "all"), el("button", { type: "button", class: "chip", onclick: () => set(new Set([0])) }, "none"));
  chips.push(...hot.map((t, i) => el("span", { class: "swatch" }, el("svg", { viewBox: "0 0 30 10" }, el("line", { x1: 0, x2: 30, y1: 5, y2: 5, stroke: heat(i, hot.length), "stroke-width": 2.4 })), "T = " + t)));
  $("chips").replaceChildren(...chips);
}

// start or continue with a view: what is chosen stays chosen.
function takeView(view) {
  const known = model.view ? model.view.protocols.length : 0;
  const first = !model.view;
  model.view = view;
  if (first) {
    state.chosen = new Set(view.named);
    state.logX = view.system === "glass";
    const best = view.compared.findIndex(c => c);
    state.setting = view.settings.length > 1 && view.system === "glass" ? -1 : Math.max(0, best);
  } else if (known <= 9) for (let p = known; p < view.protocols.length; p++) state.chosen.add(p);
}

function renderAll() {
  renderHead();
  renderVerdicts();
  renderControls();
  renderCurves();
  renderMap();
  renderRuns();
  renderAgain();
  $("nav").replaceChildren(...[...document.querySelectorAll("section[data-title]")].filter(s => !s.hidden).map(s => el("a", { href: "#" + s.id }, s.dataset.title)));
}

function setTheme(choice) {
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").textContent = { dark: "☾ dark", light: "☀ light" }[choice] || "◐ auto";
  try { localStorage.setItem("swapmc-theme", choice); } catch { }
  if (model.view) { renderChips(); renderCurves(); }
}
let themeChoice = "auto";
try { themeChoice = localStorage.getItem("swapmc-theme") || "auto"; } catch { }
setTheme(themeChoice);
$("theme").addEventListener("click", () => { themeChoice = { auto: "dark", dark: "light", light: "auto" }[themeChoice] || "auto"; setTheme(themeChoice); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(themeChoice));
for (const form of document.forms) form.addEventListener("submit", e => e.preventDefault());

function route() {
  const id = location.hash.startsWith("#run=") ? location.hash.slice(5) : "";
  if (id) openRun(id); else if ($("run").open) $("run").close();
}
addEventListener("hashchange", route);
$("run").addEventListener("close", () => { runCharts = []; $("run-page").replaceChildren(); if (location.hash.startsWith("#run=")) history.replaceState(null, "", "#runs"); });
$("run").addEventListener("click", e => { if (e.target === $("run")) $("run").close(); });

// From the file itself, or from the server, which sends the view, then the runs, then
// what is new.
async function load() {
  takeView(JSON.parse($("view").textContent));
  const runs = JSON.parse($("run-list").textContent), packed = $("points").textContent.trim();
  const raw = packed ? await unzip(bytes(packed)) : new Uint8Array(0), data = new Float32Array(raw.buffer, 0, raw.byteLength >> 2);
  let at = 0;
  for (const r of runs) {
    const { rows, ...rest } = r;
    takeRun(rest);
    at = takePoints(model.byId.get(r.id), rows, data, at, true);
  }
  renderAll();
  route();
  document.documentElement.dataset.ready = "true";
}

function follow() {
  const events = new EventSource("events");
  let dirty = false, fresh = true, wait = 0;
  $("live").hidden = false;
  $("live").textContent = "live";
  const later = () => { // slow pages are drawn less often
    if (wait) return;
    wait = setTimeout(() => {
      wait = 0;
      const began = performance.now();
      if (document.hidden) { dirty = true; return; }
      renderAll();
      later.pause = Math.max(300, 4 * (performance.now() - began));
    }, later.pause || 100);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && dirty) { dirty = false; later(); } });
  events.addEventListener("begin", () => { model.runs = []; model.byId = new Map(); fresh = true; });
  events.addEventListener("view", e => { takeView(JSON.parse(e.data)); if (!fresh) later(); });
  events.addEventListener("runs", e => { for (const r of JSON.parse(e.data)) takeRun(r); if (!fresh) later(); });
  events.addEventListener("figures", e => {
    $("figure-list").replaceChildren(...JSON.parse(e.data).map(f => {
      const at = format => `figure/${f.name}.${format}?v=${f.version}`;
      return el("figure", {}, el("img", { src: at("svg"), alt: f.title, loading: "lazy" }), el("figcaption", {}, f.title, el("span", { class: "files" }, ...["svg", "pdf", "png"].flatMap(x => [el("a", { href: at(x), download: `${f.name}.${x}` }, x.toUpperCase()), " "]))));
    }));
    if (!fresh) later();
  });
  events.addEventListener("ready", () => {
    fresh = false;
    renderAll();
    route();
    document.documentElement.dataset.ready = "true";
  });
  events.onopen = () => { $("live").className = "live"; $("live").textContent = "live"; };
  events.onerror = () => { $("live").className = "live lost"; $("live").textContent = "connection lost"; };
}
live ? follow() : load();
