// Draws one backtest report from the JSON element of its page.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const MOST_ROWS = 400;
const opened = new Map();

const positions = (trace, ms) => Math.max(0, Math.min(trace.length, (ms - trace.startMs) / trace.stepMs));

class TraceView {
  constructor(section, trace) {
    this.section = section;
    this.trace = trace;
    this.load = numbers(trace.load, Float32Array);
    this.shown = trace.shown;
    this.full = [Math.min(trace.scoredFrom, trace.length - 1), trace.length];
    this.view = this.full.slice();
    this.timeOf = (i) => trace.startMs + i * trace.stepMs;
    this.capacities = trace.runs.map((run) => this.capacityOf(run));
    this.colours = this.pickColours();
    this.showFirst();
    this.listen();
    this.fillReasons();
    this.draw();
    this.drawFront();
    this.drawGuards();
  }

  chart(kind) { return this.section.querySelector(`[data-chart="${kind}"]`); }

  note(kind, text) {
    const place = this.section.querySelector(`[data-note="${kind}"]`);
    if (place) place.textContent = text;
  }

  capacityOf(run) {
    const at = numbers(run.readyAt, Int32Array), to = numbers(run.readyTo, Int32Array);
    const capacity = new Float64Array(this.trace.length);
    for (let k = 0; k < at.length; k++) {
      capacity.fill(to[k] * this.trace.perReplica, at[k], k + 1 < at.length ? at[k + 1] : this.trace.length);
    }
    return capacity;
  }

  pickColours() {
    const others = ["other1", "other2", "other3", "other4"];
    let next = 0;
    return this.trace.runs.map((run) => run.kind === "policy" ? "ours" : run.kind === "oracle" ? "oracle"
      : run.name.startsWith("hpa-tuned") ? "rival" : others[next++ % others.length]);
  }

  // Upper end of an axis for what is in view; the rest of the trace must not flatten it.
  highest(arrays) {
    let most = 0;
    for (const values of arrays) {
      for (let i = this.view[0]; i < this.view[1]; i++) if (values[i] > most) most = values[i];
    }
    return most * 1.06 || 1;
  }

  // Our shown policy and its first rival are visible at first; the others wait in the legend.
  visibleAtFirst(i) {
    const tuned = this.trace.runs.findIndex((run) => run.name.startsWith("hpa-tuned"));
    const rival = tuned >= 0 ? tuned : this.trace.runs.findIndex((run) => run.kind === "baseline");
    return i === this.shown || i === rival || this.shown < 0;
  }

  showFirst() {
    this.visible = new Set(this.trace.runs.keys());
    for (const i of this.trace.runs.keys()) if (!this.visibleAtFirst(i)) this.visible.delete(i);
  }

  draw() {
    this.drawTimeline();
    this.drawLanes();
    this.drawFan();
    this.listDecisions();
  }

  xaxis(extra) {
    return axis(Object.assign({
      type: "date", range: [this.timeOf(this.view[0]), this.timeOf(this.view[1])],
      tickformatstops: [{ dtickrange: [null, 60000], value: "%H:%M:%S" },
        { dtickrange: [60000, 43200000], value: "%H:%M\n%a %e %b" }, { dtickrange: [43200000, null], value: "%a %e %b\n%Y" }],
    }, extra));
  }

  warmUp() {
    if (!this.trace.scoredFrom) return [];
    return [{ type: "rect", xref: "x", yref: "paper", x0: this.timeOf(0), x1: this.timeOf(this.trace.scoredFrom), y0: 0, y1: 1,
      fillcolor: colour("warmup"), line: { width: 0 }, layer: "below" }];
  }

