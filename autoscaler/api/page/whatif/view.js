// Another policy tried on a workload's own last days, beside the present one and what happened.

import { here, set, workloadPath } from "../address.js";
import { get, workloadResource } from "../api.js";
import { el, put, say } from "../element.js";
import { inOneLine, loading, refused } from "../notice.js";
import { mayWrite } from "../rights.js";
import { makeForm } from "./form.js";
import { drawFront } from "./front.js";
import { ask, cancel, follow, progressBar } from "./job.js";
import { drawResult } from "./result.js";
import { changesOf, patchOf } from "./settings.js";

const POINTS = 8;

/** Builds the view; see `main.js`. */
export const open = (root, { namespace, name }, signal) => {
  document.title = `What if: ${name} – Predictive autoscaler`;
  const view = new WhatIfView(root, namespace, name, signal);
  return () => view.apply();
};

class WhatIfView {
  #spec = null;
  #followed = null;
  #leave = new AbortController();

  constructor(root, namespace, name, signal) {
    Object.assign(this, { root, namespace, name, signal });
    this.problem = el("p", { class: "refusal", role: "alert", hidden: true });
    this.progress = progressBar(() => this.#cancel());
    this.result = el("div", { class: "results" });
    signal.addEventListener("abort", () => this.#leave.abort());
    loading(root);
  }

  async apply() {
    if (!this.#spec && !(await this.#begin())) return;
    const now = here().params;
    this.form.draw(now, this.#followed !== null);
    const id = now.job ?? now.search ?? null;
    if (id !== this.#followed) await this.#follow(id, now.job ? drawResult : drawFront);
  }

  async #begin() {
    const { namespace, name } = this;
    try {
      const { manifest } = await get(workloadResource(namespace, name), {}, this.signal);
      if (!manifest)
        throw Object.assign(new Error("The operator has not seen the resource yet; try again in a minute."), {
          status: 404,
        });
      this.#spec = manifest.spec;
    } catch (problem) {
      if (!this.signal.aborted) refused(this.root, problem, () => this.apply());
      return false;
    }
    this.form = makeForm(
      this.#spec,
      () => this.#run(),
      () => this.#search(),
    );
    put(
      this.root,
      el(
        "p",
        { class: "muted crumbs" },
        el("a", { href: "/" }, "Fleet"),
        " / ",
        el("a", { href: `/?namespace=${encodeURIComponent(namespace)}` }, namespace),
        " / ",
        el("a", { href: workloadPath(namespace, name) }, name),
      ),
      el("h1", {}, `${name}: what if…`),
      el(
        "p",
        { class: "muted intro" },
        "Change the policy and run it on what this workload went through. Nothing is changed in the cluster.",
      ),
      el("section", { class: "card" }, this.form.element, this.progress.element, this.problem),
      this.result,
    );
    if (!(await mayWrite(namespace)))
      this.#complain(
        "Trying policies takes computing time, so it needs the right to update predictiveautoscalers in this namespace, which you seem not to have.",
      );
    return true;
  }

  #run() {
    const params = here().params;
    const changes = changesOf(this.#spec, params);
    return this.#ask("job", "what-if", { patch: patchOf(changes), days: Number(params.days ?? 7) });
  }

  #search() {
    return this.#ask("search", "policy-search", {
      days: Number(here().params.days ?? 7),
      points: POINTS,
    });
  }

  async #ask(param, rest, body) {
    this.#complain("");
    this.form.draw(here().params, true);
    try {
      const id = await ask(workloadResource(this.namespace, this.name, rest), body, this.signal);
      set({ job: null, search: null, [param]: id });
    } catch (problem) {
      if (this.signal.aborted) return;
      this.#complain(inOneLine(problem));
      this.form.draw(here().params, false);
    }
  }

  async #follow(id, draw) {
    this.#leave.abort();
    const leave = (this.#leave = new AbortController());
    this.#followed = id;
    this.progress.element.hidden = id === null;
    this.form.draw(here().params, id !== null);
    // Of settings that were changed since, the old result says nothing.
    this.result.classList.toggle("outdated", id === null);
    if (id === null) return;
    this.#complain("");
    this.result.scrollIntoView({ block: "nearest" });
    try {
      const result = await follow(id, (job) => this.progress.draw(job), leave.signal);
      if (leave.signal.aborted) return;
      this.result.classList.remove("outdated");
      draw(this.result, result, leave.signal);
    } catch (problem) {
      if (leave.signal.aborted) return;
      this.result.replaceChildren();
      this.#complain(
        problem.status === 404 ? "This result is not kept any more: run it again." : inOneLine(problem),
      );
    }
    this.progress.element.hidden = true;
    this.form.draw(here().params, false);
  }

  async #cancel() {
    const id = this.#followed;
    try {
      await cancel(id);
    } catch (problem) {
      this.#complain(inOneLine(problem));
    }
  }

  #complain(text) {
    say(this.problem, text);
    this.problem.hidden = !text;
  }
}
