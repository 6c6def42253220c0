// Small pictures, each a shape of its own: nothing is told by colour alone.

import { svg } from "./element.js";

const STROKE = {
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 1.6,
  "stroke-linecap": "round",
  "stroke-linejoin": "round",
};

// Each on a field of 16 by 16: `solid` is filled, `line` is drawn.
const SHAPES = {
  Short: { solid: "M8 1 15.5 14.5H.5ZM7.2 6v4h1.6V6Zm0 5.2v1.6h1.6v-1.6Z" },
  WillBeShort: { line: "M1.5 12 6 7.5l3 2.5 5-6M10 4h4v4" },
  AtMax: { line: "M2 2h12M8 14V6M4.5 9 8 5.5 11.5 9" },
  UnhealthySignal: { line: "M1 9h2.5l2-5 3 9 2-4H15" },
  OverBudget: {
    line: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2ZM8 4.5v7M10 6c-1-1-4-1-4 .6s4 1.2 4 2.8-3 1.6-4 .6",
  },
  Conflict: { line: "M1.5 5H9M6.5 2 9.5 5l-3 3M14.5 11H7M9.5 8l-3 3 3 3" },
  Fallback: { line: "M1.5 12 6 8M9 8h.1M12 8h.1M15 8h-.1" },
  Stale: { line: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2ZM8 5v3.5l2.5 1.5" },
  Wasting: { line: "M8 2v9M4 7.5 8 11l4-3.5M3 14h10" },
  Invalid: { line: "M3 1.5h7l3 3v10H3ZM6 7l4 4M10 7l-4 4" },
  Fine: { line: "M3 8.5 6.5 12 13 4.5" },
  // What a decision did.
  Out: { solid: "M8 2.5 14 10H2Z" },
  In: { solid: "M8 13.5 2 6h12Z" },
  Keep: { line: "M3 6h10M3 10h10" },
  // Of the page itself.
  Close: { line: "M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5" },
  Back: { line: "M10 3 5 8l5 5" },
  Forward: { line: "M6 3l5 5-5 5" },
  Search: { line: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5 14 14" },
  Copy: { line: "M5.5 5.5h8v8h-8ZM3.5 10.5h-1v-8h8v1" },
  Hold: { line: "M4 7V5a4 4 0 0 1 8 0v2M3 7h10v7H3Z" },
  Sun: {
    line: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  },
  Moon: { line: "M13.5 9.5A6 6 0 1 1 6.5 2.5a5 5 0 0 0 7 7Z" },
  System: { line: "M1.5 2.5h13v9h-13ZM5.5 14h5" },
};

/** The picture called `name`. It is decoration: words stand beside it, or a label on what holds it. */
export const icon = (name) => {
  const { solid, line } = SHAPES[name];
  const path = solid ? { d: solid, fill: "currentColor", "fill-rule": "evenodd" } : { d: line, ...STROKE };
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", path));
};

/** Makes a picture that `icon` made show another one. */
export const redraw = (picture, name) => picture.replaceChildren(...icon(name).childNodes);
