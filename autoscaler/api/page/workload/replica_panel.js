// Replicas over time, and the decisions that changed them.

import { onAxis } from "../charts/axis_times.js";
import { picked, stepped } from "../charts/lines.js";
import { wrapped } from "../charts/look.js";
import { thinned } from "../charts/thin.js";
import { guard } from "../decisions/words.js";
import { epoch } from "../moments.js";
import { colour } from "../themes.js";

// From so many on, marks are small.
const CROWDED = 80;

/** Ready, asked for and needed. */
export const replicaTraces = ({ past: { columns } }, width) => {
  const trace = (name, look) => ({
    ...picked(columns, thinned(columns[name], width), columns[name]),
    ...look,
    yaxis: "y2",
  });
  return [
    {
      ...trace("ready", stepped(colour("supply"), { width: 1.6 })),
      fill: "tozeroy",
      fillcolor: colour("supply-soft"),
    },
    trace("asked", stepped(colour("asked"), { width: 1.6 })),
    trace("needed", stepped(colour("demand"), { width: 1.1 })),
  ];
};

/** A mark for each decision that changed the count; its sentence when pointed at, its id when clicked. */
export const decisionTrace = ({ decisions }) => {
  const moved = decisions.filter(({ before, after }) => before !== after);
  const isOut = ({ before, after }) => after > before;
  const text = ({ sentence, reasons }) =>
    [wrapped(sentence), ...reasons.map((reason) => `· ${wrapped(guard(reason))}`)].join("<br>");
  return {
    x: moved.map(({ at }) => onAxis(epoch(at))),
    y: moved.map(({ after }) => after),
    yaxis: "y2",
    mode: "markers",
    customdata: moved.map(({ id }) => id),
    text: moved.map(text),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      symbol: moved.map((one) => (isOut(one) ? "triangle-up" : "triangle-down")),
      size: moved.length > CROWDED ? 5 : 9,
      color: moved.map((one) => colour(isOut(one) ? "asked" : "muted")),
      line: { width: 1, color: colour("card") },
    },
  };
};
