// How every chart looks: the page's own colours and type, few lines, no furniture.

import { colour } from "../themes.js";

/** Whether fingers point here: dragging then scrolls the page and does not zoom. */
export const touch = matchMedia("(pointer: coarse)").matches;

/** An axis; `extra` goes over it. */
export const axis = (extra = {}) => ({
  gridcolor: colour("grid"),
  linecolor: colour("rule"),
  zerolinecolor: colour("rule"),
  tickcolor: colour("rule"),
  tickfont: { color: colour("muted"), size: 11.5 },
  automargin: true,
  fixedrange: true,
  ...extra,
});

/** An axis of times, in the reader's zone: its values are what `onAxis` returns. */
export const timeAxis = (extra = {}) =>
  axis({
    type: "date",
    showgrid: false,
    fixedrange: false,
    tickformatstops: [
      { dtickrange: [null, 60_000], value: "%H:%M:%S" },
      { dtickrange: [60_000, 43_200_000], value: "%H:%M\n%a %e %b" },
      { dtickrange: [43_200_000, null], value: "%a %e %b" },
    ],
    ...extra,
  });

/** The title of an axis. */
export const titled = (text) => ({ text, font: { color: colour("muted"), size: 11.5 }, standoff: 6 });

/** A layout; `extra` goes over it. */
export const layout = (extra = {}) => ({
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  hovermode: "closest",
  showlegend: false,
  font: { family: getComputedStyle(document.body).fontFamily, color: colour("ink"), size: 12 },
  margin: { l: 8, r: 10, t: 10, b: 8 },
  hoverlabel: {
    bgcolor: colour("raised"),
    bordercolor: colour("rule"),
    font: { color: colour("ink"), size: 12.5 },
    align: "left",
  },
  dragmode: touch ? false : "zoom",
  ...extra,
});

export const config = {
  responsive: true,
  displaylogo: false,
  displayModeBar: false,
  showTips: false,
  doubleClick: false,
};

// Plotly reads some markup in texts; what comes from a cluster is shown as it is.
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** A text of any length as lines of about `width` characters, for a label in a chart. */
export const wrapped = (text, width = 64) => {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1) && lines.at(-1).length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] += lines.at(-1) ? ` ${word}` : word;
  }
  return lines.map(plain).join("<br>");
};
