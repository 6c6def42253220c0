// The frame of a workload's picture: axes, and what is marked in time over both panels.

import { above, upright } from "../charts/lines.js";
import { axis, layout, timeAxis, titled, wrapped } from "../charts/look.js";
import { onAxis } from "../charts/axis_times.js";
import { epoch } from "../moments.js";
import { amount, duration } from "../numbers.js";
import { colour } from "../themes.js";

// Share of the picture that may lie ahead of now.
const LONGEST_AHEAD = 0.2;

/** The layout; see `figure`. */
export const frame = (shown) => {
  const { past, range } = shown;
  const endS = endOf(shown);
  const marks = [nowMark(shown), ...leadTimeMarks(shown), ...eventMarks(shown, endS)];
  return layout({
    shapes: marks.flatMap(({ shape }) => shape ?? []),
    annotations: marks.flatMap(({ words }) => words ?? []),
    margin: { l: 8, r: 10, t: 22, b: 8 },
    xaxis: timeAxis({ range: [onAxis(range.startS), onAxis(endS)], anchor: "y2" }),
    yaxis: axis({
      domain: [0.45, 1],
      rangemode: "tozero",
      title: titled(loadTitle(past.metadata)),
      nticks: 5,
    }),
    yaxis2: axis({
      domain: [0, 0.38],
      rangemode: "tozero",
      title: titled("replicas"),
      nticks: 5,
      tickformat: "d",
    }),
  });
};

const loadTitle = ({ perReplica }) =>
  perReplica === null ? "load" : `load, ${amount(perReplica)} a replica`;

// A range that ends now goes on for as far as the forecast does, within bounds.
const endOf = ({ past, fan, range, fanIsNow }) => {
  if (!range.live) return range.endS;
  const horizonS = fanIsNow && fan?.columns.timestamp.length ? fan.columns.timestamp.at(-1) - range.endS : 0;
  const aheadS = Math.max(horizonS, past.metadata.leadTimeSeconds ?? 0);
  return range.endS + Math.min(aheadS, LONGEST_AHEAD * (range.endS - range.startS));
};

const small = () => ({ font: { size: 11, color: colour("muted") } });
const line = (atS, dash) => upright("line", atS, atS, { line: { color: colour("edge"), width: 1, dash } });

const nowMark = ({ range }) => (range.live ? { shape: line(range.endS, "solid") } : {});

// From now, or from when the fan that is drawn was made.
const leadTimeMarks = ({ past, fan, range, fanIsNow }) => {
  const leadS = past.metadata.leadTimeSeconds;
  const fromS = fanIsNow ? (range.live ? range.endS : null) : fan && epoch(fan.madeAt);
  if (fromS === null || !leadS) return [];
  const text = `${fanIsNow ? "now" : "forecast made"} + lead time ${duration(leadS)}`;
  return [
    { shape: line(fromS, "dot") },
    {
      shape: upright("rect", fromS, fromS + leadS, { fillcolor: colour("forecast-soft") }),
      words: above(fromS, text, { ...small(), xanchor: fanIsNow ? "right" : "left" }),
    },
  ];
};

const eventMarks = ({ workload, range }, endS) =>
  workload.events
    .map(({ name, start, end }) => ({ name, fromS: epoch(start), toS: epoch(end) }))
    .filter(({ fromS, toS }) => toS > range.startS && fromS < endS)
    .map(({ name, fromS, toS }) => ({
      shape: upright("rect", fromS, toS, { fillcolor: colour("shade") }),
      words: above(Math.max(fromS, range.startS), wrapped(name), small()),
    }));
