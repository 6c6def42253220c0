// One workload: its time, its decisions, and everything that is known of it now.

import { set } from "../address.js";
import { get, workloadResource } from "../api.js";
import { card, fillCard } from "../cards.js";
import { TimeChart } from "../charts/chart.js";
import { nowS, hasBeen } from "../clock.js";
import { drawDecisions } from "../decisions/list.js";
import { el, put } from "../element.js";
import { onKeys } from "../keys.js";
import { bounds, epoch, fixedRange, rangeOf, rfc3339 } from "../moments.js";
import { loading, refused } from "../notice.js";
import { rangeButtons } from "../ranges.js";
import { mayWrite } from "../rights.js";
import { keepFresh } from "../watch.js";
import { drawConditions } from "./conditions.js";
import { fanSteps } from "./fans.js";
import { figure } from "./figure.js";
import { makeHead } from "./head.js";
import { drawManifest } from "./manifest.js";
import { drawObjective } from "./objective.js";
import { overridesOf } from "./overrides.js";
import { drawQuality } from "./quality.js";
import { KEYS, valuesAt } from "./reading.js";
import { drawShadow } from "./shadow.js";
import { drawSignals } from "./signals.js";
import { drawSpend } from "./spend.js";

const RANGE = "6h";
const NOW_MS = 2_000;
const SOON_MS = 5_000;
const SELDOM_MS = 60_000;
const MOST_DECISIONS = 500;
const HOURS_S = 3600;

/** Builds the view; see `main.js`. */
export const open = (root, { namespace, name }, signal) => {
  document.title = `${name} – Predictive autoscaler`;
  const view = new WorkloadView(root, namespace, name, signal);
  return (params) => view.apply(params);
};

class WorkloadView {
  #params = {};
  #range = null;
  #shown = { past: null, fan: null, decisions: [], workload: null };
  #asked = 0;

