// A second policy that is tried without acting: what it would have cost and left unserved.

import { el, put } from "../element.js";
import { count, duration, money, percent } from "../numbers.js";

const STAGES = {
  Compared: "It does not act.",
  Promoted: "It is decided by in place of the spec's own policy.",
  GivenUp: "It was decided by, and lost: the spec's own policy decides until it is changed.",
};

/** Fills the card from a workload; without a shadow there is no card. */
export const drawShadow = ({ element, body }, { shadow }) => {
  element.hidden = !shadow;
  if (!shadow) return;
  put(
    body,
    el("p", {}, shadow.verdict),
    shadow.own && table(shadow),
    el(
      "p",
      { class: "help" },
      `${duration(shadow.countedSeconds)} of ${duration(shadow.windowSeconds)} compared, in replica hours, on simulated pods. ${stage(shadow)}`,
    ),
  );
};

const stage = ({ stage: reached, acts, failure }) =>
  reached === "Promoted" && !acts && failure ? STAGES.Compared : STAGES[reached];

const table = ({ name, own, shadow, actual }) => {
  const priced = own.money !== null;
  const row = (label, side) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, label),
      el("td", { class: "n" }, count(side.replicas)),
      el("td", { class: "n" }, count(side.replicaHours)),
      priced && el("td", { class: "n" }, money(side.money)),
      el("td", { class: "n" }, percent(side.unserved, 3)),
    );
  return el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", {}, "Policy"),
        el("th", { class: "n" }, "Now"),
        el("th", { class: "n" }, "Hours"),
        priced && el("th", { class: "n" }, "Money"),
        el("th", { class: "n" }, "Unserved"),
      ),
    ),
    el("tbody", {}, row("Spec", own), row(name, shadow), row("Actual", actual)),
  );
};