  drawTimeline() {
    const { at, fine } = cuts(this.trace.length, this.view, narrow() ? 500 : 1200);
    const lines = [], areas = [];
    this.trace.order.slice().reverse().forEach((i) => {
      const run = this.trace.runs[i], name = plain(run.name);
      const visible = this.visible.has(i) ? true : "legendonly";
      const ours = i === this.shown;
      lines.push(Object.assign(thinned(this.capacities[i], at, this.timeOf), {
        name, legendgroup: name, legendrank: ours ? 2 : 3 + this.trace.order.indexOf(i), visible, mode: "lines", opacity: ours ? 1 : 0.85,
        line: { shape: "hv", width: ours ? 1.8 : 1.2, color: colour(this.colours[i]), dash: run.kind === "oracle" ? "dot" : "solid" },
        hovertemplate: "capacity %{y:,.4~g}<extra>%{fullData.name}</extra>",
      }));
      areas.push(Object.assign(this.shortAreas(i, at), {
        name: name + " short", legendgroup: name, showlegend: false, visible, mode: "lines", fill: "toself", hoverinfo: "skip",
        fillcolor: colour("short"), opacity: ours ? 1 : 0.3, line: { color: colour("short"), width: ours ? 2 : 1 },
      }));
    });
    const load = Object.assign(thinned(this.load, at, this.timeOf), {
      name: "load", legendrank: 1, mode: "lines", line: { shape: "hv", width: 1, color: colour("load") }, connectgaps: false,
      hovertemplate: "load %{y:,.4~g}<extra></extra>",
    });
    const traces = [load, ...lines, ...areas];
    traces.push(this.decisionMarks());
    const shapes = this.warmUp();
    Plotly.react(this.chart("timeline"), traces, layout({
      hovermode: "x", shapes,
      xaxis: this.xaxis({ rangeslider: { thickness: 0.1, bgcolor: colour("paper"), bordercolor: colour("rule"), borderwidth: 1, yaxis: { rangemode: "auto" },
        range: [this.timeOf(0), this.timeOf(this.trace.length)] } }),
      yaxis: axis({ range: [0, this.highest([this.load, ...[...this.visible].map((i) => this.capacities[i])])], title: titled("load"), fixedrange: true }),
    }), config);
    this.note("timeline", fine > 1
      ? `One point stands for ${fine} steps (lowest and highest are drawn); zoom in to see each.` : "");
    this.follow("timeline");
  }

  // Areas between capacity and load where a run was short. Neighbours within one drawn piece are
  // joined, which may widen a shortage by less than a pixel but never loses one.
  shortAreas(i, at) {
    const x = [], y = [], capacity = this.capacities[i];
    for (const [from, to] of this.joined(this.trace.runs[i].shortages, at)) {
      const top = [], bottom = [];
      const step = Math.max(1, Math.floor((to - from) / 200));
      for (let k = from; k < to; k += step) {
        const end = Math.min(to, k + step);
        let high = -Infinity, low = Infinity;
        for (let j = k; j < end; j++) {
          if (this.load[j] > capacity[j]) { high = Math.max(high, this.load[j]); low = Math.min(low, capacity[j]); }
        }
        if (high === -Infinity) continue;
        top.push([k, high], [end, high]);
        bottom.unshift([end, low], [k, low]);
      }
      for (const [position, level] of top.concat(bottom)) { x.push(this.timeOf(position)); y.push(level); }
      x.push(null); y.push(null);
    }
    return { x, y };
  }

  joined(shortages, at) {
    const result = [];
    let piece = 0;
    for (const [first, length] of shortages) {
      while (piece + 2 < at.length && at[piece + 1] <= first) piece++;
      const last = result[result.length - 1];
      const size = at[piece + 1] - at[piece];
      if (last && size > 1 && first - last[1] < size) last[1] = first + length;
      else result.push([first, first + length]);
    }
    return result;
  }

