// Draws one forecast fan from the JSON element of its page.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

const gaps = (values) => Array.from(values, (value) => (isFinite(value) ? value : null));
const timesOf = (part, length) => Array.from({ length }, (_, i) => part.startMs + i * part.stepMs);

const draw = () => {
  const { past, ahead } = data;
  const load = gaps(numbers(past.load, Float32Array)), median = gaps(numbers(ahead.median, Float32Array));
  const bands = ahead.values.map((text) => gaps(numbers(text, Float32Array)));
  const x = timesOf(ahead, median.length);
  const traces = ahead.pairs.flatMap(([low, high]) => {
    const name = `${ahead.levels[low]} to ${ahead.levels[high]}`;
    const edge = { x, mode: "lines", line: { width: 0, color: colour("ours") }, legendgroup: name };
    return [
      Object.assign({ y: bands[low], name: `quantile ${ahead.levels[low]}`, showlegend: false }, edge,
        { hovertemplate: `${ahead.levels[low]}: %{y:,.4~g}<extra></extra>` }),
      Object.assign({ y: bands[high], name, fill: "tonexty", fillcolor: colour("band") }, edge,
        { hovertemplate: `${ahead.levels[high]}: %{y:,.4~g}<extra></extra>` }),
    ];
  });
  traces.push({ x, y: median, name: "median", mode: "lines", line: { color: colour("ours"), width: 2 }, hovertemplate: "median %{y:,.4~g}<extra></extra>" });
  traces.push({ x: timesOf(past, load.length), y: load, name: "recorded", mode: "lines", line: { color: colour("load"), width: 1.2 },
    hovertemplate: "%{y:,.4~g}<extra></extra>" });
  Plotly.react("fan", traces, layout({ hovermode: "x", xaxis: axis({ type: "date" }),
    yaxis: axis({ rangemode: "tozero", title: titled("load"), fixedrange: true }) }), config);
};

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
