// One decision in full, at the side of whatever view is open; its id is part of the address.

import { set, workloadPath } from "../address.js";
import { get } from "../api.js";
import { el, put } from "../element.js";
import { icon } from "../icons.js";
import { onKeys } from "../keys.js";
import { timeElement } from "../moments.js";
import { inOneLine } from "../notice.js";
import { amount, count, duration, percent, plural } from "../numbers.js";
import { inWords } from "../problems.js";
import { markOpen } from "./list.js";
import { replayButton } from "./replay.js";
import { direction, guard, inputName, outcome } from "./words.js";

const panel = document.getElementById("panel");
let shown = null;
let leave = new AbortController();
let cameFrom = null;

/** Closes the panel without touching the address. */
export const closePanel = () => {
  leave.abort();
  shown = null;
  panel.hidden = true;
  document.body.classList.remove("beside");
  panel.replaceChildren();
};

/** Shows the decision that the address names, or none. */
export const followPanel = ({ decision }) => {
  const id = decision ?? null;
  if (id === shown) return;
  markOpen(document, id);
  if (id === null) {
    closePanel();
    if (cameFrom?.isConnected) cameFrom.focus();
    return;
  }
  if (shown === null) cameFrom = document.activeElement;
  leave.abort();
  leave = new AbortController();
  shown = id;
  panel.hidden = false;
  document.body.classList.add("beside");
  onKeys({ Escape: () => close() }, leave.signal);
  read(id, leave.signal);
};

const close = () => set({ decision: null });

const frame = (...content) => {
  const button = el(
    "button",
    { type: "button", class: "plain", "aria-label": "Close the decision", onclick: close },
    icon("Close"),
  );
  put(panel, el("header", { class: "row apart" }, el("h2", {}, "Decision"), button), content);
  return button;
};

const read = async (id, signal) => {
  frame(el("p", { class: "empty small waiting" }, "Loading…")).focus();
  try {
    const decision = await get(`/decisions/${encodeURIComponent(id)}`, {}, signal);
    frame(whole(decision, signal)).focus();
  } catch (problem) {
    if (!signal.aborted)
      frame(
        el(
          "p",
          { class: "empty small", role: "alert" },
          inOneLine(problem),
          " Decisions are kept for a limited time.",
        ),
      ).focus();
  }
};

const whole = (decision, signal) => {
  const [became, notable] = outcome(decision.outcome);
  const { namespace, workload } = decision;
  return [
    el(
      "p",
      { class: "jump", "data-way": direction(decision) },
      icon(direction(decision)),
      direction(decision) === "Keep"
        ? count(decision.after)
        : `${count(decision.before)} → ${count(decision.after)}`,
    ),
    el("p", { class: "sentence" }, decision.sentence),
    el(
      "dl",
      { class: "pairs" },
      pair("When", timeElement(decision.at)),
      pair("Workload", el("a", { href: workloadPath(namespace, workload) }, `${namespace}/${workload}`)),
      pair("Outcome", notable ? el("strong", {}, became) : became),
    ),
    section("What each source wished", wishes(decision)),
    section("Guards, in the order they acted", chain(decision)),
    decision.alerts.length > 0 &&
      section(
        "Limits only reported",
        el(
          "ul",
          { class: "steps" },
          decision.alerts.map((change) => step(change)),
        ),
      ),
    section("What was seen", seen(decision)),
    section("Policy", policy(decision.policy)),
    section("Would it decide the same today?", replayButton(decision.id, signal)),
  ];
};

const section = (title, content) => el("section", {}, el("h3", {}, title), content);
const pair = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

const wishes = ({ wishes: all, wished }) =>
  el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", {}, "Source"),
        el("th", { class: "n" }, "Replicas"),
        el("th", { class: "n" }, "Value"),
        el("th", { class: "n" }, "Age"),
      ),
    ),
    el(
      "tbody",
      {},
      all.map((wish) =>
        el(
          "tr",
          { class: wish.replicas === wished ? "won" : "" },
          el("th", { scope: "row" }, wish.source, wish.why && el("span", { class: "why" }, wish.why)),
          el("td", { class: "n" }, count(wish.replicas)),
          el("td", { class: "n" }, amount(wish.value)),
          el("td", { class: "n" }, duration(wish.ageSeconds)),
        ),
      ),
    ),
  );

const chain = ({ wished, changes, after }) =>
  el(
    "ol",
    { class: "steps" },
    el("li", {}, el("span", { class: "to" }, count(wished)), el("span", {}, "Largest wish")),
    changes.map((change) => step(change)),
    el(
      "li",
      { class: "last" },
      el("span", { class: "to" }, count(after)),
      el("span", {}, changes.length ? "Decided" : "Decided: no guard changed it"),
    ),
  );

const step = ({ reason, before, after, inputs }) =>
  el(
    "li",
    {},
    el("span", { class: "to" }, count(after)),
    el(
      "span",
      {},
      guard(reason),
      el(
        "span",
        { class: "why" },
        `${after > before ? "raised" : "held"} from ${count(before)} `,
        el("code", {}, reason),
      ),
      Object.entries(inputs).map(([name, value]) =>
        el(
          "span",
          { class: "why" },
          `${inputName(name)}: ${typeof value === "number" ? amount(value) : (value ?? "–")}`,
        ),
      ),
    ),
  );

const seen = ({ observation, outlook }) => {
  const reading = ({ value, state, ageSeconds, detail }) =>
    state === "Value"
      ? `${amount(value)}, ${duration(ageSeconds)} old`
      : `${inWords(state)}${detail && `: ${detail}`}`;
  return el(
    "dl",
    { class: "pairs" },
    pair("Load", reading(observation.load)),
    observation.signals.map((signal) => pair(signal.name, reading(signal))),
    pair("Replicas", `${count(observation.ready)} ready of ${count(observation.current)} asked for`),
    pair(
      "Forecast",
      outlook.peak === null
        ? outlook.note || "none"
        : `peak ${amount(outlook.peak)}, expected ${amount(outlook.expected)}, by ${outlook.model || "–"}, ${duration(outlook.ageSeconds)} old`,
    ),
  );
};

// Only what most questions are about is told in words.
const policy = (plain) => {
  const { quantile, leadTimeSeconds, minReplicas, maxReplicas, loadPerReplica } = plain;
  const risk = `${percent(quantile)} of peaks within ${duration(leadTimeSeconds)} to be served`;
  return [
    el(
      "p",
      {},
      `${risk}, ${amount(loadPerReplica)} a replica, ${count(minReplicas)} to ${plural(maxReplicas, "replica")}.`,
    ),
    el(
      "details",
      {},
      el("summary", {}, "All of it, in plain numbers"),
      el(
        "pre",
        { tabindex: "0", "aria-label": "The policy in plain numbers" },
        JSON.stringify(plain, null, 2),
      ),
    ),
  ];
};
