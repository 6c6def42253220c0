// What the fleet spends: now, today, this month, by namespace, priority and workload.

import { set, workloadPath } from "./address.js";
import { get } from "./api.js";
import { card } from "./cards.js";
import { el, put } from "./element.js";
import { chosen, readRows, sorted } from "./fleet/rows.js";
import { loading, nothing, refused } from "./notice.js";
import { count, money } from "./numbers.js";
import { keepFresh } from "./watch.js";

const FRESH_MS = 30_000;
const MOST_WORKLOADS = 50;

/** Builds the view; see `main.js`. */
export const open = (root, _place, signal) => {
  document.title = "Spend – Predictive autoscaler";
  const shown = { params: {}, any: false };
  const read = async () => {
    try {
      const { namespace } = shown.params;
      const [spend, { rows }] = await Promise.all([
        get("/spend", { namespace }, signal),
        readRows("", signal),
      ]);
      draw(root, spend, rows, namespace);
      shown.any = true;
    } catch (problem) {
      if (!signal.aborted && !shown.any) refused(root, problem, read);
    }
  };
  loading(root);
  keepFresh((event) => event.kind === "workloads", read, FRESH_MS, signal);
  return (params) => {
    shown.params = params;
    return read();
  };
};

const draw = (root, spend, rows, namespace) => {
  const spenders = sorted(chosen(rows, { namespace }), "spend").filter((row) => row.spendToday !== null);
  const parts = {
    namespaces: table("By namespace", "Namespace", spend.byNamespace, ({ namespace: name }) =>
      el("a", { href: `/spend?namespace=${encodeURIComponent(name)}` }, name),
    ),
    priorities: table("By priority", "Priority", spend.byPriority, ({ priority }) => priority || "none"),
    workloads: workloads(spenders),
  };
  put(
    root,
    el(
      "div",
      { class: "row apart" },
      el("h1", {}, namespace ? `Spend of ${namespace}` : "Spend"),
      namespace &&
        el("button", { type: "button", onclick: () => set({ namespace: null }) }, "All namespaces"),
    ),
    spend.today === null && spend.perHourNow === null
      ? nothing("No workload states a price. Set spend.replicaHourPrice in a resource to see money here.")
      : tiles(spend),
    el(
      "div",
      { class: "columns even" },
      el("div", { class: "column" }, parts.namespaces, parts.priorities),
      el("div", { class: "column" }, parts.workloads),
    ),
    el(
      "p",
      { class: "help muted" },
      "Replicas are paid from being asked for; days and months are UTC. To the end of the day at the present count; the other days of the month as today.",
    ),
  );
};

const isOver = (budgeted, budget) => budget !== null && Number(budgeted) > Number(budget);

// Where only some have a budget, what those spend stands before it.
const ofBudget = (all, budgeted, budget) =>
  `${all === budgeted ? "" : `${money(budgeted)} `}of ${money(budget)}`;

const tiles = (spend) => {
  const of = (all, budgeted, budget) =>
    budget === null ? "no budget" : `${ofBudget(all, budgeted, budget)} budgeted`;
  const tile = (label, value, detail, tone) =>
    el(
      "div",
      { class: "tile", "data-tone": tone },
      el("span", { class: "label" }, label),
      el("span", { class: "value" }, money(value)),
      el("span", { class: "detail" }, detail),
    );
  return el(
    "div",
    { class: "tiles figures five" },
    tile("An hour, now", spend.perHourNow, "at the present counts"),
    tile("Today so far", spend.today, of(spend.today, spend.budgetedToday, spend.dailyBudget)),
    tile(
      "Today, by its end",
      spend.forecastToday,
      of(spend.forecastToday, spend.budgetedForecastToday, spend.dailyBudget),
      isOver(spend.budgetedForecastToday, spend.dailyBudget) && "warn",
    ),
    tile("Month so far", spend.month, of(spend.month, spend.budgetedMonth, spend.monthlyBudget)),
    tile(
      "Month, by its end",
      spend.forecastMonth,
      of(spend.forecastMonth, spend.budgetedForecastMonth, spend.monthlyBudget),
      isOver(spend.budgetedForecastMonth, spend.monthlyBudget) && "warn",
    ),
  );
};

const head = (...names) =>
  el(
    "thead",
    {},
    el(
      "tr",
      {},
      names.map((name, i) => el("th", { class: `${i ? "n" : ""} ${name === "Month" ? "wide" : ""}` }, name)),
    ),
  );

// A bar under the name: its share of the largest.
const share = (value, most) => {
  const bar = el("span", { class: "share", "aria-hidden": "true" }, el("i"));
  bar.firstChild.style.width = `${most > 0 ? (100 * Number(value ?? 0)) / most : 0}%`;
  return bar;
};

const table = (title, label, groups, nameOf) => {
  const { element, body } = card(title);
  const most = Math.max(0, ...groups.map(({ today }) => Number(today ?? 0)));
  put(
    body,
    groups.length
      ? el(
          "table",
          {},
          head(label, "Today", "By day's end", "Budget", "Month"),
          el(
            "tbody",
            {},
            groups.map((group) =>
              el(
                "tr",
                {},
                el("th", { scope: "row" }, nameOf(group), share(group.today, most)),
                el("td", { class: "n" }, money(group.today)),
                el("td", { class: "n" }, money(group.forecastToday)),
                el(
                  "td",
                  { class: `n ${isOver(group.budgetedForecastToday, group.dailyBudget) ? "over" : ""}` },
                  group.dailyBudget !== null && group.forecastToday !== group.budgetedForecastToday
                    ? ofBudget(group.forecastToday, group.budgetedForecastToday, group.dailyBudget)
                    : money(group.dailyBudget),
                ),
                el("td", { class: "n wide" }, money(group.month)),
              ),
            ),
          ),
        )
      : nothing("None has a price."),
  );
  return element;
};

const workloads = (rows) => {
  const { element, body } = card("Workloads that spend most");
  const most = rows[0]?.spendToday ?? 0;
  put(
    body,
    rows.length
      ? el(
          "table",
          {},
          head("Workload", "Ready", "Today", "Budget"),
          el(
            "tbody",
            {},
            rows.slice(0, MOST_WORKLOADS).map((row) =>
              el(
                "tr",
                {},
                el(
                  "th",
                  { scope: "row" },
                  el("a", { href: workloadPath(row.namespace, row.name) }, row.name),
                  el("span", { class: "muted" }, ` ${row.namespace}`),
                  share(row.spendToday, most),
                ),
                el("td", { class: "n" }, count(row.ready)),
                el(
                  "td",
                  {
                    class: `n ${row.dailyBudget !== null && row.spendToday > row.dailyBudget ? "over" : ""}`,
                  },
                  money(row.spendToday),
                ),
                el("td", { class: "n" }, money(row.dailyBudget)),
              ),
            ),
          ),
        )
      : nothing("None has a price."),
  );
  return element;
};
