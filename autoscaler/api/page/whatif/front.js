// What came of a policy search: cost against shortage, and the policies that no other one beats.

import { set } from "../address.js";
import { axis, config, layout, titled } from "../charts/look.js";
import { plotly } from "../charts/plotly.js";
import { copyButton } from "../copying.js";
import { el, put } from "../element.js";
import { amount, count, duration, money, percent } from "../numbers.js";
import { colour, onTheme } from "../themes.js";
import { conditions, unserved } from "./result.js";
import { paramsOf } from "./settings.js";

/** Fills `place` with a policy search's result. */
export const drawFront = (place, result, signal) => {
  const best = result.points.filter(({ onFront }) => onFront);
  const plot = el("div", {
    class: "plot front",
    role: "img",
    "aria-label": "Cost against load not served; the table below tells the best ones",
  });
  put(
    place,
    el(
      "section",
      { class: "card" },
      el(
        "h2",
        {},
        `${count(result.points.length)} policies tried, ${count(best.length)} of them the best for their cost`,
      ),
      el(
        "div",
        { class: "legend" },
        [
          ["other", "best for its cost"],
          ["past", "beaten by another"],
          ["supply", "present policy"],
          ["demand", "what happened"],
        ].map(([swatch, words]) =>
          el("span", { class: "key" }, el("i", { class: `swatch spot ${swatch}` }), words),
        ),
      ),
      plot,
      el(
        "div",
        { class: "scroll", role: "region", tabindex: "0", "aria-label": "The best policies" },
        table(best, result.present),
      ),
      conditions(result),
    ),
  );
  const draw = async () => {
    const library = await plotly();
    if (signal.aborted || !plot.isConnected) return;
    await library.react(plot, ...figure(result));
    plot.removeAllListeners?.("plotly_click");
    plot.on("plotly_click", ({ points }) => points[0].customdata && use(points[0].customdata));
  };
  onTheme(draw, signal);
  signal.addEventListener("abort", () => window.Plotly?.purge(plot));
  draw();
};

const use = (patch) => set({ ...paramsOf(patch), job: null });

const costOf = ({ money: paid, replicaHours }) => (paid === null ? replicaHours : Number(paid));

const figure = ({ points, present, happened }) => {
  const priced = present.money !== null;
  const trace = (name, some, marker, extra = {}) => ({
    x: some.map(costOf),
    y: some.map(({ unservedShare }) => unservedShare * 100),
    customdata: some.map(({ patch }) => patch ?? null),
    mode: "markers",
    name,
    text: some.map((one) =>
      one.quantile === undefined
        ? name
        : `quantile ${one.quantile ?? "–"}, window ${duration(one.scaleDownWindowSeconds)}`,
    ),
    hovertemplate: `%{text}<br>%{y:.3g} % not served<br>${priced ? "cost" : "replica hours"} %{x:,.4~g}<extra></extra>`,
    marker,
    ...extra,
  });
  const best = points.filter(({ onFront }) => onFront);
  return [
    [
      trace(
        "beaten",
        points.filter(({ onFront }) => !onFront),
        { size: 7, color: colour("edge"), symbol: "circle-open" },
      ),
      trace(
        "best",
        best,
        { size: 10, color: colour("warn") },
        { mode: "lines+markers", line: { color: colour("warn"), width: 1.4, shape: "hv" } },
      ),
      trace("present policy", [present], { size: 12, color: colour("supply"), symbol: "square" }),
      trace("what happened", [happened], { size: 12, color: colour("demand"), symbol: "diamond" }),
    ],
    layout({
      dragmode: false,
      xaxis: axis({ title: titled(priced ? "cost" : "replica hours") }),
      yaxis: axis({ title: titled("load not served, %"), rangemode: "tozero" }),
    }),
    config,
  ];
};

const table = (best, present) =>
  el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["Quantile", "Scale-down window", "Cost", "Against present", "Not served", "Time short", ""].map(
          (name, i) =>
            el(
              "th",
              { class: i < 6 ? "n" : "", scope: "col" },
              name || el("span", { class: "unseen" }, "Use it"),
            ),
        ),
      ),
    ),
    el(
      "tbody",
      {},
      best.map((point) =>
        el(
          "tr",
          {},
          el("td", { class: "n" }, point.quantile === null ? "–" : String(point.quantile)),
          el("td", { class: "n" }, duration(point.scaleDownWindowSeconds)),
          el(
            "td",
            { class: "n" },
            point.money === null ? `${amount(point.replicaHours)} h` : money(point.money),
          ),
          el("td", { class: "n" }, against(costOf(point), costOf(present))),
          el("td", { class: "n" }, unserved(point.unservedShare)),
          el("td", { class: "n" }, duration(point.minutesShort * 60)),
          el(
            "td",
            {},
            el(
              "span",
              { class: "row" },
              el("button", { type: "button", onclick: () => use(point.patch) }, "Use"),
              copyButton(() => point.manifest, "Copy manifest"),
            ),
          ),
        ),
      ),
    ),
  );

const against = (cost, present) =>
  present > 0 ? `${cost >= present ? "+" : "−"}${percent(Math.abs(cost - present) / present)}` : "–";
