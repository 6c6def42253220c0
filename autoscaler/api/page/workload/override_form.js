// The form for an override: what, until when, and why.

import { nowS } from "../clock.js";
import { el } from "../element.js";
import { rfc3339 } from "../moments.js";

const KINDS = [
  ["Fixed", "Exactly"],
  ["Minimum", "At least"],
  ["Freeze", "Freeze as it is"],
];
const AHEAD = [
  ["1 h", 1],
  ["4 h", 4],
  ["24 h", 24],
];
const HOUR_MS = 3_600_000;

// What a datetime-local field takes: the reader's clock, without a zone.
const local = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/** `ask(body)` resolves when that is settled; `workload` as last seen, or null. */
export const overrideForm = (ask, workload) => {
  const kind = el(
    "select",
    { name: "kind", "aria-label": "Kind" },
    KINDS.map(([value, words]) => el("option", { value }, words)),
  );
  const replicas = el("input", {
    type: "number",
    name: "replicas",
    min: 0,
    max: 1_000_000,
    step: 1,
    required: true,
    // A hint, and not a value: digits typed after it would make another number.
    placeholder: `now ${workload?.replicas.current ?? "–"}`,
    "aria-label": "Replicas",
  });
  const until = el("input", {
    type: "datetime-local",
    name: "until",
    required: true,
    "aria-label": "Until, in your own time",
    value: local(nowS() * 1000 + HOUR_MS),
  });
  const reason = el("input", {
    type: "text",
    name: "reason",
    required: true,
    maxlength: 200,
    placeholder: "Why, for those who find it in force",
    "aria-label": "Reason",
  });
  const send = el("button", { class: "main" }, "Override…");
  const count = el("label", { class: "field short" }, el("span", {}, "Replicas"), replicas);
  kind.addEventListener("change", () => {
    count.hidden = kind.value === "Freeze";
    replicas.required = kind.value !== "Freeze";
  });
  const submit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    const body = {
      kind: kind.value,
      until: rfc3339(new Date(until.value).getTime() / 1000),
      reason: reason.value.trim(),
    };
    if (kind.value !== "Freeze") body.replicas = Number(replicas.value);
    await ask(body);
    send.disabled = false;
  };
  return el(
    "form",
    { class: "override", onsubmit: submit },
    el("label", { class: "field short" }, el("span", {}, "Hold"), kind),
    count,
    el(
      "div",
      { class: "field" },
      el("span", {}, "Until"),
      el(
        "div",
        { class: "row" },
        until,
        el(
          "span",
          { class: "segments" },
          AHEAD.map(([words, hours]) =>
            el(
              "button",
              {
                type: "button",
                onclick: () => (until.value = local(nowS() * 1000 + hours * HOUR_MS)),
              },
              words,
            ),
          ),
        ),
      ),
    ),
    el("label", { class: "field" }, el("span", {}, "Because"), reason),
    send,
  );
};
