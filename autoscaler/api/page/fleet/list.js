// A list of any length that only makes the lines that are in sight; the window scrolls it.

import { el, mark } from "../element.js";
import { HEADS, drawRow, makeRow } from "./row.js";

const BEYOND = 8;

/** The list. `onSort` is called with the name of an order. */
export class FleetList {
  #rows = [];
  #pool = [];
  #from = 0;
  #active = null;
  #heads;

  constructor(onSort, signal) {
    this.#heads = HEADS.map(([name, words, sort]) =>
      el(
        "div",
        { class: `cell ${name}`, role: "columnheader", "data-sort": sort ?? "" },
        sort ? el("button", { type: "button", onclick: () => onSort(sort) }, words) : words,
      ),
    );
    this.body = el("div", { class: "lines", role: "rowgroup", tabindex: "-1" });
    this.element = el(
      "div",
      { class: "fleet", role: "table", "aria-label": "Workloads" },
      el("div", { class: "heads", role: "rowgroup" }, el("div", { class: "line", role: "row" }, this.#heads)),
      this.body,
    );
    const draw = () => this.#draw();
    window.addEventListener("scroll", draw, { passive: true, signal });
    window.addEventListener("resize", draw, { signal });
    this.body.addEventListener("focusin", (event) => {
      const line = event.target.closest(".line");
      if (!line || line.dataset.id === this.#active) return;
      this.#active = line.dataset.id;
      this.#draw();
    });
    // A whole line leads to its workload, as its link does.
    this.body.addEventListener("click", (event) => {
      if (!event.target.closest("a")) event.target.closest(".line")?.querySelector("a").click();
    });
  }

  /** Lists `rows`, sorted by `sort`. */
  show(rows, sort) {
    this.#rows = rows;
    for (const head of this.#heads) {
      const ours = head.dataset.sort && head.dataset.sort === sort;
      mark(head, "aria-sort", ours ? (sort === "name" ? "ascending" : "descending") : null);
    }
    mark(this.element, "aria-rowcount", rows.length + 1);
    this.#draw();
  }

  /** Whether a reader holds on to the order: has a line in focus or the pointer on one. */
  get held() {
    return this.body.contains(document.activeElement) || this.body.matches(":hover");
  }

  /** Moves the focus by `steps` lines; the first time to the first line in sight. */
  move(steps) {
    if (!this.#rows.length) return;
    const at = this.#rows.findIndex((row) => row.id === this.#active);
    const wanted = at < 0 ? this.#inSight().first : at + steps;
    this.#goTo(Math.max(0, Math.min(this.#rows.length - 1, wanted)));
  }

  /** Brings the line of a workload into sight and moves the focus to it. */
  reveal(id) {
    const index = this.#rows.findIndex((row) => row.id === id);
    if (index >= 0) this.#goTo(index);
  }

  #goTo(index) {
    this.#active = this.#rows[index].id;
    this.#bringIntoSight(index);
    this.#draw();
    this.#lineOf(this.#active)?.parts.link.focus({ preventScroll: true });
  }

  get #height() {
    return parseFloat(getComputedStyle(this.element).getPropertyValue("--line"));
  }

  #inSight() {
    const above = -this.body.getBoundingClientRect().top;
    const height = this.#height;
    const first = Math.max(0, Math.floor(above / height));
    return {
      first,
      last: Math.min(this.#rows.length, Math.ceil((above + window.innerHeight) / height)),
      height,
    };
  }

  #bringIntoSight(index) {
    const height = this.#height;
    const head = this.element.firstChild.getBoundingClientRect().bottom;
    const top = this.body.getBoundingClientRect().top + index * height;
    if (top < head) window.scrollBy(0, top - Math.max(head, 0));
    else if (top + height > window.innerHeight) window.scrollBy(0, top + height - window.innerHeight);
  }

  #lineOf(id) {
    return this.#pool.find((line) => line.element.dataset.id === id && !line.element.hidden);
  }

  #draw() {
    const { first, last, height } = this.#inSight();
    const from = Math.max(0, first - BEYOND);
    const to = Math.max(from, Math.min(this.#rows.length, last + BEYOND));
    this.body.style.height = `${this.#rows.length * height}px`;
    while (this.#pool.length < to - from) {
      const line = makeRow();
      this.#pool.push(line);
      this.body.append(line.element);
    }
    this.#turnTo(from);
    const focused = this.body.contains(document.activeElement);
    const reachable = this.#rows.some((row) => row.id === this.#active)
      ? this.#active
      : this.#rows[first]?.id;
    for (const [i, line] of this.#pool.entries()) {
      const row = from + i < to ? this.#rows[from + i] : undefined;
      line.element.hidden = !row;
      if (!row) continue;
      line.element.style.transform = `translateY(${(from + i) * height}px)`;
      drawRow(line, row, from + i);
      mark(line.parts.link, "tabindex", row.id === reachable ? 0 : -1);
    }
    if (focused) this.#followFocus();
  }

  // Those that scroll out at one end come in at the other; all between keep what they show. So they also stay in
  // the order in which they are read.
  #turnTo(from) {
    const by = from - this.#from;
    this.#from = from;
    if (Math.abs(by) >= this.#pool.length) return;
    for (let i = 0; i < by; i++) {
      const line = this.#pool.shift();
      this.#pool.push(line);
      this.body.append(line.element);
    }
    for (let i = 0; i < -by; i++) {
      const line = this.#pool.pop();
      this.#pool.unshift(line);
      this.body.prepend(line.element);
    }
  }

  // Lines show other workloads after scrolling or sorting; the focus stays with the workload, not with the line.
  #followFocus() {
    const wanted = this.#lineOf(this.#active)?.parts.link ?? this.body;
    if (wanted !== document.activeElement) wanted.focus({ preventScroll: true });
  }
}
