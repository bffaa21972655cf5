// The parts of the page that are not charts.

function renderHead() {
  const v = model.view;
  document.title = v.title + " · swapmc";
  $("name").textContent = v.title;
  $("asked").textContent = v.question;
  $("answer").textContent = v.answer;
  const count = {};
  for (const r of model.runs) count[r.status] = (count[r.status] || 0) + 1;
  const total = Math.max(v.planned, model.runs.length), ended = (count.done || 0) + (count.diverged || 0);
  const part = (n, what) => n ? el("span", {}, el("b", {}, String(n)), " " + what) : null;
  const parts = [part(total, total === 1 ? "run" : "runs"), part(count.done, "done"), part(count.running, "under way or stopped"), part(count.diverged, "diverged"), part(count.failed, "failed"), part(total - model.runs.length, "not begun")];
  if (ended < total && total) {
    const done = model.runs.reduce((sum, r) => sum + r.progress, 0) / total;
    parts.push(el("progress", { max: 1, value: done, "aria-label": "progress" }), el("span", {}, percent(done)));
  }
  $("state").replaceChildren(...parts.filter(Boolean));
  $("foot").textContent = `swapmc ${v.version} · ${v.folder} · ${live ? "live" : "written " + v.made}` + (v.thinned ? ` · curves have at most ${v.thinned} points a run; metrics.csv has all` : "");
}

function verdictClass(v) { return v === "faster" ? "verdict faster" : v === "slower" ? "verdict slower" : "verdict"; }

// forest draws an estimate and its interval on an axis of factors from 1/2^span to 2^span.
function forest(e, span) {
  const w = 160, at = s => w / 2 + Math.max(-1, Math.min(1, Math.log2(s) / span)) * (w / 2 - 4);
  const svg = el("svg", { class: "forest", viewBox: `0 0 ${w} 20`, "aria-hidden": "true" }, el("line", { class: "one", x1: w / 2, x2: w / 2, y1: 0, y2: 20 }));
  if (e.speedup == null) return svg;
  const low = e.low === null ? (e.at_most ? 0 : e.speedup) : e.low, high = e.high === null ? (e.at_least ? Infinity : e.speedup) : e.high;
  svg.append(el("line", { class: "ci", x1: at(low), x2: at(high), y1: 10, y2: 10 }));
  const x = at(e.speedup);
  svg.append(e.at_most && !e.at_least ? el("path", { class: "at", d: `M${x + 4} 5L${x - 4} 10L${x + 4} 15z` }) : e.at_least && !e.at_most ? el("path", { class: "at", d: `M${x - 4} 5L${x + 4} 10L${x - 4} 15z` }) : el("circle", { class: "at", cx: x, cy: 10, r: 3.6 }));
  return svg;
}

// renderVerdicts shows the setting that is chosen, or all of them.
function renderVerdicts() {
  const v = model.view, rows = [];
  v.compared.forEach((c, s) => { if (c && (state.setting < 0 || state.setting === s)) for (const a of c.arms) rows.push({ ...a, setting: s, target: c.target }); });
  $("verdicts").hidden = !v.compared.some(c => c);
  if ($("verdicts").hidden) return;
  const c = v.compared[state.setting];
  const at = t => Math.abs(t * Math.E - 1) < 1e-9 ? "1/e" : short(t);
  const targets = new Set(v.compared.filter(c => c).map(c => c.target)), one = targets.size === 1 ? [...targets][0] : 0;
  const text = c ? `Speed-up to a ${v.quantity} of ${at(c.target)}, against no swaps: the geometric mean over seeds with its 95% interval. ` +
    `Without swaps ${c.reached} of ${c.seeds} runs reach it` + (c.median != null ? `, after ${short(c.median)} ${v.unit} (median).` : ".") :
    state.setting < 0 ? `Speed-ups ${one ? `to a ${v.quantity} of ${at(one)}, ` : ""}against no swaps in the same setting${one ? "" : `, each to the ${v.quantity} of its own`}: the geometric mean over seeds with its 95% interval.` : "Nothing to compare in this setting yet.";
  $("target").textContent = (v.settings[state.setting] ? v.settings[state.setting] + ". " : "") + text;
  let span = 1;
  for (const r of rows) for (const x of [r.iterations.speedup, r.iterations.low, r.iterations.high]) if (x > 0) span = Math.max(span, Math.min(4, Math.abs(Math.log2(x)) * 1.1));
  const many = state.setting < 0 && v.settings.length > 1, most = 200;
  $("verdict-table").replaceChildren(
    el("thead", {}, el("tr", {}, many ? el("th", {}, "setting") : null, el("th", {}, "protocol"), el("th", { class: "axis f" }, `slower ← 1 → faster (×${short(2 ** span, 2)})`), el("th", {}, v.unit), el("th", {}, "time"), el("th", { class: "n" }, "reached"), el("th", {}, "verdict"))),
    el("tbody", {}, ...rows.slice(0, most).map(r => el("tr", {},
      many ? el("td", {}, v.settings[r.setting]) : null,
      el("td", { class: "code" }, protocolName(r.protocol)),
      el("td", { class: "f" }, forest(r.iterations, span)),
      el("td", { class: "w" }, r.text), el("td", { class: "w" }, r.text_time), el("td", { class: "n" }, `${r.reached}/${r.seeds}`),
      el("td", { class: verdictClass(r.verdict), title: "on time: " + r.verdict_time }, r.verdict)))));
  const notes = [`Verdicts are on ${v.unit}, with Holm's correction over the protocols compared. A triangle is a bound: not all runs arrived.`];
  if (rows.length > most) notes.push(`${rows.length - most} more rows: choose a setting.`);
  $("verdict-note").textContent = [...notes, ...v.notes].join(" ");
}