  decisionMarks() {
    const run = this.trace.runs[this.shown];
    const inView = run ? run.decisions.filter((d) => d[0] >= this.view[0] && d[0] < this.view[1]) : [];
    const most = narrow() ? 25 : 60;
    const drawn = inView.length <= most ? inView
      : inView.slice().sort((a, b) => Math.abs(b[2] - b[1]) - Math.abs(a[2] - a[1])).slice(0, most);
    return {
      x: drawn.map((d) => this.timeOf(d[0] + 1)), y: drawn.map((d) => d[2] * this.trace.perReplica),
      text: drawn.map((d) => wrapped(d[3], narrow() ? 34 : 60)), name: "decisions", legendrank: 99, mode: "markers",
      marker: { symbol: drawn.map((d) => d[2] > d[1] ? "triangle-up" : "triangle-down"), size: 7, color: colour("ours"),
        line: { color: colour("card"), width: 1 } },
      hovertemplate: "%{text}<extra></extra>",
    };
  }

  // One row a policy: how much of the load of each short span of time was above its capacity.
  // Any shortage shows, however small; the colour deepens up to a fifth of the load.
  drawLanes() {
    const order = this.trace.order.slice().reverse(), [from, to] = this.view;
    const size = Math.max(1, Math.ceil((to - from) / (narrow() ? 150 : 480)));
    const x = [], z = order.map(() => []), text = order.map(() => []);
    for (let begin = from; begin < to; begin += size) {
      const end = Math.min(begin + size, to);
      x.push(this.timeOf(begin));
      order.forEach((i, lane) => {
        const [share, told] = this.shortage(i, begin, end);
        z[lane].push(share > 0 ? 0.3 + 0.7 * Math.sqrt(Math.min(1, share / 0.2)) : null);
        text[lane].push(told);
      });
    }
    x.push(this.timeOf(to));
    const edges = order.map((_, lane) => lane - 0.5).concat(order.length - 0.5);
    const div = this.chart("lanes");
    div.style.height = `${order.length * 24 + 58}px`;
    const most = narrow() ? 14 : 28;
    const short = (name) => name.length > most ? name.slice(0, most - 1) + "…" : name;
    Plotly.react(div, [{ type: "heatmap", x, y: edges, z, text, zmin: 0, zmax: 1, ygap: 7, showscale: false, hoverongaps: false,
      colorscale: [[0, colour("card")], [1, colour("short")]], hovertemplate: "%{text}<extra></extra>" }],
    layout({
      xaxis: this.xaxis({ fixedrange: true }), shapes: this.warmUp(),
      yaxis: axis({ tickvals: order.map((_, lane) => lane), ticktext: order.map((i) => plain(short(this.trace.runs[i].name)) + " "),
        range: [-0.5, order.length - 0.5], fixedrange: true, showgrid: false, zeroline: false }),
    }), config);
  }

  // Share of the load above the capacity of run `i` between two steps, and the same in words.
  shortage(i, begin, end) {
    const capacity = this.capacities[i];
    let lost = 0, total = 0, steps = 0, missing = 0;
    for (let t = begin; t < end; t++) {
      const load = this.load[t];
      if (load !== load) continue;
      total += load;
      const over = load - capacity[t];
      if (over > 1e-6 * load) { lost += over; steps++; missing = Math.max(missing, Math.ceil(over / this.trace.perReplica)); }
    }
    if (!steps) return [0, ""];
    const share = lost / total;
    return [share, `${plain(this.trace.runs[i].name)}<br>short for ${span(steps * this.trace.stepMs / 60000)} of ${span((end - begin) * this.trace.stepMs / 60000)}`
      + `<br>${figure(share * 100)} % unserved, up to ${missing} replicas missing`];
  }

