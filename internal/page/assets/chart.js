// Colours: shades of one hue from light to dark, and strokes, so that nothing hangs on
// the hue; no swaps are grey. They are those of the figures (internal/report).
const shades = {
  light: { blue: [[108, 178, 232], [8, 40, 120]], green: [[112, 190, 116], [0, 75, 35]], grey: "rgb(110,110,110)" },
  dark: { blue: [[58, 118, 190], [190, 222, 255]], green: [[52, 128, 74], [190, 240, 196]], grey: "rgb(170,170,170)" },
};
const strokes = [[], [7, 3], [2.5, 2.5], [10, 3, 2.5, 3]];
const theme = () => document.documentElement.dataset.theme === "dark" ? "dark" : "light";

function colour(hue, rank, n) {
  const s = shades[theme()];
  if (rank < 0) return s.grey;
  const [a, b] = s[hue], t = n > 1 ? rank / (n - 1) : 0.65;
  return `rgb(${a.map((v, i) => Math.round(v + t * (b[i] - v))).join(",")})`;
}

// heat is colour k of n of temperatures, from the hottest to the coldest.
const heats = {
  light: [[244, 158, 40], [221, 86, 76], [158, 30, 124], [78, 12, 150], [14, 16, 84]],
  dark: [[255, 205, 90], [244, 130, 70], [216, 84, 128], [158, 98, 226], [112, 142, 255]],
};
function heat(k, n) {
  const s = heats[theme()], t = n > 1 ? k / (n - 1) * (s.length - 1) : 0, i = Math.min(Math.floor(t), s.length - 2);
  return `rgb(${s[i].map((v, c) => Math.round(v + (t - i) * (s[i + 1][c] - v))).join(",")})`;
}
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// How many points a chart draws, and of how many curves: few while the view moves, more
// when it rests.
const moving = 16000, movingCurves = 160, resting = 240000;

// A Chart draws curves with uPlot: zoom, hover, logarithmic axes. Curves are thinned to
// what the view can show, each keeping its least and greatest value, so that thousands
// of them stay fluid.
class Chart {
  // options: title (text or element), x, y: names; format(y); onZoom(range)
  constructor(parent, options) {
    this.o = options;
    this.curves = [];
    this.range = null;
    this.reset = el("button", { class: "reset", type: "button", onclick: () => this.zoom(null) }, "zoom out");
    this.box = el("div", { class: "plot" });
    this.root = el("div", { class: "chart", id: options.id }, el("header", {}, options.title, this.reset), this.box);
    parent.append(this.root);
    this.tip = el("div", { class: "tip", hidden: true });
    new ResizeObserver(() => this.u && this.box.clientWidth && this.u.setSize({ width: this.box.clientWidth, height: this.box.clientHeight })).observe(this.box);
  }

  // show draws curves {x, y, low, high, colour, dash, width, label}, with axes {x, y, logX, logY, reverse}.
  show(curves, axes) {
    this.curves = curves.filter(c => c.x.length);
    this.axes = axes;
    let x0 = Infinity, x1 = -Infinity, xPositive = Infinity;
    for (const c of this.curves) for (const x of c.x) {
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (x > 0 && x < xPositive) xPositive = x;
    }
    if (axes.logX) x0 = xPositive;
    if (!(x1 > x0)) { x1 = Number.isFinite(x1) ? x0 * 1.1 + 0.5 : 1; x0 = Number.isFinite(x0) ? x0 * 0.9 - (axes.logX ? 0 : 0.5) : axes.logX ? 0.1 : 0; }
    this.full = [x0, x1];
    if (this.range && !(this.range[1] > x0 && this.range[0] < x1)) this.range = null;
    const shape = JSON.stringify([axes, theme(), this.curves.map(c => [c.colour, c.dash, c.width, !!c.low, c.fade])]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.build();
    }
    this.refresh(resting);
  }

