// The picture of a workload's time: load with forecast and capacity above, replicas and decisions below.

import { colour } from "../themes.js";
import { onAxis } from "../charts/axis_times.js";
import { between } from "../charts/areas.js";
import { axis, layout, timeAxis, titled, wrapped } from "../charts/look.js";
import { thinned } from "../charts/thin.js";
import { duration, percent } from "../numbers.js";

// Share of the picture that may lie ahead of now.
const LONGEST_AHEAD = 0.2;
const CROWDED = 80;

/**
 * What to draw of `past` (a series answer), `fan` (a forecast answer or null), `decisions`, `workload` and
 * `range`, on `width` pixels.
 */
export const figure = (shown, width) => ({
  data: [...fanTraces(shown), ...pastTraces(shown, width), ...replicaTraces(shown, width), ...peakTrace(shown), decisionTrace(shown)],
  layout: frame(shown),
});

const steps = (color, extra = {}) => ({ mode: "lines", hoverinfo: "skip", line: { shape: "hv", width: 1.4, color, ...extra } });

const picked = (columns, indices, values) => ({ x: indices.map((i) => onAxis(columns.timestamp[i])), y: indices.map((i) => values[i]) });

const pastTraces = ({ past }, width) => {
  const { columns, metadata } = past;
  const { load, stated, p50 } = columns;
  const capacity = capacityOf(past);
  const lacking = load.map((value, i) => (value === null || capacity[i] === null ? null : Math.max(0, value - capacity[i])));
  const missed = load.map((_, i) => i).filter((i) => load[i] !== null && stated[i] !== null && load[i] > stated[i]);
  const by = (values) => thinned(values, width);
  const area = (indices, lower, upper, color) => {
    // Fewer steps than there are stand further apart.
    const widthMs = (1000 * metadata.stepSeconds * columns.timestamp.length) / Math.max(1, indices.length);
    const places = indices.map((i) => onAxis(columns.timestamp[i]));
    return { ...between(places, indices.map(lower), indices.map(upper), widthMs), mode: "lines", hoverinfo: "skip", fill: "toself", fillcolor: color, line: { width: 0 } };
  };
  return [
    area(by(stated), (i) => p50[i], (i) => stated[i], colour("forecast-soft")),
    { ...picked(columns, by(stated), stated), ...steps(colour("forecast"), { width: 1 }) },
    area(by(lacking), (i) => capacity[i], (i) => load[i], colour("bad")),
    { ...picked(columns, by(capacity), capacity), ...steps(colour("supply"), { width: 1.6 }) },
    { ...picked(columns, by(load), load), ...steps(colour("demand"), { width: 1.3 }) },
    { ...picked(columns, missed, load), mode: "markers", hoverinfo: "skip",
      marker: { symbol: "circle-open", size: 6, color: colour("bad"), line: { width: 1.4 } } },
  ];
};

/** What the ready replicas of a series answer served at most, null where that is not known. */
export const capacityOf = ({ columns, metadata: { perReplica } }) =>
  columns.ready.map((ready) => (ready === null || perReplica === null ? null : ready * perReplica));

const replicaTraces = ({ past }, width) => {
  const { columns } = past;
  const trace = (name, line) => ({ ...picked(columns, thinned(columns[name], width), columns[name]), ...line, yaxis: "y2" });
  return [
    { ...trace("ready", steps(colour("supply"), { width: 1.6 })), fill: "tozeroy", fillcolor: colour("supply-soft") },
    trace("asked", steps(colour("asked"), { width: 1.6 })),
    trace("needed", steps(colour("demand"), { width: 1.1 })),
  ];
};

// Pairs of levels that leave as much above as below, the widest first.
const pairs = (levels) => levels.filter((low) => low < 0.5)
  .map((low) => [low, levels.find((high) => Math.abs(low + high - 1) < 1e-6)]).filter(([, high]) => high !== undefined);

const fanTraces = ({ fan }) => {
  if (!fan || !fan.levels.length) return [];
  const { columns } = fan;
  const x = columns.timestamp.map(onAxis);
  const edge = { x, mode: "lines", hoverinfo: "skip", line: { width: 0 } };
  const bands = pairs(fan.levels).flatMap(([low, high]) => [
    { ...edge, y: columns[`q${low}`] }, { ...edge, y: columns[`q${high}`], fill: "tonexty", fillcolor: colour("forecast-soft") }]);
  const median = columns["q0.5"] ? [{ x, y: columns["q0.5"], mode: "lines", hoverinfo: "skip", line: { color: colour("forecast"), width: 1.6, dash: "dot" } }] : [];
  return [...bands, ...median];
};

