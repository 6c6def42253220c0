// The fleet in a few numbers; each that counts a problem also filters by it.

import { el, mark, say } from "../element.js";
import { icon } from "../icons.js";
import { count, money } from "../numbers.js";
import { PROBLEMS } from "../problems.js";

// Left out on a phone while there are none.
const SELDOM = ["AtMax", "Conflict", "Fallback", "Stale", "Wasting", "Invalid"];

/** A strip of tiles. `onChoose` is called with a problem's code, or null. */
export const makeTotals = (onChoose) => {
  const tiles = new Map();
  const all = tile("Workloads", null, () => onChoose(null));
  const strip = el(
    "div",
    { class: "tiles", role: "group", "aria-label": "Totals, which filter the list" },
    all.element,
  );
  for (const [code, { name, tone, means }] of Object.entries(PROBLEMS)) {
    const made = tile(name, code, () => onChoose(code));
    mark(made.element, "data-tone", tone);
    made.element.classList.toggle("seldom", SELDOM.includes(code));
    made.element.title = means;
    tiles.set(code, made);
    strip.append(made.element);
  }
  const spent = tile("Spent today", null, null);
  strip.append(spent.element);
  return { element: strip, draw: (rows, problem) => draw(rows, problem, { all, tiles, spent }) };
};

const tile = (label, code, choose) => {
  const value = el("span", { class: "value" });
  const detail = el("span", { class: "detail" });
  const props = { class: "tile" };
  const content = [el("span", { class: "label" }, code && icon(code), label), value, detail];
  const element = choose
    ? el("button", { type: "button", ...props, onclick: choose }, content)
    : el("div", props, content);
  return { element, value, detail };
};

const draw = (rows, problem, { all, tiles, spent }) => {
  say(all.value, count(rows.length));
  const fine = rows.filter((row) => !row.problems.length).length;
  say(all.detail, `${count(fine)} fine`);
  mark(all.element, "aria-pressed", String(!problem));
  for (const [code, { element, value }] of tiles) {
    const number = rows.filter((row) => row.problems.includes(code)).length;
    say(value, count(number));
    element.classList.toggle("none", !number && problem !== code);
    mark(element, "aria-pressed", String(problem === code));
  }
  const sum = (some, column) => some.reduce((total, row) => total + (row[column] ?? 0), 0);
  const budgeted = rows.filter((row) => row.dailyBudget !== null);
  const [everybodys, theirs] = [rows, budgeted].map((some) => money(sum(some, "spendToday")));
  say(spent.value, rows.some((row) => row.spendToday !== null) ? everybodys : "–");
  // Budgets are held against what those spend that have one.
  const ofBudgets = `${theirs === everybodys ? "" : `${theirs} `}of ${money(sum(budgeted, "dailyBudget"))}`;
  say(spent.detail, budgeted.length ? ofBudgets : "no budgets");
};
