// Decisions as lines of text; each opens in full at the side.

import { here, link, set } from "../address.js";
import { el, mark, put } from "../element.js";
import { icon } from "../icons.js";
import { timeElement } from "../moments.js";
import { nothing, workloadLink } from "../notice.js";
import { direction, guard, outcome } from "./words.js";

const WORDS = { Out: "Scale out", In: "Scale in", Keep: "Keep" };

/** A list item for each decision. withWorkload: whether each says whose it is. */
export const decisionLines = (decisions, { withWorkload = false } = {}) => {
  const open = here().params.decision;
  return decisions.map((decision) => {
    const item = line(decision, withWorkload);
    mark(item, "data-open", decision.id === open ? "" : null);
    return item;
  });
};

/** Fills `place` with the decisions of one workload. */
export const drawDecisions = (place, decisions) =>
  put(
    place,
    decisions.length
      ? el("ol", { class: "decisions" }, decisionLines(decisions))
      : nothing("No decisions in this range."),
  );

/** Marks the decision that is open at the side. */
export const markOpen = (list, id) => {
  for (const anchor of list.querySelectorAll("[data-decision]"))
    mark(anchor.closest("li"), "data-open", anchor.dataset.decision === id ? "" : null);
};

const line = (decision, withWorkload) => {
  const way = direction(decision);
  const url = link(here().path, { ...here().params, decision: decision.id });
  const open = (event) => {
    event.preventDefault();
    set({ decision: decision.id });
  };
  return el(
    "li",
    { class: "decision", "data-way": way },
    el("span", { class: "when" }, timeElement(decision.at)),
    el(
      "span",
      { class: "change", title: WORDS[way] },
      icon(way),
      el("span", { class: "unseen" }, WORDS[way]),
      way === "Keep" ? String(decision.after) : `${decision.before} → ${decision.after}`,
    ),
    withWorkload &&
      el(
        "span",
        { class: "whose" },
        workloadLink(decision.namespace, decision.workload),
        el("span", { class: "muted" }, ` ${decision.namespace}`),
      ),
    el("a", { class: "sentence", href: url, "data-decision": decision.id, onclick: open }, decision.sentence),
    el(
      "span",
      { class: "guards" },
      decision.reasons.map((reason) => el("span", { class: "badge" }, guard(reason))),
      outcomeBadge(decision.outcome),
    ),
  );
};

const outcomeBadge = (code) => {
  const [words, notable] = outcome(code);
  return notable && el("span", { class: "badge", "data-tone": "warn" }, words);
};
