// Stepped lines: a value holds from its own moment until the next.

import { onAxis } from "./axis_times.js";

/** How a stepped line is drawn; `line` goes over it. */
export const stepped = (color, line = {}) => ({
  mode: "lines",
  hoverinfo: "skip",
  line: { shape: "hv", width: 1.4, color, ...line },
});

/** An outline that `between` made, filled. */
export const filled = (outline, color) => ({
  ...outline,
  mode: "lines",
  hoverinfo: "skip",
  fill: "toself",
  fillcolor: color,
  line: { width: 0 },
});

/** `{x, y}` of those `values` whose indices are given, at their columns' timestamps. */
export const picked = (columns, indices, values) => ({
  x: indices.map((i) => onAxis(columns.timestamp[i])),
  y: indices.map((i) => values[i]),
});

/** A rectangle or line over the whole height of a figure, between two places in time. */
export const upright = (type, fromS, toS, look) => ({
  type,
  xref: "x",
  yref: "paper",
  x0: onAxis(fromS),
  x1: onAxis(toS),
  y0: 0,
  y1: 1,
  layer: type === "rect" ? "below" : "above",
  line: { width: 0 },
  ...look,
});

/** Words above a figure, at a place in time. */
export const above = (atS, text, look = {}) => ({
  x: onAxis(atS),
  y: 1,
  xref: "x",
  yref: "paper",
  text,
  showarrow: false,
  xanchor: "left",
  yanchor: "bottom",
  ...look,
});
