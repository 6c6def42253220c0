// Light, dark, or as the system has it; charts are told when it changes.

import { mark } from "./element.js";
import { icon, redraw } from "./icons.js";

const NEXT = { system: "light", light: "dark", dark: "system" };
const PICTURES = { system: "System", light: "Sun", dark: "Moon" };
const WORDS = { system: "as the system", light: "light", dark: "dark" };

const listeners = new Set();
const tell = () => listeners.forEach((listener) => listener());

const keep = (theme) => {
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage may be forbidden; then the choice holds until the page is left.
  }
};

/** Makes `button` step through the three. */
export const startTheme = (button) => {
  let theme = document.documentElement.dataset.theme ?? "system";
  const picture = icon(PICTURES[theme]);
  const label = () => mark(button, "aria-label", `Colours: ${WORDS[theme]}. Change`);
  button.append(picture);
  label();
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    keep(theme);
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    redraw(picture, PICTURES[theme]);
    label();
    tell();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
};

/** Calls `listener` when the colours have changed. */
export const onTheme = (listener, signal) => {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
};

const probe = document.createElement("span");
probe.hidden = true;

/** What a colour of the style sheet, such as `demand`, is at present, in a form that needs no style sheet. */
export const colour = (name) => {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
};
