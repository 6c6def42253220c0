// Load and signals as last read: value against target, age, and why there is none.

import { el, put } from "../element.js";
import { icon } from "../icons.js";
import { nothing } from "../notice.js";
import { amount, duration } from "../numbers.js";
import { inWords } from "../problems.js";

const UNITS = { CPU: " %", QueueDepth: " items", Latency: " s", Errors: "" };

/** Fills `place` from a workload. */
export const drawSignals = (place, { load, signals }) => {
  const rows = [...(load ? [{ name: "load", type: "", target: null, ...load }] : []), ...signals];
  if (!rows.length) return put(place, nothing("Nothing has been read yet."));
  put(
    place,
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", {}, "Signal"),
          el("th", {}, "State"),
          el("th", { class: "n" }, "Value"),
          el("th", { class: "n" }, "Target"),
          el("th", { class: "n" }, "Age"),
        ),
      ),
      el("tbody", {}, rows.map(row)),
    ),
  );
};

const row = ({ name, type, value, target, state, ageSeconds, detail }) => {
  const known = state === "Value";
  const over = known && target !== null && value > target;
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row" },
      name,
      type && type.toLowerCase() !== name && el("span", { class: "muted" }, ` ${type}`),
    ),
    el(
      "td",
      { "data-tone": known ? "fine" : "warn" },
      el("span", { class: "toned" }, icon(known ? "Fine" : "UnhealthySignal"), ` ${inWords(state)}`),
      detail && el("span", { class: "why" }, detail),
    ),
    el(
      "td",
      { class: `n ${over ? "over" : ""}`, title: over ? "above its target" : "" },
      value === null ? "–" : `${amount(value)}${UNITS[type] ?? ""}`,
    ),
    el("td", { class: "n" }, target === null ? "–" : `${amount(target)}${UNITS[type] ?? ""}`),
    el("td", { class: "n" }, duration(ageSeconds)),
  );
};
