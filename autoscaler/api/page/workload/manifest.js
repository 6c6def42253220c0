// The resource as it stands in the cluster.

import { copyButton } from "../copying.js";
import { el, put } from "../element.js";
import { nothing } from "../notice.js";

/** Fills `place` from a workload. */
export const drawManifest = (place, { manifest }) => {
  if (!manifest) return put(place, nothing("The operator has not seen the resource yet."));
  // JSON is YAML too, so kubectl takes it as it is.
  const text = JSON.stringify(manifest, null, 2);
  put(
    place,
    el(
      "div",
      { class: "code" },
      el("pre", { tabindex: "0", "aria-label": "The manifest" }, text),
      copyButton(() => text),
    ),
  );
};
