// The resource's conditions, as kubectl shows them.

import { el, put } from "../element.js";
import { icon } from "../icons.js";
import { timeElement } from "../moments.js";
import { nothing } from "../notice.js";

// Of these, True is what deserves a look.
const BAD_WHEN_TRUE = new Set(["SpendLimited", "Conflict", "Paused"]);
// These are news rather than good or bad, but for one reason.
const NEWS = new Set(["ShadowWon", "ShadowActing"]);
const GIVEN_UP = "ShadowGivenUp";

/** Fills `place` from a workload. */
export const drawConditions = (place, { conditions }) =>
  put(
    place,
    conditions.length ? el("ul", { class: "conditions" }, conditions.map(line)) : nothing("None yet."),
  );

const line = ({ type, status, reason, message, lastTransitionTime }) => {
  const good = status === (BAD_WHEN_TRUE.has(type) ? "False" : "True");
  const fine = NEWS.has(type) ? reason !== GIVEN_UP : good;
  return el(
    "li",
    { "data-tone": fine ? "fine" : "warn" },
    el("span", { class: "toned" }, icon(fine ? "Fine" : "Short")),
    el(
      "span",
      {},
      el("strong", {}, type),
      ` ${status}, `,
      el("code", {}, reason),
      el("span", { class: "why" }, message, " Since ", timeElement(lastTransitionTime), "."),
    ),
  );
};
