"use strict";
// What the page knows: the view (see View in view.go), the runs, their numbers.
const model = { view: null, runs: [], byId: new Map(), version: 0 };

const $ = id => document.getElementById(id);

// el makes an element: el("td", {class: "n"}, "text", child, ...). Texts are never HTML.
function el(tag, attributes, ...children) {
  const svg = ["svg", "line", "circle", "text", "path"].includes(tag);
  const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value != null) e.setAttribute(name, value);
  }
  e.append(...children.filter(c => c != null));
  return e;
}

function bytes(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64), b = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) b[i] = text.charCodeAt(i);
  return b;
}

async function unzip(b) {
  return new Uint8Array(await new Response(new Blob([b]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

// takePoints gives a run the columns of its tables; data starts at an offset in floats.
// It returns the offset behind them.
function takePoints(run, rows, data, at, reset) {
  if (reset || !run.tables) run.tables = model.view.tables.map(t => t.columns.map(() => new Float32Array(0)));
  run.tables.forEach((columns, t) => {
    const n = rows[t] || 0;
    for (let k = 0; k < columns.length; k++, at += n) {
      if (!n) continue;
      const grown = new Float32Array(columns[k].length + n);
      grown.set(columns[k]);
      grown.set(data.subarray(at, at + n), columns[k].length);
      columns[k] = grown;
    }
  });
  return at;
}

function takeRun(r) {
  let run = model.byId.get(r.id);
  if (!run) {
    run = {};
    model.byId.set(r.id, run);
    model.runs.push(run);
  }
  const { points, rows, reset, ...rest } = r;
  Object.assign(run, rest);
  if (points != null && rows) {
    const b = bytes(points);
    takePoints(run, rows, new Float32Array(b.buffer, b.byteOffset, b.byteLength >> 2), 0, reset);
  }
  model.version++;
}

// column returns a column of a run by name.
function column(run, name) {
  for (const [t, table] of model.view.tables.entries()) {
    const k = table.columns.indexOf(name);
    if (k >= 0) return run.tables ? run.tables[t][k] : new Float32Array(0);
  }
  return new Float32Array(0);
}

// smooth is an exponential average that starts without bias; s in [0, 1).
function smooth(y, s) {
  if (!s) return y;
  const out = new Float32Array(y.length);
  let sum = 0, weight = 0;
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) { out[i] = y[i]; continue; }
    sum = s * sum + (1 - s) * y[i];
    weight = s * weight + (1 - s);
    out[i] = sum / weight;
  }
  return out;
}

// mean averages curves row by row where at least half of them are that long, with one
// standard error to both sides.
function mean(list) {
  const n = Math.max(0, ...list.map(c => c.x.length));
  const x = [], y = [], low = [], high = [];
  for (let i = 0; i < n; i++) {
    let count = 0, sx = 0, sy = 0, sq = 0, long = 0;
    for (const c of list) {
      if (i >= c.x.length) continue;
      long++;
      if (!Number.isFinite(c.y[i])) continue;
      count++; sx += c.x[i]; sy += c.y[i]; sq += c.y[i] * c.y[i];
    }
    if (long * 2 < list.length) break;
    if (!count) continue;
    const m = sy / count, e = count > 1 ? Math.sqrt(Math.max(0, sq / count - m * m) / (count - 1)) : 0;
    x.push(sx / count); y.push(m); low.push(m - e); high.push(m + e);
  }
  return { x, y, low, high };
}

const short = (x, digits = 4) => {
  if (x == null || !Number.isFinite(x)) return "–";
  const a = Math.abs(x);
  if (a !== 0 && (a >= 1e6 || a < 1e-3)) return x.toExponential(2).replace("e+", "e");
  return a >= 10000 ? Math.round(x).toLocaleString("en").replaceAll(",", "\u202f") : String(+x.toPrecision(digits));
};
const percent = x => x == null || !Number.isFinite(x) ? "–" : (100 * x).toFixed(1) + "%";
// hasBaseline tells whether any run is without swaps: protocol 0 is always named.
const hasBaseline = () => model.runs.some(r => r.protocol === 0);
// protocolStroke is the stroke of a protocol where colours mean something else.
const protocolStroke = (p, rank) => p === 0 ? 0 : (rank(p).rank + (hasBaseline() ? 1 : 0)) % strokes.length;
const protocolName = p => p === 0 ? "no swaps" : model.view.protocols[p];
