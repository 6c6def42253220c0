// Which forecast is drawn as a fan: the newest, or one that was made earlier, beside what really came.

import { set } from "../address.js";
import { nowS } from "../clock.js";
import { get, workloadResource } from "../api.js";
import { el, put } from "../element.js";
import { icon } from "../icons.js";
import { epoch, rfc3339, timeElement } from "../moments.js";

const STEP_S = 300;

/** `read(at)` resolves to the forecast made at or before `at`, the newest without it, or null where there is none. */
export const fanSteps = (namespace, name, signal) => {
  let shownS = null;
  const words = el("span", { class: "muted" });
  const move = (by) => set({ fan: rfc3339((shownS ?? nowS()) + by) });
  const newest = el("button", { type: "button", onclick: () => set({ fan: null }) }, "Newest");
  const element = el(
    "div",
    { class: "row fans", role: "group", "aria-label": "Which forecast is drawn" },
    words,
    el(
      "div",
      { class: "segments" },
      el(
        "button",
        {
          type: "button",
          "aria-label": "The forecast before",
          title: "The forecast before",
          onclick: () => move(-1),
        },
        icon("Back"),
      ),
      el(
        "button",
        {
          type: "button",
          "aria-label": "A later forecast",
          title: "A later forecast",
          onclick: () => move(STEP_S + 1),
        },
        icon("Forward"),
      ),
      newest,
    ),
  );
  return {
    element,
    read: async (at) => {
      try {
        return await get(
          workloadResource(namespace, name, `forecasts/${at ? encodeURIComponent(at) : "latest"}`),
          {},
          signal,
        );
      } catch (problem) {
        // A workload without a forecast still has a load to show.
        if (problem.status === 404) return null;
        throw problem;
      }
    },
    draw: (at, fan) => {
      shownS = fan ? epoch(fan.madeAt) : null;
      newest.setAttribute("aria-pressed", String(!at));
      if (fan) put(words, "Forecast of ", timeElement(fan.madeAt), ` by ${fan.model}`);
      else put(words, at ? "No forecast was made before that" : "No forecast yet");
    },
  };
};
