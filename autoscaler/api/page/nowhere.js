// Addresses that lead nowhere, and pages that are older than the service.

import { el, put } from "./element.js";

/** Nothing is at this address. */
export const open = (root) => {
  document.title = "Not there – Predictive autoscaler";
  put(
    root,
    el(
      "section",
      { class: "empty" },
      el("h1", {}, "Nothing is here"),
      el("p", {}, "The address names no view of this page."),
      el("p", {}, el("a", { href: "/" }, "To the fleet")),
    ),
  );
  return () => {};
};

/** The view's code is gone from the service. */
export const outdated = (root) => {
  put(
    root,
    el(
      "section",
      { class: "empty" },
      el("h1", {}, "This page is older than the service"),
      el("p", {}, "A newer release answers now."),
      el("p", {}, el("button", { type: "button", onclick: () => location.reload() }, "Load it again")),
    ),
  );
  return () => {};
};