  drawFan() {
    const div = this.chart("fan");
    if (!div) return;
    const run = this.trace.runs[this.shown];
    div.closest(".card").hidden = !run || !run.forecast;
    if (!run || !run.forecast) return;
    const forecast = run.forecast;
    if (!forecast.arrays) {
      forecast.arrays = ["median", "upper", "came"].map((key) => numbers(forecast[key], Float32Array));
    }
    const [median, upper, came] = forecast.arrays;
    const { at } = cuts(this.trace.length, this.view, narrow() ? 400 : 800);
    const over = [];
    for (let k = 0; k + 1 < at.length; k++) {
      let worst = -1;
      for (let i = at[k]; i < at[k + 1]; i++) {
        if (came[i] > upper[i] && (worst < 0 || came[i] - upper[i] > came[worst] - upper[worst])) worst = i;
      }
      if (worst >= 0) over.push(worst);
    }
    const lines = (values, extra) => Object.assign(thinned(values, at, this.timeOf), { mode: "lines" }, extra);
    const upperName = `upper (${+(forecast.quantile * 100).toFixed(2)} %)`;
    Plotly.react(div, [
      lines(median, { name: "median", line: { color: colour("ours"), width: 1, dash: "dot" }, hovertemplate: "median %{y:,.4~g}<extra></extra>" }),
      lines(upper, { name: upperName, fill: "tonexty", fillcolor: colour("band"), line: { color: colour("ours"), width: 1.3 },
        hovertemplate: "upper %{y:,.4~g}<extra></extra>" }),
      lines(came, { name: "what came", line: { color: colour("ink"), width: 1.2 }, hovertemplate: "came %{y:,.4~g}<extra></extra>" }),
      { x: over.map(this.timeOf), y: over.map((i) => came[i]), name: "above upper", mode: "markers",
        marker: { color: colour("short"), size: 4 }, hovertemplate: "%{y:,.4~g} came<extra></extra>" },
    ], layout({ xaxis: this.xaxis({}), shapes: this.warmUp(), hovermode: "x",
      yaxis: axis({ range: [0, this.highest([upper, came])], title: titled("largest load in lead time"), fixedrange: true }) }), config);
    const lead = span(forecast.leadSteps * this.trace.stepMs / 60000);
    const kept = forecast.coverage === null ? "" : ` ${(forecast.coverage * 100).toFixed(1)} % of scored steps stayed at or below the upper line, which was meant for ${+(forecast.quantile * 100).toFixed(2)} %.`;
    this.note("fan", `Model ${forecast.model}${forecast.note ? " (" + forecast.note + ")" : ""}, ${lead} ahead.${kept}`);
    this.follow("fan");
  }

