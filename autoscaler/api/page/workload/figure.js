// The picture of a workload's time: load with forecast and capacity above, replicas and decisions below.

import { fanTraces, loadTraces, peakTrace } from "./load_panel.js";
import { decisionTrace, replicaTraces } from "./replica_panel.js";
import { frame } from "./time_frame.js";

/**
 * What Plotly is to draw, on `width` pixels. shown: `past`, a series answer; `fan`, a forecast answer or null;
 * `fanIsNow`, whether that is the newest one; `decisions`; `workload`; `range`.
 */
export const figure = (shown, width) => ({
  data: [
    ...fanTraces(shown),
    ...loadTraces(shown, width),
    ...replicaTraces(shown, width),
    ...peakTrace(shown),
    decisionTrace(shown),
  ],
  layout: frame(shown),
});
