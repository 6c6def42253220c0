// Copying a text, also where the browser keeps its clipboard to secure pages.

import { el, say } from "./element.js";
import { icon } from "./icons.js";

const DONE_MS = 2_000;

const throughSelection = (text) => {
  const area = el("textarea", { class: "unseen", value: text, "aria-hidden": "true" });
  document.body.append(area);
  area.select();
  // Deprecated, and the only way without https.
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
};

const copied = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return throughSelection(text);
  }
};

/** A button that copies what `textOf` returns and says whether that worked. */
export const copyButton = (textOf, label = "Copy") => {
  const words = el("span", {}, label);
  const button = el("button", { type: "button", class: "copy" }, icon("Copy"), words);
  button.addEventListener("click", async () => {
    say(words, (await copied(textOf())) ? "Copied" : "Not allowed: select it");
    setTimeout(() => say(words, label), DONE_MS);
  });
  return button;
};
