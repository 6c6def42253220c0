// What the words and marks of the page mean, its keys, and where more is to be had.

import { bars, drawBars } from "./bars.js";
import { card } from "./cards.js";
import { GUARDS } from "./decisions/words.js";
import { el, put } from "./element.js";
import { icon } from "./icons.js";
import { zoneName } from "./moments.js";
import { PROBLEMS } from "./problems.js";

const KEYS = [
  ["/", "Search the fleet"],
  ["j k, ↓ ↑", "Next and previous workload"],
  ["Enter", "Open it"],
  ["w", "What if, of the open workload"],
  ["Esc", "Leave the search, close a decision"],
  ["f d s ?", "Fleet, decisions, spend, this help"],
];

const BARS = [
  ["ready", "Blue bar: replicas that serve"],
  ["needed", "Upright mark: replicas that the present load needs"],
  ["desired", "Small triangle: replicas decided on"],
  ["lacking", "Red: needed, and not ready"],
];

const LINKS = [
  ["/docs", "The REST interface, to read and try"],
  ["/openapi.json", "The same for programs"],
  ["/api/v1/fleet", "The fleet as JSON; with format=csv as CSV"],
];

/** Builds the view; see `main.js`. */
export const open = (root) => {
  document.title = "Help – Predictive autoscaler";
  put(
    root,
    el("h1", {}, "Help"),
    el(
      "div",
      { class: "columns even" },
      el("div", { class: "column" }, problems(), keys(), more()),
      el("div", { class: "column" }, replicas(), chart(), guards()),
    ),
  );
  return () => {};
};

const filled = (title, ...content) => {
  const { element, body } = card(title);
  put(body, content);
  return element;
};

const pairs = (rows) =>
  el(
    "dl",
    { class: "pairs" },
    rows.map(([term, meaning]) => [el("dt", {}, term), el("dd", {}, meaning)]),
  );

const problems = () =>
  filled(
    "What can be wrong, worst first",
    el(
      "ul",
      { class: "legend-list" },
      Object.entries(PROBLEMS).map(([code, { name, tone, means }]) =>
        el(
          "li",
          { "data-tone": tone },
          el("span", { class: "toned" }, icon(code), ` ${name}`),
          el("span", {}, means),
        ),
      ),
    ),
  );

const replicas = () => {
  const picture = bars();
  drawBars(picture, { ready: 8, needed: 10, desired: 12, min: 2, max: 16 });
  return filled(
    "Replicas in one picture",
    el("div", { class: "example" }, picture),
    el(
      "ul",
      {},
      BARS.map(([, words]) => el("li", {}, words)),
    ),
    el("p", { class: "help" }, "The track goes from minReplicas to maxReplicas; beyond it is paler."),
  );
};

const chart = () =>
  filled(
    "The chart of a workload",
    pairs([
      ["Load", "what arrived"],
      ["Served at most", "ready replicas times what one serves"],
      [
        "Forecast peak",
        "for each moment, the peak that was forecast one lead time before, at the policy's quantile: what replicas asked for then had to serve",
      ],
      ["Red area", "load that the ready replicas could not serve within their objective"],
      ["Red ring", "load above the forecast peak: here the forecast was wrong"],
      ["Fan", "the newest forecast; darker is likelier"],
      ["Violet stripe", "the lead time: what is asked for now is ready at its end"],
      ["Triangles", "decisions that changed the count; point at one to read it, click it to see all of it"],
    ]),
    el(
      "p",
      { class: "help" },
      `Drag over the chart to look closer, double-click to come back. Times are ${zoneName()}; point at one for UTC.`,
    ),
  );

const guards = () =>
  filled(
    "Guards, in the order they act",
    el(
      "ol",
      { class: "legend-list" },
      Object.entries(GUARDS).map(([code, name]) => el("li", {}, el("span", {}, name), el("code", {}, code))),
    ),
  );

const keys = () =>
  filled(
    "Keys",
    el(
      "dl",
      { class: "pairs" },
      KEYS.map(([key, does]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, does)]),
    ),
  );

const more = () =>
  filled(
    "More",
    el(
      "dl",
      { class: "pairs" },
      LINKS.map(([url, what]) => [el("dt", {}, el("a", { href: url }, url)), el("dd", {}, what)]),
    ),
    el(
      "p",
      { class: "help" },
      "On the command line: kubectl get predictiveautoscalers -A, kubectl describe pa NAME, autoscaler replay DECISION. Reasons of conditions and what to do about them are in docs/troubleshooting.md of the release.",
    ),
  );
