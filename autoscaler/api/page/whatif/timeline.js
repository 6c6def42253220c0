// A what-if over time: the load, and what the ready replicas of each run could serve.

import { onAxis } from "../charts/axis_times.js";
import { between } from "../charts/areas.js";
import { axis, layout, timeAxis, titled } from "../charts/look.js";
import { thinned } from "../charts/thin.js";
import { shortTime } from "../moments.js";
import { amount } from "../numbers.js";
import { colour } from "../themes.js";

/** Keys of the legend: what is read at a moment, its name, and how it is drawn. */
export const KEYS = [
  ["load", "Load", "demand"],
  ["happened", "Served, as it happened", "past"],
  ["present", "Present policy", "supply"],
  ["changed", "Changed policy", "other"],
];

const LINES = [
  ["happened", "edge", 1.1],
  ["present", "supply", 1.4],
  ["changed", "warn", 1.6],
];

const servedBy = ({ series: { columns }, perReplica }, run) =>
  columns[`${run}Ready`].map((ready) => (ready === null ? null : ready * perReplica));

/** What to draw of a result, on `width` pixels. */
export const timeline = (result, width) => {
  const { columns, metadata } = result.series;
  const places = columns.timestamp.map(onAxis);
  const line = (values, color, size) => {
    const indices = thinned(values, width);
    return {
      x: indices.map((i) => places[i]),
      y: indices.map((i) => values[i]),
      mode: "lines",
      hoverinfo: "skip",
      line: { shape: "hv", width: size, color },
    };
  };
  const missed = {
    ...between(places, servedBy(result, "changed"), columns.load, metadata.stepSeconds * 1000),
    mode: "lines",
    hoverinfo: "skip",
    fill: "toself",
    fillcolor: colour("bad-fill"),
    line: { width: 0 },
  };
  return {
    data: [
      missed,
      ...LINES.map(([run, color, size]) => line(servedBy(result, run), colour(color), size)),
      line(columns.load, colour("demand"), 1.2),
    ],
    layout: layout({
      xaxis: timeAxis(),
      yaxis: axis({ rangemode: "tozero", title: titled("load"), nticks: 5 }),
    }),
  };
};

/** The values at epoch seconds `atS`; nothing where that is null. */
export const valuesAt = (result, atS) => {
  if (atS === null) return { when: "Red: not served under the changed policy", values: {} };
  const { timestamp, load } = result.series.columns;
  const index = timestamp.findLastIndex((at) => at <= atS);
  if (index < 0) return { when: "", values: {} };
  const values = Object.fromEntries(LINES.map(([run]) => [run, amount(servedBy(result, run)[index])]));
  return { when: shortTime(timestamp[index]), values: { ...values, load: amount(load[index]) } };
};