  constructor(root, namespace, name, signal) {
    Object.assign(this, { root, namespace, name, signal, id: `${namespace}/${name}` });
    this.#build();
    loading(root);
    const ours = (event) =>
      event.kind === "workloads"
        ? event.changed.includes(this.id)
        : event.kind === "decision" && `${event.decision.namespace}/${event.decision.workload}` === this.id;
    keepFresh(ours, () => this.#readNow(), NOW_MS, signal);
    keepFresh(ours, () => this.#range.live && this.#readTime(), SOON_MS, signal);
    keepFresh(ours, () => this.#readCards(), SELDOM_MS, signal);
    onKeys({ w: () => document.querySelector(".head a.button")?.click() }, signal);
  }

  async apply(params) {
    const before = this.#params;
    this.#params = params;
    this.ranges.draw(params);
    const first = this.#range === null;
    const same = ["range", "start", "end", "fan"].every((key) => before[key] === params[key]);
    if (!first && same) return;
    this.#range = rangeOf(params, RANGE);
    if (!first) return this.#readTime();
    if (!(await this.#readNow())) return;
    await Promise.all([this.#readTime(), this.#readCards()]);
  }

  #build() {
    this.head = makeHead(this.namespace, this.name);
    this.ranges = rangeButtons(RANGE);
    this.fans = fanSteps(this.namespace, this.name, this.signal);
    this.chart = new TimeChart(
      {
        label: "Load, forecast and replicas over time; the decisions below tell the same in words",
        keys: KEYS,
        height: 470,
        valuesAt: (atS) => valuesAt(this.#shown, atS),
        onZoom: (startS, endS) => set(fixedRange(startS, Math.min(endS, nowS()))),
        onReset: () => set({ range: null, start: null, end: null }),
        onPick: (decision) => set({ decision }),
      },
      this.signal,
    );
    this.cards = {
      decisions: card("Decisions", { className: "tall" }),
      signals: card("Signals"),
      quality: card("Forecast quality, last 24 h"),
      spend: card("Spend"),
      objective: card("Objective"),
      shadow: card("Shadow policy"),
      overrides: card("Override"),
      conditions: card("Conditions", { className: "late" }),
      manifest: card("Manifest", { className: "late" }),
    };
    this.overrides = overridesOf(
      this.namespace,
      this.name,
      this.cards.overrides.body,
      mayWrite(this.namespace),
      () => this.#readNow(),
      this.signal,
    );
  }

  #place() {
    const { decisions, signals, objective, shadow, quality, spend, overrides, conditions, manifest } =
      this.cards;
    put(
      this.root,
      this.head.element,
      el(
        "section",
        { class: "card time", "aria-label": "Over time" },
        el("div", { class: "row apart" }, this.ranges.element, this.fans.element),
        this.chart.element,
      ),
      el(
        "div",
        { class: "columns" },
        el("div", { class: "column" }, decisions.element, conditions.element, manifest.element),
        el(
          "div",
          { class: "column" },
          [signals, objective, overrides, shadow, spend, quality].map(({ element }) => element),
        ),
      ),
    );
  }

  /** The workload as it is now. False if it cannot be shown at all. */
  async #readNow() {
    try {
      const workload = await get(workloadResource(this.namespace, this.name), {}, this.signal);
      const first = !this.#shown.workload;
      this.#shown.workload = workload;
      hasBeen(epoch(workload.at));
      if (first) this.#place();
      this.head.draw(workload);
      this.overrides.draw(workload);
      drawSignals(this.cards.signals.body, workload);
      this.cards.objective.element.hidden = !workload.objective;
      if (workload.objective) drawObjective(this.cards.objective.body, workload.objective);
      drawShadow(this.cards.shadow, workload);
      drawConditions(this.cards.conditions.body, workload);
      if (first) drawManifest(this.cards.manifest.body, workload);
      return true;
    } catch (problem) {
      if (this.signal.aborted) return false;
      const gone = [403, 404].includes(problem.status);
      if (!this.#shown.workload || gone) refused(this.root, problem, () => this.#again());
      return false;
    }
  }

  #again() {
    this.#range = null;
    this.#shown.workload = null;
    this.apply(this.#params);
  }

  /** Everything that depends on the range. Of several questions under way only the last one's answer is shown. */
  async #readTime() {
    const asked = (this.#asked += 1);
    const range = (this.#range = rangeOf(this.#params, RANGE));
    const at = bounds(range);
    const part = (rest, params = {}) =>
      get(workloadResource(this.namespace, this.name, rest), params, this.signal);
    const current = () => asked === this.#asked;
    await Promise.all([
      fillCard(
        { body: this.chart.wait },
        () => Promise.all([part("series", at), this.fans.read(this.#params.fan)]),
        ([past, fan]) => {
          if (!current()) return;
          Object.assign(this.#shown, { past, fan });
          this.fans.draw(this.#params.fan, fan);
          this.#drawChart();
        },
        this.signal,
      ),
      fillCard(
        this.cards.decisions,
        () =>
          get(
            "/decisions",
            { namespace: this.namespace, workload: this.name, ...at, limit: MOST_DECISIONS },
            this.signal,
          ),
        (found) => {
          if (!current()) return;
          this.#shown.decisions = found.items;
          drawDecisions(this.cards.decisions.body, found.items);
          put(
            this.cards.decisions.beside,
            el(
              "a",
              {
                href: `/decisions?namespace=${encodeURIComponent(this.namespace)}&workload=${encodeURIComponent(this.name)}`,
              },
              "All of them",
            ),
          );
          this.#drawChart();
        },
        this.signal,
      ),
    ]);
  }

  #drawChart() {
    if (!this.#shown.past) return;
    const shown = { ...this.#shown, range: this.#range, fanIsNow: !this.#params.fan };
    this.chart.draw((width) => figure(shown, width));
  }

  async #readCards() {
    const part = (rest, params = {}) =>
      get(workloadResource(this.namespace, this.name, rest), params, this.signal);
    const now = nowS();
    await Promise.all([
      fillCard(
        this.cards.quality,
        () => part("accuracy", { start: rfc3339(now - 24 * HOURS_S), end: rfc3339(now) }),
        (answer) => drawQuality(this.cards.quality.body, answer),
        this.signal,
      ),
      fillCard(
        this.cards.spend,
        () => part("spend"),
        (answer) => drawSpend(this.cards.spend.body, answer),
        this.signal,
      ),
      this.overrides.refresh().catch((problem) => this.signal.aborted || console.warn(problem)),
    ]);
  }
}