// What has to be served until a pod that is asked for now is ready: the number that decides.
const peakTrace = ({ workload, range, fan, fanIsNow }) => {
  const forecast = workload.forecast;
  if (!range.live || !fanIsNow || !fan || forecast?.peak == null) return [];
  const from = onAxis(range.endS);
  const to = onAxis(range.endS + forecast.leadTimeSeconds);
  const text = `peak of ${percent(forecast.quantile)} within ${duration(forecast.leadTimeSeconds)}: ${forecast.peak.toPrecision(4)}`;
  return [{ x: [from, to], y: [forecast.peak, forecast.peak], mode: "lines+markers", line: { color: colour("forecast"), width: 3 },
    marker: { symbol: "diamond", size: [0, 9], color: colour("forecast") }, hovertemplate: `${text}<extra></extra>` }];
};

const decisionTrace = ({ decisions }) => {
  const moved = decisions.filter(({ before, after }) => before !== after);
  const up = ({ before, after }) => after > before;
  return {
    x: moved.map(({ at }) => onAxis(Date.parse(at) / 1000)), y: moved.map(({ after }) => after), yaxis: "y2", mode: "markers",
    customdata: moved.map(({ id }) => id), text: moved.map(({ sentence, reasons }) => `${wrapped(sentence)}${reasons.length ? `<br>Guards: ${wrapped(reasons.join(", "))}` : ""}`),
    hovertemplate: "%{text}<extra></extra>",
    marker: { symbol: moved.map((one) => (up(one) ? "triangle-up" : "triangle-down")), size: moved.length > CROWDED ? 5 : 9,
      color: moved.map((one) => colour(up(one) ? "asked" : "muted")), line: { width: 1, color: colour("card") } },
  };
};

const frame = ({ past, fan, range, fanIsNow, workload }) => {
  const { leadTimeSeconds, perReplica } = past.metadata;
  const aheadS = fan?.columns.timestamp.length && fanIsNow ? fan.columns.timestamp.at(-1) - range.endS : 0;
  const endS = range.live ? range.endS + Math.min(Math.max(aheadS, leadTimeSeconds ?? 0), LONGEST_AHEAD * (range.endS - range.startS)) : range.endS;
  const shapes = [];
  const annotations = [];
  const line = (atS, dash) => ({ type: "line", xref: "x", yref: "paper", x0: onAxis(atS), x1: onAxis(atS), y0: 0, y1: 1, line: { color: colour("edge"), width: 1, dash } });
  const words = (atS, text, more = {}) => ({ x: onAxis(atS), y: 1, xref: "x", yref: "paper", text, showarrow: false, xanchor: "left", yanchor: "bottom",
    font: { size: 11, color: colour("muted") }, ...more });
  const madeS = fan ? Date.parse(fan.madeAt) / 1000 : null;
  const fromS = fanIsNow ? range.endS : madeS;
  if (range.live) shapes.push(line(range.endS, "solid"));
  if (fan && !fanIsNow) shapes.push(line(madeS, "dot"));
  if (fromS !== null && leadTimeSeconds && (range.live || !fanIsNow)) {
    shapes.push({ type: "rect", xref: "x", yref: "paper", x0: onAxis(fromS), x1: onAxis(fromS + leadTimeSeconds), y0: 0, y1: 1,
      fillcolor: colour("forecast-soft"), line: { width: 0 }, layer: "below" });
    annotations.push(words(fromS, `${fanIsNow ? "now" : "forecast made"} + lead time ${duration(leadTimeSeconds)}`, { xanchor: fanIsNow ? "right" : "left" }));
  }
  for (const { name, start, end } of workload.events ?? []) {
    const [from, to] = [Date.parse(start) / 1000, Date.parse(end) / 1000];
    if (to < range.startS || from > endS) continue;
    shapes.push({ type: "rect", xref: "x", yref: "paper", x0: onAxis(from), x1: onAxis(to), y0: 0, y1: 1, fillcolor: colour("shade"), line: { width: 0 }, layer: "below" });
    annotations.push(words(Math.max(from, range.startS), wrapped(name)));
  }
  return layout({
    shapes, annotations, margin: { l: 8, r: 10, t: 22, b: 8 },
    xaxis: timeAxis({ range: [onAxis(range.startS), onAxis(endS)], anchor: "y2" }),
    yaxis: axis({ domain: [0.45, 1], rangemode: "tozero", title: titled(perReplica ? `load (${perReplica.toPrecision(3)} a replica)` : "load"), nticks: 5 }),
    yaxis2: axis({ domain: [0, 0.38], rangemode: "tozero", title: titled("replicas"), nticks: 5, tickformat: "d" }),
  });
};
