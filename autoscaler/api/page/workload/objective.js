// How an objective stands, and the curve from which its dial is chosen.

import { el, put } from "../element.js";
import { nothing } from "../notice.js";
import { amount, percent } from "../numbers.js";

/** The name of a place of the dial: `p98`, or `p99.5 × 1.2`. */
export const placeName = ({ quantile, headroom }) =>
  `p${+(100 * quantile).toFixed(2)}${headroom === 1 ? "" : ` × ${headroom}`}`;

const HEADINGS = ["Dial", "Replica-hours a day", "Unserved", "Minutes short a week"];

/** Fills `place` from a workload's objective. */
export const drawObjective = (place, objective) => {
  const { message, curve, curveDays, quantile, headroom } = objective;
  const isChosen = (point) => point.quantile === quantile && point.headroom === headroom;
  put(
    place,
    el("p", {}, message),
    curve.length
      ? [
          el(
            "table",
            { class: "curve" },
            el(
              "thead",
              {},
              el(
                "tr",
                {},
                HEADINGS.map((heading, i) => el("th", { class: i ? "n" : "" }, heading)),
              ),
            ),
            el(
              "tbody",
              {},
              curve.map((point) => row(point, isChosen(point))),
            ),
          ),
          el(
            "p",
            { class: "help" },
            `What each place of the dial would have brought over the last ${amount(curveDays)} days; the marked one is in use.`,
          ),
        ]
      : nothing("There is no curve yet: it takes a day of forecasts."),
  );
};

const row = (point, chosen) =>
  el(
    "tr",
    chosen ? { "aria-current": "true" } : {},
    el("th", { scope: "row" }, placeName(point)),
    el("td", { class: "n" }, amount(point.replicaHoursPerDay)),
    el("td", { class: "n" }, percent(point.unserved, 3)),
    el("td", { class: "n" }, amount(point.shortMinutesPerWeek)),
  );