// keyOptions are what a heat map can have on its axes: keys, and the protocol itself.
function keyOptions() {
  const v = model.view;
  const list = v.keys.map(k => ({ name: k.name, values: k.values, of: (s, p) => (k.setting ? k.setting[s] : k.protocol[p] ?? -1), family: !!k.protocol }));
  list.push({ name: "protocol", values: v.protocols.map((_, p) => protocolName(p)), of: (s, p) => p, protocol: true });
  return list;
}

const quantities = {
  speedup: { name: "speed-up in iterations", log: true, text: x => short(x, 3), diverging: true },
  time: { name: "speed-up in time", log: true, text: x => short(x, 3), diverging: true },
  loss: { name: "final training loss", text: x => short(x, 3), hue: "blue", less: true },
  accuracy: { name: "final test accuracy", text: percent, hue: "green" },
  acceptance: { name: "swaps accepted", text: percent, hue: "blue" },
  tau: { name: "relaxation time", log: true, text: x => short(x, 3), hue: "blue", less: true },
};

// fullest returns the pair of axes whose map has the most cells of those with the fewest gaps, null where
// every map is a single row or column, or mostly gaps.
function fullest(keys) {
  const made = new Map(model.runs.map(r => [r.setting + " " + r.protocol, [r.setting, r.protocol]]));
  let best = null;
  for (const x of keys) for (const y of keys) {
    if (x === y || x.protocol || (!y.protocol && keys.indexOf(y) < keys.indexOf(x))) continue;
    const rows = new Set(), columns = new Set(), cells = new Set();
    for (const [s, p] of made.values()) {
      const i = y.of(s, p), k = x.of(s, p);
      if (i < 0 || k < 0) continue;
      rows.add(i); columns.add(k); cells.add(i + " " + k);
    }
    const fill = cells.size / (rows.size * columns.size);
    if (rows.size < 2 || columns.size < 2 || fill < 0.5) continue;
    if (!best || fill > best.fill + 0.01 || fill > best.fill - 0.01 && cells.size > best.size) best = { x: x.name, y: y.name, fill, size: cells.size };
  }
  return best;
}

