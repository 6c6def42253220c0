// How well the forecasts of this workload kept what they stated.

import { el, put } from "../element.js";
import { nothing } from "../notice.js";
import { count, duration, percent, plural } from "../numbers.js";

/** Fills `place` from an accuracy answer. */
export const drawQuality = (place, { judged, coverage, wape, bias, leadSeconds }) => {
  if (!judged)
    return put(
      place,
      nothing(
        "No forecast of this range can be judged yet: its lead time has to pass, and the load to be known.",
      ),
    );
  const off = bias === null ? "" : bias >= 0 ? `${percent(bias)} too much` : `${percent(-bias)} too little`;
  put(
    place,
    el(
      "p",
      { class: "help" },
      `${plural(judged, "forecast")} of the peak within ${duration(leadSeconds)}. Error of the median ${percent(wape)}, on the whole ${off}.`,
    ),
    el(
      "table",
      { class: "coverage" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { class: "n" }, "Stated"),
          el("th", { class: "n" }, "Kept"),
          el("th", {}, el("span", { class: "unseen" }, "Difference")),
        ),
      ),
      el(
        "tbody",
        {},
        coverage.map(({ stated, observed }) =>
          el(
            "tr",
            {},
            el("th", { class: "n", scope: "row" }, percent(stated)),
            el("td", { class: "n" }, percent(observed)),
            el("td", {}, gauge(stated, observed)),
          ),
        ),
      ),
    ),
    el("p", { class: "help" }, `Stated 95 % should keep 93 to 97 % over ${count(300)} or more forecasts.`),
  );
};

// The bar is what was kept, the mark what was stated.
const gauge = (stated, observed) => {
  const bar = el("span", { class: "gauge", "aria-hidden": "true" }, el("i"), el("b"));
  bar.firstChild.style.width = `${(observed ?? 0) * 100}%`;
  bar.lastChild.style.left = `${stated * 100}%`;
  return bar;
};