  build() {
    if (this.u) this.u.destroy();
    const { logX, logY, reverse } = this.axes;
    const axis = { stroke: css("--soft"), grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--line"), width: 1, size: 4 }, font: "12px " + css("--sans"), labelFont: "12px " + css("--sans"), labelSize: 20, labelGap: 2 };
    const series = [{}], bands = [];
    const line = { points: { show: false }, spanGaps: true };
    for (const c of this.curves) {
      if (c.low) {
        const n = series.length;
        series.push({ ...line, stroke: "transparent", width: 0 }, { ...line, stroke: "transparent", width: 0 });
        bands.push({ series: [n + 1, n], fill: c.colour.replace("rgb", "rgba").replace(")", ",0.16)") });
      }
      series.push({ ...line, stroke: c.colour, width: c.width ?? 2, dash: c.dash, alpha: c.fade || 1, points: { show: !!c.dots, size: 6, fill: c.colour } });
    }
    const logLabels = (u, splits, axis) => {
      const { min, max } = u.scales[axis === 0 ? "x" : "y"];
      return splits.map(v => v == null ? null : logTick(v, max / min < 40));
    };
    const logarithmic = { splits: (u, axis, min, max) => logSplits(min, max), values: logLabels, filter: (u, splits) => splits };
    this.u = new uPlot({
      width: this.box.clientWidth || 500, height: this.box.clientHeight || 300, pxAlign: 0,
      legend: { show: false }, padding: [8, 24, 0, 0],
      cursor: { drag: { x: true, y: false, dist: 4 }, points: { show: false }, y: false },
      scales: {
        x: { time: false, distr: logX ? 3 : 1, dir: reverse ? -1 : 1, range: () => this.range || this.full },
        y: { distr: logY ? 3 : 1, range: (u, low, high) => this.yRange(low, high) },
      },
      axes: [
        { ...axis, label: this.axes.x, size: 34, ...(logX && logarithmic) },
        { ...axis, label: this.axes.y, size: 52, ...(this.o.ticks && { splits: this.o.ticks, values: (u, s) => s.map(this.o.tick) }), ...(this.o.values && { values: (u, s) => s.map(this.o.values) }), ...(logY && logarithmic) },
      ],
      series, bands,
      hooks: {
        setSelect: [u => {
          if (u.select.width < 4) return;
          const a = u.posToVal(u.select.left, "x"), b = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          this.zoom([Math.min(a, b), Math.max(a, b)]);
        }],
        setCursor: [u => this.hover(u)],
        draw: [u => this.o.under && this.o.under(u)],
      },
    }, [[], ...series.slice(1).map(() => [])], this.box);
    this.over = el("canvas", { class: "over" });
    this.u.over.append(this.over, this.tip);
    this.u.over.addEventListener("dblclick", () => this.zoom(null));
    this.u.over.addEventListener("mouseleave", () => this.leave());
    this.u.over.addEventListener("wheel", e => {
      if (!e.ctrlKey && !e.metaKey) return;
      e.preventDefault();
      const forward = this.axes.logX ? Math.log : x => x, back = this.axes.logX ? Math.exp : x => x;
      const at = forward(this.u.posToVal(e.offsetX, "x")), [a, b] = (this.range || this.full).map(forward);
      const f = Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * 0.008), [x0, x1] = this.full.map(forward);
      let left = at - (at - a) * f, right = at + (b - at) * f;
      if (right - left < (x1 - x0) * 1e-4) return;
      this.zoom(left <= x0 && right >= x1 ? null : [Math.max(left, x0), Math.min(right, x1)].map(back), true);
    }, { passive: false });
  }

  // yRange is that of the values in view, with some room.
  yRange(low, high) {
    if (low == null || !Number.isFinite(low)) return this.axes.logY ? [0.1, 1] : [0, 1];
    if (this.axes.logY) return low === high ? [low / 2, high * 2] : [low / Math.pow(high / low, 0.05), high * Math.pow(high / low, 0.05)];
    const room = (high - low || Math.abs(high) || 1) * 0.05;
    return [low - room, high + room];
  }