function renderMap() {
  const v = model.view, keys = keyOptions(), swept = keys.filter(k => !k.protocol);
  const m = state.map, names = keys.map(k => k.name), best = fullest(keys);
  $("maps").hidden = !best;
  if (!best) return;
  if (!m.own || !names.includes(m.x) || !names.includes(m.y)) { m.x = best.x; m.y = best.y; }
  const q = v.system === "glass" ? ["tau", "speedup", "loss", "acceptance"] : ["speedup", "time", "loss", "accuracy", "acceptance"];
  const of = (r, k) => k === "acceptance" ? (r.proposed ? r.accepted / r.proposed : null) : k === "tau" ? (r.tau_reached ? r.tau : null) : r[k];
  const useful = q.filter(k => k === "speedup" || k === "time" ? v.compared.some(c => c) : model.runs.some(r => r.status === "done" && of(r, k) != null));
  if (!useful.length) useful.push("loss");
  if (!useful.includes(m.quantity)) m.quantity = useful[0];
  const label = k => k === "loss" && v.system === "glass" ? "energy a particle" : k === "speedup" ? "speed-up in " + v.unit : quantities[k].name;
  const choice = (text, value, options, set) => el("label", {}, text, el("select", { onchange: e => { set(e.target.value); m.own = true; renderMap(); } }, ...options.map(([id, name]) => el("option", { value: id, selected: id === value }, name))));
  const free = m.x !== "protocol" && m.y !== "protocol";
  $("map-controls").replaceChildren(
    choice("show", m.quantity, useful.map(k => [k, label(k)]), x => m.quantity = x),
    choice("across", m.x, names.map(n => [n, n]), x => { if (x === m.y) m.y = m.x; m.x = x; }),
    choice("down", m.y, names.map(n => [n, n]), x => { if (x === m.x) m.x = m.y; m.y = x; }),
    free ? choice("of", String(m.protocol), [["-1", "all protocols"], ...v.protocols.map((_, p) => [String(p), protocolName(p)])], x => m.protocol = +x) : "");
  const X = keys.find(k => k.name === m.x), Y = keys.find(k => k.name === m.y), kind = quantities[m.quantity];
  const cells = Y.values.map(() => X.values.map(() => ({ sum: 0, n: 0 })));
  const add = (s, p, value) => {
    const i = Y.of(s, p), k = X.of(s, p);
    if (i < 0 || k < 0 || value == null || !Number.isFinite(value) || (kind.log && !(value > 0)) || (free && m.protocol >= 0 && p !== m.protocol)) return;
    cells[i][k].sum += kind.log ? Math.log(value) : value;
    cells[i][k].n++;
  };
  if (kind.diverging) v.compared.forEach((c, s) => c && c.arms.forEach(a => add(s, a.protocol, (m.quantity === "time" ? a.time : a.iterations).speedup)));
  else for (const r of model.runs) {
    if (r.status !== "done") continue;
    add(r.setting, r.protocol, of(r, m.quantity));
  }
  let low = Infinity, high = -Infinity;
  for (const row of cells) for (const c of row) {
    if (!c.n) continue;
    c.mean = c.sum / c.n;
    low = Math.min(low, c.mean); high = Math.max(high, c.mean);
  }
  const span = Math.max(Math.LN2, Math.min(3 * Math.LN2, Math.max(-low, high)));
  const paint = mean => kind.diverging ? diverging(mean / span) : sequential(kind.hue, high > low ? (kind.less ? high - mean : mean - low) / (high - low) : 0.5);
  const rows = Y.values.map((name, i) => [name, i]).filter(([, i]) => cells[i].some(c => c.n));
  if (!Y.protocol) rows.reverse();
  $("map").replaceChildren(el("table", { class: "heat" },
    el("thead", {}, el("tr", {}, el("th", { class: "axis" }, Y.name + " ↓"), el("th", { class: "axis", colspan: X.values.length }, X.name)), el("tr", {}, el("th"), ...X.values.map(x => el("th", {}, x)))),
    el("tbody", {}, ...rows.map(([name, i]) => el("tr", {}, el("th", { class: Y.protocol ? "code" : "" }, name), ...cells[i].map(c => {
      if (!c.n) return el("td", { title: "nothing here" }, "");
      const value = kind.log ? Math.exp(c.mean) : c.mean, [r, g, b] = paint(c.mean);
      const cell = el("td", { title: `mean of ${c.n}` }, kind.text(value));
      cell.style.background = `rgb(${r},${g},${b})`;
      cell.style.color = 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
      return cell;
    }))))));
  const others = swept.filter(k => k !== X && k !== Y && !(k.family && !free)).map(k => k.name);
  $("map-note").textContent = (kind.diverging ? "Blue is faster than no swaps in the same setting, orange slower, white no different. " : kind.less ? "Darker is lower. " : "Darker is higher. ") +
    (kind.log ? "Geometric means" : "Means") + " over seeds" + (others.length ? " and over " + others.join(", ") : "") + (free && m.protocol < 0 ? " and protocols" : "") + ".";
}

const mix = (a, b, t) => a.map((v, i) => Math.round(v + t * (b[i] - v)));
function diverging(t) {
  t = Math.max(-1, Math.min(1, t));
  return mix([247, 247, 247], t < 0 ? [179, 88, 6] : [8, 72, 150], Math.abs(t));
}
function sequential(hue, t) { return mix([238, 242, 246], hue === "green" ? [0, 90, 45] : [8, 60, 140], 0.08 + 0.86 * t); }

