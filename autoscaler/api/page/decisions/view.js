// All decisions, newest first, narrowed down by whose they are, what changed them and when they were made.

import { get } from "../api.js";
import { el, put, say } from "../element.js";
import { bounds, rangeOf } from "../moments.js";
import { inOneLine, loading, nothing, refused } from "../notice.js";
import { plural } from "../numbers.js";
import { rangeButtons } from "../ranges.js";
import { onEvent } from "../watch.js";
import { decisionFilters } from "./filters.js";
import { decisionLines } from "./list.js";

const PAGE = 100;
const RANGE = "24h";

/** Builds the view; see `main.js`. */
export const open = (root, _place, signal) => {
  document.title = "Decisions – Predictive autoscaler";
  const view = new DecisionsView(root, signal);
  return (params) => view.apply(params);
};

class DecisionsView {
  #params = {};
  #asked = null;
  #next = "";
  #new = 0;

  constructor(root, signal) {
    this.root = root;
    this.signal = signal;
    this.ranges = rangeButtons(RANGE);
    this.list = el("ol", { class: "decisions" });
    this.more = el(
      "button",
      { type: "button", hidden: true, onclick: () => this.#read() },
      "Older decisions",
    );
    this.problem = el("p", { class: "refusal", role: "alert", hidden: true });
    this.fresh = el("button", {
      type: "button",
      class: "again",
      hidden: true,
      onclick: () => this.#begin(),
    });
    this.filters = decisionFilters(signal);
    put(
      root,
      el("h1", {}, "Decisions"),
      el("div", { class: "row apart controls" }, this.filters.element, this.ranges.element),
      this.fresh,
      el("section", { class: "card", "aria-label": "Decisions" }, this.list),
      this.problem,
      el("p", { class: "row older" }, this.more),
    );
    onEvent((event) => event.kind === "decision" && this.#heard(event.decision), signal);
  }

  apply(params) {
    this.#params = params;
    this.ranges.draw(params);
    this.filters.draw(params);
    const asked = JSON.stringify(
      ["namespace", "workload", "reason", "range", "start", "end"].map((key) => params[key] ?? ""),
    );
    if (asked === this.#asked) return undefined;
    this.#asked = asked;
    return this.#begin();
  }

  async #begin() {
    this.#next = "";
    this.#new = 0;
    this.fresh.hidden = true;
    this.range = rangeOf(this.#params, RANGE);
    if (!this.list.children.length) loading(this.list);
    await this.#read(true);
  }

  async #read(anew = false) {
    const asked = this.#asked;
    this.more.disabled = true;
    this.problem.hidden = true;
    const { namespace, workload, reason } = this.#params;
    try {
      const { items, metadata } = await get(
        "/decisions",
        {
          namespace,
          workload,
          reason,
          ...bounds(this.range),
          limit: PAGE,
          continue: this.#next,
        },
        this.signal,
      );
      if (asked !== this.#asked) return;
      this.#next = metadata.continue;
      const lines = decisionLines(items, { withWorkload: true });
      if (anew)
        put(
          this.list,
          items.length
            ? lines
            : nothing("No decisions match in this range. Choose a longer one, or take a filter away."),
        );
      else this.list.append(...lines);
    } catch (problem) {
      if (this.signal.aborted) return;
      if (anew && problem.status === 403) return refused(this.root, problem, () => location.reload());
      if (anew) this.list.replaceChildren();
      say(this.problem, inOneLine(problem));
      this.problem.hidden = false;
      this.more.hidden = false;
    }
    this.more.disabled = false;
    this.more.hidden = this.problem.hidden && !this.#next;
    say(this.more, this.problem.hidden ? "Older decisions" : "Try again");
  }

  #heard(decision) {
    const { namespace, workload, reason } = this.#params;
    if (
      !this.range?.live ||
      (namespace && decision.namespace !== namespace) ||
      (workload && decision.workload !== workload)
    )
      return;
    if (reason && !decision.reasons.includes(reason)) return;
    this.#new += 1;
    this.fresh.hidden = false;
    say(this.fresh, `${plural(this.#new, "new decision")}: show`);
  }
}
