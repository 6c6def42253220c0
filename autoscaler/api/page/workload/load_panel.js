// Load over what could be served, the forecasts that were made in time, and the newest one as a fan.

import { between } from "../charts/areas.js";
import { onAxis } from "../charts/axis_times.js";
import { filled, picked, stepped } from "../charts/lines.js";
import { thinned } from "../charts/thin.js";
import { amount, duration, percent } from "../numbers.js";
import { colour } from "../themes.js";

const CROWDED = 40;

/** What the ready replicas of a series answer served at most, null where that is not known. */
export const capacityOf = ({ columns, metadata: { perReplica } }) =>
  columns.ready.map((ready) => (ready === null || perReplica === null ? null : ready * perReplica));

/** The past: load, capacity, the forecast of one lead time before, and where each of the two fell short. */
export const loadTraces = ({ past }, width) => {
  const { columns, metadata } = past;
  const { load, stated, p50 } = columns;
  const capacity = capacityOf(past);
  const above = (limit) =>
    load.map((value, i) => (value === null || limit[i] === null ? null : Math.max(0, value - limit[i])));
  const by = (values) => thinned(values, width);
  const area = (indices, lower, upper, color) => {
    const places = indices.map((i) => onAxis(columns.timestamp[i]));
    // Of many steps only some are drawn, which then stand further apart.
    const widthMs = (1000 * metadata.stepSeconds * load.length) / Math.max(1, indices.length);
    const [low, high] = [lower, upper].map((values) => indices.map((i) => values[i]));
    return filled(between(places, low, high, widthMs), color);
  };
  const unforeseen = above(stated);
  const missed = unforeseen.map((_, i) => i).filter((i) => unforeseen[i] > 0);
  return [
    area(by(stated), p50, stated, colour("forecast-soft")),
    { ...picked(columns, by(stated), stated), ...stepped(colour("forecast"), { width: 1 }) },
    area(by(above(capacity)), capacity, load, colour("bad-fill")),
    { ...picked(columns, by(capacity), capacity), ...stepped(colour("supply"), { width: 1.6 }) },
    { ...picked(columns, by(load), load), ...stepped(colour("demand"), { width: 1.3 }) },
    {
      ...picked(columns, missed, load),
      mode: "markers",
      hoverinfo: "skip",
      marker: missMark(missed.length),
    },
  ];
};

// Many rings would run into one another.
const missMark = (number) =>
  number > CROWDED
    ? { symbol: "circle", size: 4, color: colour("bad") }
    : { symbol: "circle-open", size: 6, color: colour("bad"), line: { width: 1.4 } };

// For each level above the median the one that leaves as much below; of forecasts that keep fewer of those, the
// lowest. Bands lie over one another, so that likelier is darker.
const pairs = (levels) =>
  levels
    .filter((level) => level > 0.5)
    .reverse()
    .map((high) => [levels.find((low) => Math.abs(low + high - 1) < 1e-6) ?? levels[0], high]);

/** A forecast as bands around its median. */
export const fanTraces = ({ fan }) => {
  if (!fan?.columns.timestamp.length) return [];
  const { columns } = fan;
  const x = columns.timestamp.map(onAxis);
  const edge = { x, mode: "lines", hoverinfo: "skip", line: { width: 0 } };
  const bands = pairs(fan.levels).flatMap(([low, high]) => [
    { ...edge, y: columns[`q${low}`] },
    { ...edge, y: columns[`q${high}`], fill: "tonexty", fillcolor: colour("forecast-soft") },
  ]);
  const median = {
    ...edge,
    y: columns["q0.5"],
    line: { color: colour("forecast"), width: 1.6, dash: "dot" },
  };
  return columns["q0.5"] ? [...bands, median] : bands;
};

/** What has to be served until a pod that is asked for now is ready: the number that decides. */
export const peakTrace = ({ workload: { forecast }, range, fanIsNow }) => {
  if (!range.live || !fanIsNow || forecast === null || forecast.peak === null) return [];
  const { peak, quantile, leadTimeSeconds } = forecast;
  const text = `${amount(peak)}: the peak within ${duration(leadTimeSeconds)}, with ${percent(quantile)}`;
  return [
    {
      x: [onAxis(range.endS), onAxis(range.endS + leadTimeSeconds)],
      y: [peak, peak],
      mode: "lines+markers",
      line: { color: colour("forecast"), width: 3 },
      marker: { symbol: "diamond", size: [0, 9], color: colour("forecast") },
      hovertemplate: `${text}<extra></extra>`,
    },
  ];
};
