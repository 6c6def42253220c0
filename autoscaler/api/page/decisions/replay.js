// Deciding again from the stored inputs with the present code.

import { get } from "../api.js";
import { el, put } from "../element.js";
import { icon } from "../icons.js";
import { inOneLine } from "../notice.js";
import { plural } from "../numbers.js";

/** A button that replays the decision `id` and says how the two differ. */
export const replayButton = (id, signal) => {
  const result = el("div", { role: "status" });
  const button = el("button", { type: "button" }, "Replay");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      put(result, told(await get(`/decisions/${encodeURIComponent(id)}/replay`, {}, signal)));
    } catch (problem) {
      if (!signal.aborted) put(result, inOneLine(problem));
    }
    button.disabled = false;
  });
  return el("div", { class: "replay" }, button, result);
};

const told = ({ same, differences, recomputed }) =>
  same
    ? el("p", { "data-tone": "fine" }, icon("Fine"), " The same, in every part.")
    : [
        el(
          "p",
          { "data-tone": "warn" },
          icon("WillBeShort"),
          ` It now decides ${plural(recomputed.replicas, "replica")}. Different: ${differences.join(", ")}.`,
        ),
        el("p", { class: "sentence" }, recomputed.sentence),
      ];
