// What this workload spends: so far, to the end of the day and month, and day by day.

import { el, put, svg } from "../element.js";
import { nothing } from "../notice.js";
import { money } from "../numbers.js";

/** Fills `place` from a workload's spend answer. */
export const drawSpend = (place, spend) => {
  if (spend.today === null && spend.perHourNow === null) {
    return put(
      place,
      nothing("No price is set: state spend.replicaHourPrice to see money here, and to limit it."),
    );
  }
  const row = (name, sofar, ahead, budget) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, name),
      el("td", { class: "n" }, money(sofar)),
      el(
        "td",
        { class: `n ${budget !== null && Number(ahead) > Number(budget) ? "over" : ""}` },
        money(ahead),
      ),
      el("td", { class: "n" }, money(budget)),
    );
  put(
    place,
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", {}, "UTC"),
          el("th", { class: "n" }, "So far"),
          el("th", { class: "n" }, "By its end"),
          el("th", { class: "n" }, "Budget"),
        ),
      ),
      el(
        "tbody",
        {},
        row("Day", spend.today, spend.forecastToday, spend.dailyBudget),
        row("Month", spend.month, spend.forecastMonth, spend.monthlyBudget),
      ),
    ),
    el(
      "p",
      { class: "help" },
      `${money(spend.perHourNow)} an hour at the present count${spend.hourlyCap ? `, of at most ${money(spend.hourlyCap)}` : ""}.`,
    ),
    spend.days.length > 1 && days(spend),
  );
};

const HEIGHT = 56;

// A bar a day, and the budget as a line; each bar tells its amount when pointed at.
const days = ({ days: all, dailyBudget }) => {
  const most = Math.max(...all.map(({ amount }) => Number(amount)), Number(dailyBudget ?? 0)) || 1;
  const y = (amount) => HEIGHT - (HEIGHT * Number(amount)) / most;
  const width = 100 / all.length;
  const bars = all.map(({ day, amount }, i) =>
    svg(
      "rect",
      {
        class: dailyBudget !== null && Number(amount) > Number(dailyBudget) ? "bar over" : "bar",
        x: i * width + width * 0.12,
        width: width * 0.76,
        y: y(amount),
        height: HEIGHT - y(amount),
      },
      svg("title", {}, `${day}: ${money(amount)}`),
    ),
  );
  return el(
    "figure",
    { class: "days" },
    svg(
      "svg",
      {
        viewBox: `0 0 100 ${HEIGHT}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `Spend a day from ${all[0].day} to ${all.at(-1).day}`,
      },
      bars,
      dailyBudget !== null &&
        svg("line", { class: "budget", x1: 0, x2: 100, y1: y(dailyBudget), y2: y(dailyBudget) }),
    ),
    el(
      "figcaption",
      { class: "row apart muted" },
      el("span", {}, all[0].day),
      dailyBudget !== null && el("span", {}, "line: daily budget"),
      el("span", {}, all.at(-1).day),
    ),
  );
};