function commandLine(what, command) {
  const button = el("button", { type: "button", onclick: () => navigator.clipboard?.writeText(command).then(() => { button.textContent = "copied"; setTimeout(() => button.textContent = "copy", 1200); }) }, "copy");
  return el("div", {}, el("div", { class: "what" }, what), el("div", { class: "command" }, el("pre", {}, command), button));
}

function renderAgain() {
  const v = model.view;
  $("commands").replaceChildren(...v.commands.map(c => commandLine(c.what, c.command)), el("p", { class: "note" }, "The command of each single run stands with the run, above. The same spec and seed give the same bits on the same kernel, whatever the number of threads."));
  $("fixed").replaceChildren(...v.fixed.map(([k, x]) => el("tr", {}, el("td", { class: "code" }, k), el("td", {}, x))));
  $("fixed-box").hidden = !v.fixed.length;
  $("spec").textContent = v.spec;
  $("spec-box").hidden = !v.spec;
  const most = 20, tabled = v.compared.map((c, s) => [c, v.settings[s]]).filter(([c], s) => c && c.arms.length && (state.setting < 0 || s === state.setting)).slice(0, most);
  const together = (of, mark) => tabled.map(([c, setting]) => (tabled.length > 1 ? mark + setting + "\n\n" : "") + of(c)).join("\n");
  $("tables").replaceChildren(...(tabled.length ? [["Markdown", together(c => c.markdown, "")], ["LaTeX", together(c => c.latex, "% ")]].map(([name, text]) => el("details", { open: true }, el("summary", {}, "Table in " + name), commandLine("", text))) : []));
  for (const img of document.querySelectorAll("#figure-list img")) { // a figure as wide as a page is shown wider
    const fit = () => img.parentElement.classList.toggle("wide", img.naturalWidth > 450);
    img.complete ? fit() : img.addEventListener("load", fit);
  }
  document.querySelector(".beside").classList.toggle("stacked", document.querySelectorAll("#figure-list figure").length > 1 || !tabled.length);
  $("figures").hidden = !document.querySelector("#figure-list figure") && !$("tables").children.length;
}

const columns = [
  ["protocol", r => r.protocol, r => el("td", { class: "code" }, protocolName(r.protocol))],
  ["setting", r => r.setting, r => el("td", { class: "setting" }, model.view.settings[r.setting])],
  ["seed", r => +r.seed, r => el("td", { class: "n" }, r.seed), "n"],
  ["status", r => r.status, r => el("td", { class: "w" }, el("span", { class: "status " + r.status, title: r.reason || r.fault || "" }, r.status + (r.status === "running" ? " " + Math.floor(100 * r.progress) + "%" : r.fault ? " (damaged)" : "")))],
  ["loss", r => r.loss, r => el("td", { class: "n" }, short(r.loss)), "n"],
  ["accuracy", r => r.accuracy, r => el("td", { class: "n" }, percent(r.accuracy)), "n"],
  ["tau", r => r.tau, r => el("td", { class: "n" }, r.tau == null ? "–" : (r.tau_reached ? "" : "> ") + short(r.tau, 3)), "n"],
  ["inherent energy", r => r.inherent, r => el("td", { class: "n" }, short(r.inherent)), "n"],
  ["exchanged", r => r.exchanged, r => el("td", { class: "n" }, percent(r.exchanged)), "n"],
  ["swaps accepted", r => r.proposed ? r.accepted / r.proposed : -1, r => el("td", { class: "n" }, r.proposed ? percent(r.accepted / r.proposed) : "–"), "n"],
  ["seconds", r => r.seconds, r => el("td", { class: "n" }, short(r.seconds, 3)), "n"],
  ["run", r => r.id, r => el("td", { class: "code w" }, el("a", { href: "#run=" + r.id }, r.id))],
];

// optional columns are there only where some run has their value.
const optional = { tau: "tau", "inherent energy": "inherent", exchanged: "exchanged" };

