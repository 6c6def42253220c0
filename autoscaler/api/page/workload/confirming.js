// Asking once more before something is changed.

import { el } from "../element.js";

/** Resolves to whether the reader agrees; Escape and the first button do not. */
export const confirmed = (title, text, agree) =>
  new Promise((resolve) => {
    const dialog = el(
      "dialog",
      { "aria-labelledby": "confirm-title" },
      el(
        "form",
        { method: "dialog" },
        el("h2", { id: "confirm-title" }, title),
        el("p", {}, text),
        el(
          "div",
          { class: "row end" },
          el("button", { value: "no" }, "Leave it"),
          el("button", { value: "yes", class: "main" }, agree),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
