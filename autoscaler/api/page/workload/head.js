// Who a workload is, what is wrong with it, what was decided last, and the numbers of this moment.

import { workloadPath } from "../address.js";
import { el, mark, put, say } from "../element.js";
import { icon } from "../icons.js";
import { ago, timeElement } from "../moments.js";
import { amount, count, duration, money, percent } from "../numbers.js";
import { PROBLEMS, iconOf, inWords } from "../problems.js";

const FIGURES = ["Load now", "Forecast peak", "Ready", "Desired", "Lead time", "Coverage", "Spent today"];

/** The head. `draw(workload)` shows its present state. */
export const makeHead = (namespace, name) => {
  const badges = el("div", { class: "row badges" });
  const sentence = el("p", { class: "sentence decision-now" });
  const tiles = FIGURES.map((label) => {
    const [value, detail] = [el("span", { class: "value" }), el("span", { class: "detail" })];
    const element = el("div", { class: "tile" }, el("span", { class: "label" }, label), value, detail);
    return { element, value, detail };
  });
  const element = el(
    "div",
    { class: "head" },
    el(
      "div",
      { class: "row apart" },
      el(
        "div",
        {},
        el(
          "p",
          { class: "muted crumbs" },
          el("a", { href: "/" }, "Fleet"),
          " / ",
          el("a", { href: `/?namespace=${encodeURIComponent(namespace)}` }, namespace),
        ),
        el("h1", {}, name),
      ),
      el("a", { class: "button", href: workloadPath(namespace, name, "what-if") }, "What if…"),
    ),
    badges,
    sentence,
    el(
      "div",
      { class: "tiles figures" },
      tiles.map((tile) => tile.element),
    ),
  );
  return { element, draw: (workload) => draw(workload, { badges, sentence, tiles }) };
};

const draw = (workload, { badges, sentence, tiles }) => {
  const { mode, problems, priority, target } = workload;
  put(
    badges,
    problems.length
      ? problems.map(problemBadge)
      : el("span", { class: "badge", "data-tone": "fine" }, icon("Fine"), "Fine"),
    mode && el("span", { class: "badge", title: "spec.mode" }, mode),
    priority && el("span", { class: "badge" }, `priority ${priority}`),
    target && el("span", { class: "muted" }, `${target.kind} ${target.name}`),
  );
  put(
    sentence,
    workload.problem ? workload.problem : (workload.decision ?? "Nothing has been decided yet."),
    " ",
    el("span", { class: "muted" }, timeElement(workload.at)),
  );
  for (const [i, [value, detail, tone]] of figures(workload).entries()) {
    say(tiles[i].value, value);
    say(tiles[i].detail, detail ?? "");
    mark(tiles[i].element, "data-tone", tone || null);
  }
};

const problemBadge = (code) => {
  const { name, tone, means } = PROBLEMS[code] ?? { name: code, tone: "note", means: "" };
  return el("span", { class: "badge", "data-tone": tone, title: means }, icon(iconOf([code])), name);
};

const figures = ({ load, forecast, replicas, leadTime, spend, perReplica, problems }) => {
  const bad = (code, tone) => (problems.includes(code) ? tone : "");
  return [
    load?.state === "Value"
      ? [amount(load.value), perReplica && `${amount(perReplica)} a replica`]
      : [load ? inWords(load.state) : "–", load?.detail ?? "", "warn"],
    [
      amount(forecast?.peak),
      forecast && `in ${duration(forecast.leadTimeSeconds)}, ${percent(forecast.quantile)}`,
      bad("WillBeShort", "warn"),
    ],
    [count(replicas.ready), `${count(replicas.needed)} needed`, bad("Short", "bad")],
    [count(replicas.desired), `${count(replicas.min)} to ${count(replicas.max)}`, bad("AtMax", "warn")],
    [
      duration(leadTime?.seconds),
      leadTime &&
        (leadTime.source === "Measured"
          ? `of ${count(leadTime.samples)} starts, ${ago(leadTime.newestSampleTime)}`
          : "as configured"),
    ],
    [
      percent(forecast?.coverage),
      forecast?.coverage == null ? "not judged yet" : `of ${percent(forecast.coverageQuantile ?? forecast.quantile)} stated`,
    ],
    [
      money(spend?.today),
      spend?.dailyBudget
        ? `of ${money(spend.dailyBudget)}`
        : spend?.replicaHourPrice
          ? "no budget"
          : "no price set",
      bad("OverBudget", "warn"),
    ],
  ];
};