function renderRuns() {
  const v = model.view, s = state.runs, glass = v.system === "glass";
  $("runs").hidden = !model.runs.length;
  if (!$("run-controls").children.length) {
    $("run-controls").append(el("input", { type: "search", placeholder: "find protocol, setting, status, id", size: 32, "aria-label": "find runs", oninput: e => { s.find = e.target.value.toLowerCase(); renderRuns(); } }));
  }
  const shown = columns.filter(([name]) => !(name === "setting" && v.settings.length < 2) && !(name === "accuracy" && glass) && !(optional[name] && model.runs.every(r => r[optional[name]] == null)));
  let list = model.runs;
  if (s.find) list = list.filter(r => [protocolName(r.protocol), v.settings[r.setting], r.status, r.id, "seed " + r.seed].join(" ").toLowerCase().includes(s.find));
  const [, key] = columns.find(c => c[0] === s.by) || columns[0];
  list = list.map((r, i) => [key(r), i, r]).sort((a, b) => s.down * (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) || a[1] - b[1]).map(x => x[2]);
  const sort = name => () => { s.down = s.by === name ? -s.down : 1; s.by = name; renderRuns(); };
  $("run-table").replaceChildren(
    el("thead", {}, el("tr", {}, ...shown.map(([name, , , cls]) => el("th", { class: cls }, el("button", { type: "button", onclick: sort(name) }, (name === "loss" ? (glass ? "energy" : "training loss") : name) + (s.by === name ? s.down > 0 ? " ▴" : " ▾" : "")))))),
    el("tbody", {}, ...list.slice(0, s.most).map(r => el("tr", { onclick: () => location.hash = "run=" + r.id }, ...shown.map(c => c[2](r))))));
  const more = list.length - s.most;
  $("run-note").replaceChildren(more > 0 ? el("button", { type: "button", onclick: () => { s.most += 500; renderRuns(); } }, `${more} more`) : "");
}

// openRun shows the page of one run.
let runCharts = [];
function openRun(id) {
  const r = model.byId.get(id), v = model.view;
  if (!r) return;
  const facts = [["status", r.status + (r.reason ? ": " + r.reason : "")], ["seed", r.seed], [v.unit, `${short(r.progress * r.length)} of ${short(r.length)}`], ["swaps", r.proposed ? `${short(r.accepted)} accepted of ${short(r.proposed)} (${percent(r.accepted / r.proposed)})` : "none"],
    ["seconds", short(r.seconds)], ["begun", r.started], ["machine", `${r.host}, kernel ${r.kernel || "–"}`], ["files", `runs/${r.id}/`]];
  facts.push(...(r.facts || []));
  if (v.settings[r.setting]) facts.unshift(["setting", v.settings[r.setting]]);
  if (r.fault) facts.push(["fault", r.fault]);
  const box = el("div", { class: "charts" });
  $("run-page").replaceChildren(el("button", { class: "close", type: "button", onclick: () => $("run").close() }, "close"), el("h2", {}, protocolName(r.protocol) + " · run " + r.id),
    el("table", { class: "plain" }, ...facts.map(([k, x]) => el("tr", {}, el("td", { class: "what" }, k), el("td", {}, x)))), box, commandLine("to make this run again", r.command));
  if (!$("run").open) $("run").showModal();
  runCharts = (v.system === "glass" ? glassRun : networkRun).map(([title, lines, format]) => {
    const chart = new Chart(box, { title: el("h3", {}, title), format });
    const curves = lines.map(([x, y, name, hue, rank, n, dash]) => ({ x: column(r, x), y: column(r, y), label: name, colour: colour(hue, rank, n), dash: strokes[dash || 0], width: 2 }));
    const known = curves.filter(c => c.y.some(Number.isFinite));
    chart.root.hidden = !known.length;
    if (known.length) chart.show(known, { x: lines[0][0], y: title.toLowerCase(), logX: v.system === "glass" && lines[0][0] === "sweeps" });
    return chart;
  });
}
const networkRun = [
  ["Loss", [["iteration", "train_loss", "training loss", "blue", 1, 2], ["iteration", "test_loss", "test loss", "blue", 0, 2, 1]]],
  ["Accuracy", [["iteration", "test_accuracy", "test accuracy", "green", 1, 2], ["iteration", "train_accuracy", "training accuracy", "green", 0, 2, 1]], percent],
  ["Swap acceptance", [["iteration", "acceptance", "swaps accepted since the last evaluation", "blue", 1, 2]], percent],
  ["Learning rate", [["iteration", "learning_rate", "learning rate", "grey", -1, 1]]],
];
const glassRun = [
  ["Correlations", [["sweeps", "fs", "F_s", "blue", 1, 2], ["sweeps", "overlap", "overlap", "blue", 0, 2, 1], ["sweeps", "diameter", "diameters", "green", 1, 2, 2]]],
  ["Mean-square displacement", [["sweeps", "msd", "displacement", "blue", 1, 2]]],
  ["chi_4", [["sweeps", "chi4", "chi_4", "green", 1, 2]]],
  ["g(r)", [["r", "g", "g(r)", "blue", 1, 2]]],
  ["S(k)", [["k", "s", "S(k)", "blue", 1, 2]]],
];
