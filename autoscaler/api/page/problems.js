// What can be wrong with a workload, worst first, in words.

import { ago, epoch } from "./moments.js";
import { amount, count, money, plural } from "./numbers.js";

/** code → how bad it is (`bad`, `warn`, `note`), its name in lists and filters, and what it means. */
export const PROBLEMS = {
  Short: { tone: "bad", name: "Short now", means: "The ready pods cannot serve the present load." },
  WillBeShort: {
    tone: "warn",
    name: "Will be short",
    means: "The forecast peak within the lead time is more than the ready pods can serve.",
  },
  AtMax: { tone: "warn", name: "At maximum", means: "More replicas are wanted than maxReplicas allows." },
  UnhealthySignal: {
    tone: "note",
    name: "Bad signal",
    means: "The load or a signal is not known; nothing is removed until it is.",
  },
  OverBudget: {
    tone: "note",
    name: "Over budget",
    means: "More is spent than the budget allows, or will be by the end of the day.",
  },
  Conflict: {
    tone: "note",
    name: "Conflict",
    means: "Something else scales the same target, so it is left alone.",
  },
  Fallback: {
    tone: "note",
    name: "No forecast",
    means: "There is no usable forecast; the live load and signals decide.",
  },
  Stale: { tone: "note", name: "Stale", means: "Nothing was decided for five minutes." },
  Wasting: {
    tone: "calm",
    name: "Wasting",
    means: "More than twice the replicas needed are ready, and the forecast needs less than half too.",
  },
  Invalid: {
    tone: "bad",
    name: "Invalid",
    means: "The resource or its target is faulty; nothing is decided.",
  },
};

const missing = (row) => Math.max(1, row.needed - row.ready);

// In one row of the fleet, with its numbers. Of a problem that this page does not know, its code.
const SENTENCES = {
  Short: (row) =>
    row.needed === null || row.ready === null ? "Short now" : `Short by ${plural(missing(row), "replica")}`,
  WillBeShort: (row) =>
    row.forecast === null ? "Will be short" : `Will be short at ${amount(row.forecast)}`,
  AtMax: (row) => `At its maximum of ${count(row.max)}`,
  UnhealthySignal: (row) =>
    row.loadState && row.loadState !== "Value"
      ? `Load is ${inWords(row.loadState)}`
      : "A signal is unhealthy",
  OverBudget: (row) =>
    row.dailyBudget === null
      ? "Over budget"
      : `Over budget: ${money(row.spendToday)} of ${money(row.dailyBudget)}`,
  Conflict: () => "Scaled by something else",
  Fallback: () => "No usable forecast",
  Stale: (row) => `Last decided ${ago(row.at)}`,
  Wasting: (row) => `${count(row.ready - row.needed)} more than needed`,
  Invalid: () => "Faulty: see its conditions",
};

/** The first problem of a row in words with its numbers. */
export const sentenceOf = (row) => {
  if (!row.problems.length) return epoch(row.at) === null ? "Not decided yet" : "Fine";
  return SENTENCES[row.problems[0]]?.(row) ?? row.problems[0];
};

/** How bad: the tone of the first problem. */
export const toneOf = (problems) => (problems.length ? (PROBLEMS[problems[0]]?.tone ?? "note") : "fine");

/** The icon that stands for the first problem. */
export const iconOf = (problems) =>
  problems.length ? (problems[0] in PROBLEMS ? problems[0] : "Invalid") : "Fine";

const READINGS = {
  Value: "known",
  Partial: "known in part",
  Stale: "stale",
  Empty: "missing",
  NotANumber: "not a number",
  SeveralSeries: "several series",
  Failed: "not to be had",
};

/** The state of a reading in words. */
export const inWords = (state) => READINGS[state] ?? state;
