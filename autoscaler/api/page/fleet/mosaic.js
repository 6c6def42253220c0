// All workloads in one small picture, in the order of the list: a cell for each, however many there are.

import { el, mark, say } from "../element.js";
import { sentenceOf, toneOf } from "../problems.js";
import { colour, onTheme } from "../themes.js";

const HEIGHT = 72;
const LARGEST = 16;
const SMALLEST = 4;
// With fewer than these the list itself shows them all.
const FEWEST = 30;

// Colour of a tone, and how much of its cell it fills: what is fine is a speck, what is bad the whole.
const LOOKS = {
  bad: ["bad", 1],
  warn: ["warn", 0.82],
  note: ["ink", 0.62],
  calm: ["calm", 0.62],
  fine: ["edge", 0.34],
};

/** The largest side of `number` square cells that fit into `width` by HEIGHT. */
export const sideOf = (number, width) => {
  for (let side = LARGEST; side > SMALLEST; side--) {
    if (Math.floor(width / side) * Math.floor(HEIGHT / side) >= number) return side;
  }
  return SMALLEST;
};

/** The picture; `onChoose` is called with the id of the workload whose cell is clicked. */
export const makeMosaic = (onChoose, signal) => {
  const canvas = el("canvas", { role: "img" });
  const label = el("div", { class: "mosaic-label", hidden: true, "aria-hidden": "true" });
  const element = el("div", { class: "mosaic", hidden: true }, canvas, label);
  let rows = [];
  let grid = { side: LARGEST, columns: 1 };

  const draw = () => {
    const width = element.clientWidth;
    if (element.hidden || !width) return;
    const side = sideOf(rows.length, width);
    grid = { side, columns: Math.max(1, Math.floor(width / side)) };
    const height = Math.ceil(rows.length / grid.columns) * side;
    const scale = window.devicePixelRatio;
    Object.assign(canvas, { width: width * scale, height: height * scale });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    paint(pen, rows, grid);
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return rows[Math.floor(y / grid.side) * grid.columns + Math.floor(x / grid.side)];
  };
  // What a click leads to is what was pointed at: a click's place is rounded, which may be another cell.
  let pointed;
  const pointAt = (event) => {
    pointed = at(event);
    point(label, pointed, event, element);
  };
  canvas.addEventListener("pointermove", pointAt);
  canvas.addEventListener("pointerleave", () => {
    pointed = undefined;
    label.hidden = true;
  });
  canvas.addEventListener("click", (event) => {
    const row = pointed ?? at(event);
    if (row) onChoose(row.id);
  });
  window.addEventListener("resize", draw, { signal });
  onTheme(draw, signal);
  return {
    element,
    /** Whether the pointer is on it: what is pointed at has to be what a click leads to. */
    get held() {
      return canvas.matches(":hover");
    },
    /** Shows `shown`, of `all` workloads: filtering does not make the picture come and go. */
    draw: (shown, all) => {
      rows = shown;
      element.hidden = all.length < FEWEST;
      mark(canvas, "aria-label", `${shown.length} workloads, worst first, as in the list below`);
      draw();
    },
  };
};

const paint = (pen, rows, { side, columns }) => {
  const colours = Object.fromEntries(Object.values(LOOKS).map(([name]) => [name, colour(name)]));
  const whole = side - 1;
  for (const [i, row] of rows.entries()) {
    const [name, share] = LOOKS[toneOf(row.problems)];
    const size = Math.max(1, Math.round(whole * share));
    const inset = (whole - size) / 2;
    pen.fillStyle = colours[name];
    pen.fillRect((i % columns) * side + inset, Math.floor(i / columns) * side + inset, size, size);
  }
};

const point = (label, row, event, element) => {
  label.hidden = !row;
  if (!row) return;
  say(label, `${row.namespace}/${row.name}: ${sentenceOf(row)}`);
  const box = element.getBoundingClientRect();
  const left = Math.min(event.clientX - box.left + 12, box.width - label.offsetWidth);
  label.style.transform = `translate(${Math.max(0, left)}px, ${event.clientY - box.top + 14}px)`;
};