  drawFront() {
    const runs = this.trace.runs, zero = 0.001;
    const drawnAt = (value) => Math.max(value, zero);
    const usable = runs.filter((run) => run.cost !== null && run.unserved !== null);
    const bases = [...new Set(usable.filter((run) => run.kind === "policy").map((run) => run.base))];
    const hover = (name, cost, lost) => `${plain(name)}<br>cost ${figure(cost)}, unserved ${figure(lost)} %`;
    const most = Math.max(1.6, ...usable.map((run) => run.cost)) * 1.05;
    const rival = this.trace.rival.costs.map((cost, k) => [cost, this.trace.rival.overloads[k]]).filter(([cost]) => cost <= most);
    const traces = [{
      x: rival.map((p) => p[0]), y: rival.map((p) => drawnAt(p[1])), text: rival.map((p) => hover("tuned HPA", p[0], p[1])),
      name: "tuned HPA, every headroom", mode: "lines", line: { color: colour("rival"), width: 2 }, hovertemplate: "%{text}<extra></extra>",
    }];
    const points = (chosen, extra) => Object.assign({
      x: chosen.map((run) => run.cost), y: chosen.map((run) => drawnAt(run.unserved)), customdata: chosen.map((run) => hover(run.name, run.cost, run.unserved)),
      text: chosen.map((run) => plain(run.name)), textfont: { size: 11 }, cliponaxis: false, hovertemplate: "%{customdata}<extra></extra>",
    }, extra);
    const labels = narrow() ? "markers" : "markers+text";
    bases.forEach((base) => {
      const front = usable.filter((run) => run.kind === "policy" && run.base === base).sort((a, b) => a.cost - b.cost);
      traces.push(points(front, { name: plain(base), mode: "lines+" + labels, textposition: "bottom left", line: { color: colour("ours"), width: 2 },
        marker: { size: 9, color: colour("ours") }, textfont: { size: 11, color: colour("ours") } }));
    });
    runs.forEach((run, i) => {
      if (run.kind === "policy" || !usable.includes(run)) return;
      const mark = colour(this.colours[i]);
      traces.push(points([run], { name: plain(run.name), mode: labels, textposition: run.cost > most * 0.75 ? "top left" : "top right", showlegend: narrow(),
        marker: { size: 10, color: mark, symbol: run.kind === "oracle" ? "diamond-open" : "circle" }, textfont: { size: 11, color: mark } }));
    });
    const ticks = [0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 1.7, 2, 2.5, 3, 4, 5, 7, 10, 20, 50].filter((v) => !narrow() || [0.7, 1, 1.3, 1.7, 2, 3, 5, 10, 20, 50].includes(v));
    const decades = [0.001, 0.01, 0.1, 1, 10, 100];
    Plotly.react(this.chart("front"), traces, layout({
      xaxis: axis({ type: "log", title: titled("cost (1 = exactly what was needed)"), tickvals: ticks, ticktext: ticks.map(String),
        range: [Math.log10(Math.min(0.95, ...usable.map((run) => run.cost - 0.05))), Math.log10(most)] }),
      yaxis: axis({ type: "log", title: titled("load left unserved, %"), tickvals: decades, ticktext: ["≤ 0.001", "0.01", "0.1", "1", "10", "100"],
        range: [Math.log10(zero) - 0.25, Math.log10(Math.max(1, ...usable.map((run) => run.unserved))) + 0.25] }),
      margin: { l: 8, r: 12, t: 8, b: 8 },
    }), config);
  }

  drawGuards() {
    this.section.querySelectorAll("[data-guards]").forEach((place) => { place.hidden = +place.dataset.guards !== this.shown; });
    const div = this.chart("guards");
    if (!div) return;
    const run = this.trace.runs[this.shown];
    const guards = (run ? run.guards : []).slice().sort((a, b) => a[1] - b[1]);
    div.closest(".card").hidden = !guards.length;
    if (!guards.length) return;
    div.style.height = `${guards.length * 30 + 75}px`;
    Plotly.react(div, [{ type: "bar", orientation: "h", x: guards.map((g) => g[1]), y: guards.map((g) => plain(g[0])),
      text: guards.map((g) => `${g[1].toLocaleString("en")} ×`), textposition: "auto", cliponaxis: false, marker: { color: colour("ours") },
      hovertemplate: "%{y}: %{x:,} times<extra></extra>" }],
    layout({ xaxis: axis({ fixedrange: true, title: titled("times it changed the number") }), yaxis: axis({ fixedrange: true, ticksuffix: " " }), bargap: 0.35 }), config);
  }

  // Zooming one of the charts over time moves all of them.
  follow(kind) {
    const div = this.chart(kind);
    if (div.followed) return;
    div.followed = true;
    div.on("plotly_relayout", (change) => {
      let range = change["xaxis.range"] || (change["xaxis.range[0]"] !== undefined && [change["xaxis.range[0]"], change["xaxis.range[1]"]]);
      if (change["xaxis.autorange"]) range = this.full.map(this.timeOf);
      if (!range) return;
      const ms = range.map((end) => typeof end === "number" ? end : Date.parse(end.replace(" ", "T") + (end.length > 10 ? "Z" : "")));
      this.look(Math.floor(positions(this.trace, ms[0])), Math.ceil(positions(this.trace, ms[1])));
    });
    div.on("plotly_restyle", ([change]) => {
      if (kind !== "timeline" || !("visible" in change)) return;
      // Behind the load come the runs, in reverse order of merit.
      const order = this.trace.order.slice().reverse();
      order.forEach((i, k) => { if (div.data[k + 1].visible === true) this.visible.add(i); else this.visible.delete(i); });
      this.look(...this.view);
    });
    div.on("plotly_doubleclick", () => { this.look(this.full[0], this.full[1]); return false; });
  }

