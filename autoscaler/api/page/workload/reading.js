// Values of a workload's series at one moment, for the line above its chart.

import { shortTime } from "../moments.js";
import { amount, count } from "../numbers.js";

/** Keys of the legend: what is read at a moment, its name, and how it is drawn. */
export const KEYS = [
  ["load", "Load", "demand"],
  ["capacity", "Served at most", "supply"],
  ["stated", "Forecast peak", "forecast"],
  ["unforeseen", "Above it", "ring"],
  ["lacking", "Short", "bad"],
  ["ready", "Ready", "supply"],
  ["asked", "Asked for", "asked"],
  ["needed", "Needed", "demand"],
];

/** The values at epoch seconds `atS`, or the newest ones where that is null. */
export const valuesAt = ({ past, fan }, atS) => {
  if (!past) return { when: "", values: {} };
  const { timestamp } = past.columns;
  const { stepSeconds } = past.metadata;
  const newest = timestamp.at(-1) ?? 0;
  if (atS !== null && atS > newest + 2 * stepSeconds) return ahead(fan, atS);
  const index = atS === null ? lastKnown(past.columns.load) : lastBefore(timestamp, atS);
  return index < 0
    ? { when: "", values: {} }
    : { when: atS === null ? "" : shortTime(timestamp[index]), values: at(past, index) };
};

const at = ({ columns, metadata }, index) => {
  const ready = columns.ready[index];
  const load = columns.load[index];
  const capacity = ready === null || metadata.perReplica === null ? null : ready * metadata.perReplica;
  const over = (limit) => (load !== null && limit !== null && load > limit ? amount(load - limit) : "");
  return {
    load: amount(load),
    capacity: amount(capacity),
    stated: amount(columns.stated[index]),
    unforeseen: over(columns.stated[index]),
    lacking: over(capacity),
    ready: count(ready),
    asked: count(columns.asked[index]),
    needed: count(columns.needed[index]),
  };
};

const ahead = (fan, atS) => {
  if (!fan?.columns.timestamp.length) return { when: "", values: {} };
  const index = lastBefore(fan.columns.timestamp, atS);
  if (index < 0) return { when: "", values: {} };
  const [low, high] = [fan.levels[0], fan.levels.at(-1)];
  const value = (level) => amount(fan.columns[`q${level}`]?.[index] ?? null);
  return {
    when: `${shortTime(fan.columns.timestamp[index])}: ${value(low)} to ${value(high)}`,
    values: { load: fan.columns["q0.5"] ? `~${value(0.5)}` : "" },
  };
};

const lastKnown = (values) => values.findLastIndex((value) => value !== null);

const lastBefore = (timestamps, atS) => {
  let [low, high] = [0, timestamps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timestamps[middle] <= atS) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};