  // zoom shows a range of x, all of it with null. While the view moves it is drawn coarsely,
  // and of linked charts of many curves only the one that is moved.
  zoom(range, moves, quiet) {
    this.range = range;
    this.root.classList.toggle("zoomed", !!range);
    clearTimeout(this.rest);
    if (!quiet && this.o.onZoom) this.o.onZoom(this, range, moves);
    if (!moves) return quiet ? void (this.rest = setTimeout(() => this.refresh(resting))) : this.refresh(resting);
    if (this.frame || quiet && this.curves.length > movingCurves) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.refresh(moving);
      if (!quiet) this.rest = setTimeout(() => this.zoom(this.range), 250);
    });
  }

  // refresh thins the curves to about so many points in view and draws them.
  refresh(budget) {
    if (!this.u || this.box.clientWidth === 0 && budget === moving) return;
    const began = performance.now();
    const [x0, x1] = this.range || this.full, n = this.curves.length || 1;
    const every = budget === moving ? Math.ceil(n / movingCurves) : 1; // the others wait until the view rests
    const lines = this.curves.reduce((sum, c) => sum + (c.low ? 3 : 1), 0) / every || 1;
    const bins = Math.max(24, Math.min(this.box.clientWidth || 500, Math.floor(budget / lines / 2)));
    const union = budget === moving && every > 1 ? null : this.exact(x0, x1, bins * 2);
    const grid = union || binned(x0, x1, bins, this.axes.logX);
    const data = [grid];
    const fit = union ? (x, y) => align(x, y, grid, this.axes.logY) : (x, y) => thinned(x, y, x0, x1, bins, this.axes.logX, this.axes.logY);
    const nothing = every > 1 ? new Array(grid.length).fill(null) : null;
    this.curves.forEach((c, i) => {
      const shown = i % every === 0;
      if (c.low) data.push(shown ? fit(c.x, c.low) : nothing, shown ? fit(c.x, c.high) : nothing);
      data.push(shown ? fit(c.x, c.y) : nothing);
    });
    this.u.setData(data, true);
    this.leave();
    this.cost = performance.now() - began;
  }

  // exact is every x in view, if they are few and common to most curves.
  exact(x0, x1, most) {
    const seen = new Set();
    let last = null;
    for (const c of this.curves) {
      if (last && sameGrid(c.x, last)) continue;
      last = c.x;
      let i = lowerBound(c.x, x0) - 1, end = lowerBound(c.x, x1);
      for (i = Math.max(0, i); i <= end && i < c.x.length; i++) seen.add(c.x[i]);
      if (seen.size > most) return null;
    }
    if (seen.size * this.curves.length > resting * 1.5) return null;
    const grid = [...seen].filter(x => !this.axes.logX || x > 0);
    return grid.sort((a, b) => a - b);
  }

  // hover marks the curve nearest to the pointer and says what it is.
  hover(u) {
    const { left, top, idx } = u.cursor;
    if (left < 0 || idx == null || !this.curves.length) return this.leave();
    let best = null, distance = 1600, s = 1;
    for (const c of this.curves) {
      if (c.low) s += 2;
      const y = u.data[s];
      let i = idx;
      for (let d = 0; d < 40 && y[i] == null; d++) i = idx + (d & 1 ? 1 : -1) * ((d >> 1) + 1);
      if (y[i] != null) {
        const dy = u.valToPos(y[i], "y") - top, dx = u.valToPos(u.data[0][i], "x") - left;
        if (dx * dx / 16 + dy * dy < distance) { distance = dx * dx / 16 + dy * dy; best = { c, s, i }; }
      }
      s++;
    }
    if (!best) return this.leave();
    const x = u.data[0][best.i], y = u.data[best.s][best.i];
    this.tip.replaceChildren(el("b", {}, best.c.label), `${this.axes.x} ${short(x)}: ${(this.o.format || short)(y)}`);
    this.tip.hidden = false;
    const px = u.valToPos(x, "x"), py = u.valToPos(y, "y");
    this.tip.style.top = Math.max(0, py - 46) + "px";
    if (px > u.over.clientWidth / 2) { this.tip.style.left = ""; this.tip.style.right = u.over.clientWidth - px + 12 + "px"; }
    else { this.tip.style.right = ""; this.tip.style.left = px + 12 + "px"; }
    this.mark(u, best.s, best.c, px, py);
    this.hovered = best.c;
    if (best.c.id) u.over.onclick = () => this.o.onPick && this.o.onPick(best.c.id);
  }

  mark(u, s, c, px, py) {
    const scale = devicePixelRatio, w = u.over.clientWidth, h = u.over.clientHeight, k = this.over;
    if (k.width !== Math.round(w * scale)) { k.width = Math.round(w * scale); k.height = Math.round(h * scale); k.style.width = w + "px"; k.style.height = h + "px"; }
    const g = k.getContext("2d");
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, w, h);
    g.strokeStyle = css("--paper"); g.lineWidth = 6; g.lineJoin = "round"; g.globalAlpha = 0.8;
    g.beginPath();
    let open = false;
    for (let i = 0; i < u.data[0].length; i++) {
      const y = u.data[s][i];
      if (y == null) continue;
      const a = u.valToPos(u.data[0][i], "x"), b = u.valToPos(y, "y");
      open ? g.lineTo(a, b) : g.moveTo(a, b);
      open = true;
    }
    g.stroke();
    g.globalAlpha = 1; g.strokeStyle = c.colour; g.lineWidth = 3; g.setLineDash(c.dash || []);
    g.stroke();
    g.setLineDash([]);
    g.fillStyle = c.colour; g.beginPath(); g.arc(px, py, 4, 0, 7); g.fill();
    this.marked = true;
  }

  leave() {
    this.tip.hidden = true;
    this.hovered = null;
    if (this.u) this.u.over.onclick = null;
    if (!this.marked) return;
    this.marked = false;
    this.over.getContext("2d").clearRect(0, 0, 1e5, 1e5);
  }
}

