// A part of a view with a title of its own, which may fail without taking the rest along.

import { el, put } from "./element.js";
import { inOneLine, nothing } from "./notice.js";

let made = 0;

/** `{element, body, beside}`: the card, where its content goes, and a place at the right of its title. */
export const card = (title, { help = "", className = "" } = {}) => {
  const id = `card-${(made += 1)}`;
  const body = el("div", { class: "body" }, nothing("Loading…"));
  const beside = el("div", { class: "beside" });
  const element = el(
    "section",
    { class: `card ${className}`, "aria-labelledby": id },
    el("header", {}, el("h2", { id }, title), beside, help && el("p", { class: "help" }, help)),
    body,
  );
  return { element, body, beside };
};

/** Draws what `read` resolves to; says in the card why it cannot, unless something stands there already. */
export const fillCard = async ({ body }, read, draw, signal) => {
  try {
    const answer = await read();
    if (!signal.aborted) draw(answer);
    body.dataset.drawn = "";
  } catch (problem) {
    if (signal.aborted) return;
    if (!problem.status && problem.status !== 0) throw problem;
    if (!("drawn" in body.dataset))
      put(body, el("p", { class: "empty small", role: "alert" }, inOneLine(problem)));
  }
};
