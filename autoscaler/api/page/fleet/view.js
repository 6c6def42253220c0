// Every workload, worst first.

import { set } from "../address.js";
import { fleetIs } from "../banner.js";
import { el, put } from "../element.js";
import { onKeys } from "../keys.js";
import { loading, noWorkloads, nothing, refused } from "../notice.js";
import { keepFresh } from "../watch.js";
import { makeFilters } from "./filters.js";
import { FleetList } from "./list.js";
import { ageOf, chosen, inOrderOf, lastRows, readRows, sorted } from "./rows.js";
import { makeMosaic } from "./mosaic.js";
import { makeTotals } from "./totals.js";

const FRESH_MS = 2_000;

/** Builds the view; see `main.js`. */
export const open = (root, _place, signal) => {
  document.title = "Fleet – Predictive autoscaler";
  const view = new FleetView(root, signal);
  return (params) => view.apply(params);
};

class FleetView {
  #params = null;
  #rows = null;
  #order = [];

  constructor(root, signal) {
    this.signal = signal;
    this.root = root;
    const change = (changes, options) => set(changes, options);
    this.totals = makeTotals((problem) => change({ problem }));
    this.filters = makeFilters(change);
    this.list = new FleetList((sort) => change({ sort: sort === "worst" ? null : sort }), signal);
    this.mosaic = makeMosaic((id) => this.list.reveal(id), signal);
    this.none = el("div", { hidden: true }, nothing("No workload matches. Take a filter away."));
    this.filters.again.addEventListener("click", () => this.#draw(true));
    onKeys(
      {
        "/": () => this.filters.search.focus(),
        j: () => this.list.move(1),
        k: () => this.list.move(-1),
        ArrowDown: () => this.list.held && this.list.move(1),
        ArrowUp: () => this.list.held && this.list.move(-1),
        Escape: () => this.#leaveSearch(),
      },
      signal,
    );
    keepFresh(
      (event) => event.kind === "workloads",
      () => this.#refresh(),
      FRESH_MS,
      signal,
    );
  }

  async apply(params) {
    const before = this.#params;
    this.#params = params;
    const labels = params.labels ?? "";
    if (before && (before.labels ?? "") === labels && this.#rows) return this.#draw(true);
    this.#rows = lastRows(labels);
    if (this.#rows) {
      this.#frame();
      this.#draw(true);
      return this.#refresh();
    }
    if (!before) loading(this.root);
    await this.#read(true);
  }

  async #read(anew) {
    try {
      const { rows, metadata } = await readRows(this.#params.labels ?? "", this.signal);
      this.#rows = rows;
      fleetIs(...ageOf(rows, metadata));
      this.#frame();
      this.#draw(anew);
    } catch (problem) {
      if (this.signal.aborted) return;
      // What was read before is worth more than a notice; the banner tells how old it is.
      if (anew || !this.#rows || problem.status === 403)
        refused(this.root, problem, () => this.apply(this.#params));
    }
  }

  #refresh() {
    return this.#read(false);
  }

  #frame() {
    if (!this.#rows.length && !this.#params.labels) return put(this.root, noWorkloads());
    if (this.root.contains(this.list.element)) return;
    put(
      this.root,
      el("h1", { class: "unseen" }, "Fleet"),
      this.totals.element,
      this.filters.element,
      this.mosaic.element,
      this.list.element,
      this.none,
    );
  }

  // The order stays while a reader holds on to a line, so that it is not pulled away under the pointer.
  #draw(anew) {
    const params = this.#params;
    const shown = chosen(this.#rows, params);
    const best = sorted(shown, params.sort);
    const held = this.list.held || this.mosaic.held;
    const rows = anew || !held ? best : inOrderOf(shown, this.#order);
    this.filters.again.hidden = rows === best || rows.every((row, i) => row === best[i]);
    this.#order = rows.map((row) => row.id);
    this.totals.draw(
      this.#rows.filter((row) => !params.namespace || row.namespace === params.namespace),
      params.problem,
    );
    this.filters.draw(this.#rows, shown, params);
    this.mosaic.draw(rows, this.#rows);
    this.list.show(rows, params.sort ?? "worst");
    this.list.element.hidden = !rows.length;
    this.none.hidden = rows.length > 0;
  }

  #leaveSearch() {
    if (document.activeElement !== this.filters.search) return false;
    if (this.filters.search.value) set({ q: null });
    else this.filters.search.blur();
    return true;
  }
}
