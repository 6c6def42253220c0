// Drawing pieces shared by the pages: colours from the style sheet, thinning, Plotly defaults.
"use strict";

const numbers = (text, Kind) => {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
};

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

const touch = matchMedia("(pointer: coarse)").matches;

const narrow = () => window.innerWidth < 640;

// Plotly reads some markup in texts; names and sentences come from outside and are shown as they are.
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const wrapped = (text, width) => {
  const lines = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + word.length >= width) { lines.push(plain(line)); line = word; }
    else line = line ? line + " " + word : word;
  }
  return lines.concat(plain(line)).join("<br>");
};

const figure = (value) => value === null || !isFinite(value) ? "–"
  : value.toLocaleString("en", { maximumSignificantDigits: 4 });

const span = (minutes) => minutes < 60 ? `${+minutes.toFixed(1)} min` : `${(minutes / 60).toFixed(1)} h`;

// Positions at which to cut [0, length) so that the view is fine and the rest, which only the
// overview strip shows, is coarse.
const cuts = (length, view, wanted) => {
  const [from, to] = view;
  const fine = Math.max(1, Math.floor((to - from) / wanted));
  const coarse = Math.max(fine, Math.floor(length / 700), 1);
  const at = [];
  for (let i = 0; i < from; i += coarse) at.push(i);
  for (let i = from; i < to; i += fine) at.push(i);
  for (let i = to; i < length; i += coarse) at.push(i);
  at.push(length);
  return { at, fine };
};

// Lowest and highest value of each piece, in the order in which they occur. Missing stays a gap.
const thinned = (values, at, timeOf) => {
  const x = [], y = [];
  for (let k = 0; k + 1 < at.length; k++) {
    let low = -1, high = -1;
    for (let i = at[k]; i < at[k + 1]; i++) {
      const value = values[i];
      if (value !== value) continue;
      if (low < 0 || value < values[low]) low = i;
      if (high < 0 || value > values[high]) high = i;
    }
    if (low < 0) { x.push(timeOf(at[k])); y.push(null); continue; }
    const first = Math.min(low, high), second = Math.max(low, high);
    x.push(timeOf(first)); y.push(values[first]);
    if (second !== first) { x.push(timeOf(second)); y.push(values[second]); }
  }
  const last = at[at.length - 1];
  x.push(timeOf(last)); y.push(y.length ? y[y.length - 1] : null);
  return { x, y };
};

const axis = (extra) => Object.assign({
  gridcolor: colour("grid"), linecolor: colour("rule"), zerolinecolor: colour("grid"),
  tickfont: { color: colour("muted") }, automargin: true,
}, extra);

const titled = (text) => ({ text, font: { color: colour("muted"), size: 12 } });

const layout = (extra) => Object.assign({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", uirevision: "kept", hovermode: "closest",
  font: { family: getComputedStyle(document.body).fontFamily, color: colour("ink"), size: 12 },
  margin: { l: 8, r: 12, t: 8, b: 8 },
  legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { color: colour("ink") } },
  hoverlabel: { bgcolor: colour("card"), bordercolor: colour("rule"), font: { color: colour("ink") }, align: "left" },
  modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("muted"), activecolor: colour("ink"), orientation: "v" },
  dragmode: touch ? false : "zoom",
}, extra);

const config = { responsive: true, displaylogo: false, showTips: false, displayModeBar: touch ? false : "hover",
  modeBarButtons: [["zoomIn2d", "zoomOut2d", "pan2d", "zoom2d", "toImage"]] };