function lowerBound(a, x) {
  let lo = 0, hi = a.length;
  while (lo < hi) { const m = (lo + hi) >> 1; a[m] < x ? lo = m + 1 : hi = m; }
  return lo;
}

// sameGrid tells, from a few places, whether runs were measured at the same times.
function sameGrid(a, b) {
  if (a === b) return true;
  const n = a.length;
  return n === b.length && [0, 1, n >> 2, n >> 1, 3 * n >> 2, n - 1].every(i => a[i] === b[i]);
}

// binned is two places in each bin between x0 and x1, and these themselves.
function binned(x0, x1, bins, log) {
  const a = log ? Math.log(x0) : x0, b = log ? Math.log(x1) : x1, grid = [x0];
  for (let i = 0; i < 2 * bins; i++) {
    const t = a + (b - a) * (i + 0.5) / (2 * bins);
    grid.push(log ? Math.exp(t) : t);
  }
  grid.push(x1);
  return grid;
}

// thinned gives each bin the least and the greatest value of a curve in their order, and
// the ends the values between points.
function thinned(x, y, x0, x1, bins, logX, logY) {
  const out = new Array(2 * bins + 2).fill(null);
  const f = logX ? Math.log : v => v, a = f(x0), scale = bins / (f(x1) - a);
  const usable = v => Number.isFinite(v) && (!logY || v > 0);
  const first = lowerBound(x, x0), end = lowerBound(x, x1);
  const between = (i, at) => i > 0 && i < x.length && usable(y[i]) && usable(y[i - 1]) ? y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1] || 1) : null;
  out[0] = first < x.length && x[first] === x0 && usable(y[first]) ? y[first] : between(first, x0);
  out[out.length - 1] = end < x.length && x[end] === x1 && usable(y[end]) ? y[end] : between(end, x1);
  let bin = -1, low = 0, high = 0, lowAt = 0, highAt = 0;
  const flush = () => {
    if (bin < 0) return;
    if (lowAt === highAt) out[1 + 2 * bin] = low;
    else { out[1 + 2 * bin] = lowAt < highAt ? low : high; out[2 + 2 * bin] = lowAt < highAt ? high : low; }
  };
  for (let i = first; i < end; i++) {
    const v = y[i];
    if (!usable(v)) continue;
    const k = Math.min(bins - 1, Math.max(0, Math.floor((f(x[i]) - a) * scale)));
    if (k !== bin) { flush(); bin = k; low = high = v; lowAt = highAt = i; continue; }
    if (v < low) { low = v; lowAt = i; }
    if (v > high) { high = v; highAt = i; }
  }
  flush();
  return out;
}

// align puts a curve on a grid that has all its places.
function align(x, y, grid, logY) {
  const out = new Array(grid.length).fill(null);
  let i = 0;
  for (let g = 0; g < grid.length; g++) {
    while (i < x.length && x[i] < grid[g]) i++;
    if (i < x.length && x[i] === grid[g] && Number.isFinite(y[i]) && (!logY || y[i] > 0)) out[g] = y[i];
  }
  return out;
}

// logSplits are the powers of ten of a range and, of one that is not long, 2 to 9 times them.
function logSplits(min, max) {
  const splits = [], every = max / min > 1e6 ? 9 : 1;
  for (let e = Math.floor(Math.log10(min)); 10 ** e <= max; e++) for (let m = 1; m < 10; m += every) {
    const v = m * 10 ** e;
    if (v >= min && v <= max) splits.push(v);
  }
  return splits;
}

// logTick labels powers of ten, and on a short axis 2, 3 and 5 between them.
function logTick(v, close) {
  const e = Math.floor(Math.log10(v) + 1e-9), m = +(v / 10 ** e).toPrecision(3);
  if (m !== 1 && !(close && [2, 3, 5].includes(m))) return "";
  if (e >= -2 && e <= 4) return short(+v.toPrecision(3));
  return (m === 1 ? "" : m + "·") + "10" + String(e).replace(/./g, c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻");
}
