// One workload as one line of the fleet. Elements are made once and used for whichever workload scrolls by.

import { bars, drawBars } from "../bars.js";
import { workloadPath } from "../address.js";
import { el, mark, say } from "../element.js";
import { icon, redraw } from "../icons.js";
import { amount, count, money } from "../numbers.js";
import { PROBLEMS, iconOf, sentenceOf, toneOf } from "../problems.js";

/** The heads of the columns: class of the cell, words, and what sorts by it. */
export const HEADS = [
  ["state", "State", "worst"],
  ["name", "Workload", "name"],
  ["load", "Load, forecast peak", "load"],
  ["picture", "Replicas", null],
  ["counts", "Ready, desired", "ready"],
  ["spend", "Spent today", "spend"],
  ["mode", "Mode", null],
];

/** An empty line for `drawRow`. */
export const makeRow = () => {
  const cell = (name, ...children) => el("div", { class: `cell ${name}`, role: "cell" }, ...children);
  const parts = {
    picture: icon("Fine"),
    problem: el("span", { class: "words" }),
    more: el("span", { class: "more" }),
    link: el("a", { tabindex: "-1" }),
    namespace: el("span", { class: "namespace" }),
    load: el("span"),
    forecast: el("span", { class: "muted" }),
    bars: bars(),
    ready: el("span"),
    desired: el("span", { class: "muted" }),
    spent: el("span"),
    budget: el("span", { class: "muted" }),
    mode: el("span"),
  };
  const element = el(
    "div",
    { class: "line", role: "row" },
    cell("state", parts.picture, parts.problem, parts.more),
    cell("name", parts.link, parts.namespace),
    cell("load", parts.load, parts.forecast),
    cell("picture", parts.bars),
    cell("counts", parts.ready, parts.desired),
    cell("spend", parts.spent, parts.budget),
    cell("mode", parts.mode),
  );
  return { element, parts, icon: "Fine", row: null, index: -1 };
};

/** Shows `row` at `index` of all that are listed. */
export const drawRow = (line, row, index) => {
  if (line.row === row && line.index === index) return;
  Object.assign(line, { row, index });
  const { element, parts } = line;
  mark(element, "aria-rowindex", index + 2);
  mark(element, "data-id", row.id);
  mark(element, "data-tone", toneOf(row.problems));
  const picture = iconOf(row.problems);
  if (picture !== line.icon) redraw(parts.picture, picture);
  line.icon = picture;
  say(parts.problem, sentenceOf(row));
  say(parts.more, row.problems.length > 1 ? `+${row.problems.length - 1}` : "");
  say(parts.link, row.name);
  mark(parts.link, "href", workloadPath(row.namespace, row.name));
  say(parts.namespace, row.namespace);
  say(parts.load, row.loadState && row.loadState !== "Value" ? row.loadState : amount(row.load));
  say(parts.forecast, row.forecast === null ? "" : `→ ${amount(row.forecast)}`);
  drawBars(parts.bars, row);
  say(parts.ready, count(row.ready));
  say(parts.desired, row.desired === null || row.desired === row.ready ? "" : `→ ${count(row.desired)}`);
  say(parts.spent, money(row.spendToday));
  say(parts.budget, row.dailyBudget === null ? "" : `of ${money(row.dailyBudget)}`);
  say(parts.mode, row.mode);
  const others = row.problems
    .slice(1)
    .map((code) => PROBLEMS[code]?.name ?? code)
    .join(", ");
  mark(
    element,
    "title",
    `${others && `also: ${others}\n`}needed ${count(row.needed)}, ready ${count(row.ready)}, desired ${count(row.desired)}, from ${count(row.min)} to ${count(row.max)}\n${row.decision}`,
  );
};
