// What came of a what-if: one sentence, the figures side by side, both over time, and the manifest.

import { card } from "../cards.js";
import { TimeChart } from "../charts/chart.js";
import { copyButton } from "../copying.js";
import { el, put } from "../element.js";
import { timeElement } from "../moments.js";
import { amount, count, duration, money, percent, plural } from "../numbers.js";
import { KEYS, timeline, valuesAt } from "./timeline.js";

/** A share of the load that was not served: small ones to the thousandth of a per cent. */
export const unserved = (share) => percent(share, share >= 0.01 ? 2 : 3);

// Name, its number, and how that is written.
const ROWS = [
  ["Cost", ({ money: paid }) => (paid === null ? null : Number(paid)), money],
  ["Replica hours", ({ replicaHours }) => replicaHours, count],
  ["Load not served", ({ unservedShare }) => unservedShare, unserved],
  ["Time short", ({ minutesShort }) => (minutesShort === null ? null : minutesShort * 60), duration],
  ["Longest shortage", ({ longestShortageSeconds }) => longestShortageSeconds, duration],
  ["Changes a day", ({ changesPerDay }) => changesPerDay, amount],
  ["Forecast kept", ({ forecast }) => forecast?.coverage ?? null, percent],
];

/** Fills `place` with a what-if's result. */
export const drawResult = (place, result, signal) => {
  const chart = new TimeChart(
    {
      label: "Load, and what the ready replicas of each policy could serve",
      keys: KEYS,
      height: 340,
      valuesAt: (atS) => valuesAt(result, atS),
    },
    signal,
  );
  const manifest = card("The changed manifest", { help: "Complete, and ready for kubectl apply." });
  put(manifest.body, code(result.manifest));
  put(
    place,
    el(
      "section",
      { class: "card" },
      el("p", { class: "verdict" }, verdict(result)),
      el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Figures" }, table(result)),
      conditions(result),
    ),
    el("section", { class: "card time", "aria-label": "Over time" }, chart.element),
    manifest.element,
  );
  chart.draw((width) => timeline(result, width));
};

/** A text to be copied. */
export const code = (text) =>
  el(
    "div",
    { class: "code" },
    el("pre", { tabindex: "0", "aria-label": "The manifest" }, text),
    copyButton(() => text, "Copy"),
  );

const change = (before, after) => (before > 0 ? (after - before) / before : null);

const verdict = ({ runs: { present, changed }, days }) =>
  `Over ${plural(days, "day", amount)} the changed policy ${inCost(present, changed)}, and ${inShortage(present, changed)}.`;

const inCost = (present, changed) => {
  const grown = change(present.replicaHours, changed.replicaHours);
  if (grown === null || Math.abs(grown) < 0.0005) return "costs as much as the present one";
  const paid =
    present.money === null || changed.money === null
      ? ""
      : ` (${money(Math.abs(changed.money - present.money))})`;
  return `costs ${percent(Math.abs(grown))}${paid} ${grown > 0 ? "more" : "less"} than the present one`;
};

const inShortage = (present, changed) => {
  if (present.unservedShare === null || changed.unservedShare === null)
    return "what it leaves unserved is not known";
  const missed = changed.unservedShare - present.unservedShare;
  if (Math.abs(missed) < 1e-6) return "leaves as much of the load unserved";
  const shortS = (changed.minutesShort - present.minutesShort) * 60;
  const short =
    shortS === 0 ? "" : `, with ${duration(Math.abs(shortS))} ${shortS > 0 ? "more" : "less"} of shortage`;
  return `leaves ${unserved(Math.abs(missed))} ${missed > 0 ? "more" : "less"} of the load unserved${short}`;
};

const table = ({ runs: { happened, present, changed } }) =>
  el(
    "table",
    { class: "figures-table" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["", "What happened", "Present policy", "Changed policy", "Difference"].map((name, i) =>
          el("th", { class: i ? "n" : "", scope: "col" }, name),
        ),
      ),
    ),
    el(
      "tbody",
      {},
      ROWS.map(([name, of, shown]) => row(name, of, shown, { happened, present, changed })).filter(Boolean),
    ),
  );

const row = (name, of, shown, runs) => {
  const [happened, present, changed] = [runs.happened, runs.present, runs.changed].map(of);
  if ([happened, present, changed].every((value) => value === null)) return null;
  const difference =
    present === null || changed === null
      ? "–"
      : present === changed
        ? "same"
        : `${changed > present ? "+" : "−"}${shown(Math.abs(changed - present))}`;
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, name),
    [happened, present, changed].map((value) => el("td", { class: "n" }, shown(value))),
    el("td", { class: "n difference" }, difference),
  );
};

/** Under which all policies were tried, and what a reader has to know. */
export const conditions = ({ start, end, learningDays, unknownMinutes, perReplica, startUpSeconds, notes }) =>
  el(
    "div",
    { class: "help conditions-of" },
    el(
      "p",
      {},
      "From ",
      timeElement(start),
      " to ",
      timeElement(end),
      `, having learnt from ${plural(learningDays, "day", amount)} before. A replica serves ${amount(perReplica)} and is ready ${duration(startUpSeconds)} after it is asked for.`,
      unknownMinutes > 0 && ` ${duration(unknownMinutes * 60)} without a known load are judged for nobody.`,
    ),
    notes.map((note) => el("p", {}, note)),
  );
