// One chart in the page: drawn by Plotly, with a cursor over all its panels and a line of values at the cursor.

import { el, mark, put, say } from "../element.js";
import { onTheme } from "../themes.js";
import { offAxis } from "./axis_times.js";
import { config } from "./look.js";
import { plotly } from "./plotly.js";

/**
 * A chart over time. `build(width)` returns `{data, layout}`; `valuesAt(atS)` the values for the legend, by key, and
 * with null those of now. onZoom(startS, endS), onReset() and onPick(customdata) tell what a reader does; without the first two,
 * zooming stays within the chart.
 */
export class TimeChart {
  #drawn = null;
  #cursor = el("div", { class: "cursor", hidden: true });
  #when = el("span", { class: "when" });
  #values = new Map();
  #build = null;

  constructor({ label, keys, height, valuesAt, onZoom, onReset, onPick }, signal) {
    Object.assign(this, { valuesAt, onZoom, onReset, onPick, signal });
    this.place = el("div", { class: "plot", role: "img", "aria-label": label });
    this.place.style.height = `${height}px`;
    this.wait = el("p", { class: "wait waiting" }, "Drawing…");
    this.legend = el(
      "div",
      { class: "legend" },
      keys.map(([key, name, swatch]) => this.#key(key, name, swatch)),
      this.#when,
    );
    this.element = el(
      "div",
      { class: "chart" },
      this.legend,
      el("div", { class: "plotting" }, this.place, this.#cursor, this.wait),
    );
    this.place.addEventListener("pointermove", (event) => this.#point(event));
    this.place.addEventListener("pointerleave", () => this.#unpoint());
    onTheme(() => this.draw(this.#build), signal);
    signal.addEventListener("abort", () => this.#drawn && window.Plotly.purge(this.place));
  }

  /** Draws, or draws again. */
  async draw(build) {
    if (!build) return;
    this.#build = build;
    let library;
    try {
      library = await plotly();
    } catch (error) {
      return put(this.wait, error.message);
    }
    if (this.signal.aborted || build !== this.#build || !this.place.isConnected) return;
    const { data, layout } = build(this.place.clientWidth);
    await library.react(this.place, data, layout, config);
    if (!this.#drawn) this.#listen();
    this.#drawn = true;
    this.wait.hidden = true;
    this.#tell(null);
  }

  #key(key, name, swatch) {
    const value = el("span", { class: "value" });
    this.#values.set(key, value);
    return el("span", { class: "key" }, el("i", { class: `swatch ${swatch}` }), name, value);
  }

  #listen() {
    this.place.on("plotly_relayout", (changes) => {
      const [from, to] = [changes["xaxis.range[0]"], changes["xaxis.range[1]"]];
      if (from !== undefined && to !== undefined) this.onZoom?.(offAxis(from), offAxis(to));
    });
    this.place.on("plotly_doubleclick", () =>
      this.onReset ? this.onReset() : window.Plotly.relayout(this.place, { "xaxis.autorange": true }),
    );
    this.place.on("plotly_click", ({ points }) => {
      const picked = points.find(({ customdata }) => customdata);
      if (picked) this.onPick?.(picked.customdata);
    });
  }

  #point(event) {
    if (!this.#drawn) return;
    const { xaxis, _size: size } = this.place._fullLayout;
    const x = event.clientX - this.place.getBoundingClientRect().left;
    if (x < size.l || x > size.l + size.w) return this.#unpoint();
    this.#cursor.hidden = false;
    this.#cursor.style.transform = `translateX(${x}px)`;
    this.#tell(offAxis(xaxis.p2d(x - size.l)));
  }

  #unpoint() {
    this.#cursor.hidden = true;
    this.#tell(null);
  }

  #tell(atS) {
    const { when, values } = this.valuesAt(atS);
    say(this.#when, when);
    for (const [key, place] of this.#values) {
      say(place, values[key] ?? "");
      mark(place.parentElement, "data-empty", values[key] ? null : "");
    }
  }
}
