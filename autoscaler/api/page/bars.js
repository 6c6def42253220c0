// A workload's replicas as one small picture: what is ready, needed and desired between minimum and maximum.

import { mark, svg } from "./element.js";

const WIDTH = 200;
const HEIGHT = 16;

const at = (value, most) => Math.min(WIDTH, (value / most) * WIDTH);

/** An empty picture for `drawBars`. */
export const bars = () =>
  svg(
    "svg",
    {
      class: "bars",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    svg("rect", { class: "track", x: 0, y: 5, width: WIDTH, height: 6 }),
    svg("rect", { class: "allowed", y: 5, height: 6 }),
    svg("rect", { class: "ready", x: 0, y: 5, height: 6 }),
    svg("rect", { class: "lacking", y: 5, height: 6 }),
    svg("rect", { class: "needed", y: 1, width: 2.5, height: 14 }),
    svg("path", { class: "desired" }),
  );

/** Draws one row. What is unknown is not drawn. */
export const drawBars = (picture, { ready, needed, desired, min, max }) => {
  const [, allowed, readyBar, lacking, neededMark, desiredMark] = picture.children;
  const most = Math.max(1, max ?? 0, ready ?? 0, needed ?? 0, desired ?? 0);
  mark(allowed, "x", at(min ?? 0, most));
  mark(allowed, "width", Math.max(0, at(max ?? 0, most) - at(min ?? 0, most)));
  mark(readyBar, "width", at(ready ?? 0, most));
  const short = ready !== null && needed !== null && needed > ready;
  mark(lacking, "x", at(ready ?? 0, most));
  mark(lacking, "width", short ? at(needed, most) - at(ready, most) : 0);
  mark(neededMark, "visibility", needed === null ? "hidden" : "visible");
  mark(neededMark, "x", Math.max(0, Math.min(WIDTH - 2.5, at(needed ?? 0, most) - 1.25)));
  mark(desiredMark, "visibility", desired === null ? "hidden" : "visible");
  const x = Math.max(4, Math.min(WIDTH - 4, at(desired ?? 0, most)));
  mark(desiredMark, "d", `M${x - 4} 0h8l-4 5Z`);
};