  look(from, to) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.view = [Math.max(0, Math.min(from, this.trace.length - 2)), Math.min(this.trace.length, Math.max(to, from + 2))];
      this.draw();
    }, 60);
  }

  listen() {
    const choice = this.section.querySelector("[data-policy]");
    if (choice) {
      choice.addEventListener("change", () => { this.shown = +choice.value; this.showFirst(); this.fillReasons(); this.restart(); });
    }
    this.section.querySelectorAll("[data-filter]").forEach((field) => field.addEventListener("input", () => this.listDecisions()));
  }

  // Everything anew, the visible runs included.
  restart() {
    ["timeline", "fan"].forEach((kind) => { const div = this.chart(kind); if (div) { Plotly.purge(div); div.followed = false; } });
    this.draw(); this.drawFront(); this.drawGuards();
  }

  fillReasons() {
    const field = this.section.querySelector('[data-filter="reason"]');
    if (!field) return;
    while (field.options.length > 1) field.remove(1);
    const run = this.trace.runs[this.shown];
    const reasons = new Set((run ? run.decisions : []).flatMap((d) => d[4]));
    [...reasons].sort().forEach((reason) => field.add(new Option(reason, reason)));
  }

  listDecisions() {
    const body = this.section.querySelector('[data-rows="decisions"]');
    if (!body) return;
    const field = (name) => this.section.querySelector(`[data-filter="${name}"]`);
    const wanted = field("text").value.toLowerCase(), reason = field("reason").value, inView = field("view").checked;
    const run = this.trace.runs[this.shown];
    const found = (run ? run.decisions : []).filter((d) => (!wanted || d[3].toLowerCase().includes(wanted))
      && (!reason || d[4].includes(reason)) && (!inView || (d[0] >= this.view[0] && d[0] < this.view[1])));
    body.replaceChildren(...found.slice(0, MOST_ROWS).map((decision) => this.row(decision)));
    const kept = run && run.decisionsMade > run.decisions.length
      ? ` Only the ${run.decisions.length.toLocaleString("en")} largest of ${run.decisionsMade.toLocaleString("en")} changes are kept here.` : "";
    this.note("decisions", (found.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${found.length.toLocaleString("en")}; narrow the search to see others.`
      : `${found.length.toLocaleString("en")} decisions.`) + kept);
  }

  row([index, before, after, sentence, reasons]) {
    const row = document.createElement("tr");
    const cell = (text, name) => { const td = row.insertCell(); td.textContent = text; td.className = name; return td; };
    cell(new Date(this.timeOf(index + 1)).toISOString().slice(0, 16).replace("T", " "), "time");
    cell(before, "n");
    cell(after, "n");
    const why = cell(sentence, "why");
    if (reasons.length) {
      const tail = document.createElement("span");
      tail.className = "reasons";
      tail.textContent = " " + reasons.join(", ");
      why.append(tail);
    }
    row.tabIndex = 0;
    const go = () => { const around = Math.max(30, 2 * 3600000 / this.trace.stepMs); this.look(index - around, index + around); this.chart("timeline").scrollIntoView({ block: "center" }); };
    row.addEventListener("click", go);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
    return row;
  }
}

const open = (index) => {
  document.querySelectorAll("section.trace").forEach((section) => { section.hidden = +section.dataset.trace !== index; });
  if (!opened.has(index)) opened.set(index, new TraceView(document.getElementById("trace-" + index), data.traces[index]));
};

const choice = document.getElementById("trace");
if (choice) choice.addEventListener("change", () => open(+choice.value));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => opened.forEach((view) => view.restart()));
if (data.traces.length) open(0);
