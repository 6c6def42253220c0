// Choosing a range of time, which is part of the address.

import { nowS } from "./clock.js";
import { set } from "./address.js";
import { el, mark } from "./element.js";
import { icon } from "./icons.js";
import { SPANS, fixedRange, rangeOf } from "./moments.js";

const SHORTEST_S = 300;
const LONGEST_S = 90 * 86_400;

/** Buttons for the usual ranges, for stepping back and forth and for more or less. `draw(params)` marks the present one. */
export const rangeButtons = (otherwise, names = Object.keys(SPANS)) => {
  let params = {};
  const change = (by) => {
    const { startS, endS } = rangeOf(params, otherwise);
    const [from, to] = by(startS, endS);
    const span = Math.min(LONGEST_S, Math.max(SHORTEST_S, to - from));
    const end = Math.min(to, nowS());
    set(fixedRange(end - span, end));
  };
  const step = (name, label, by) =>
    el(
      "button",
      { type: "button", "aria-label": label, title: label, onclick: () => change(by) },
      typeof name === "string" ? name : icon(name[0]),
    );
  const spans = names.map((name) =>
    el(
      "button",
      {
        type: "button",
        onclick: () => set({ range: name === otherwise ? null : name, start: null, end: null }),
      },
      name,
    ),
  );
  const element = el(
    "div",
    { class: "row ranges", role: "group", "aria-label": "Range of time" },
    el("div", { class: "segments" }, spans),
    el(
      "div",
      { class: "segments" },
      step(["Back"], "Earlier", (a, b) => [a - (b - a) / 2, b - (b - a) / 2]),
      step("−", "Longer", (a, b) => [a - (b - a) / 2, b + (b - a) / 2]),
      step("+", "Shorter", (a, b) => [a + (b - a) / 4, b - (b - a) / 4]),
      step(["Forward"], "Later", (a, b) => [a + (b - a) / 2, b + (b - a) / 2]),
    ),
  );
  const draw = (next) => {
    params = next;
    const { span } = rangeOf(params, otherwise);
    for (const button of spans) mark(button, "aria-pressed", String(button.textContent === span));
  };
  return { element, draw };
};
