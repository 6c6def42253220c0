// One line across the page while what it shows cannot be trusted to be current.

import { el, put } from "./element.js";
import { duration } from "./numbers.js";

const OLD_S = 60;

let place = null;
let lastGood = performance.now();
let failure = null;
let dataAge = null;

const since = (moment) => duration((performance.now() - moment) / 1000);

const sentence = () => {
  if (failure) {
    const what = failure.status === 0 ? "The service cannot be reached." : "The service cannot read its store at present.";
    return `${what} What you see is ${since(lastGood)} old. Trying again by itself.`;
  }
  if (!dataAge) return "";
  const ageS = dataAge.ageS + (performance.now() - dataAge.seen) / 1000;
  if (ageS < OLD_S) return "";
  return `Nothing new has come from the operator for ${duration(ageS)}. What you see is that old. See whether it runs and can write to its store.`;
};

const draw = () => {
  const text = sentence();
  place.hidden = !text;
  if (text && place.textContent !== text) put(place, el("p", {}, text));
};

/** Where the line goes. */
export const startBanner = (element) => {
  place = element;
  setInterval(draw, 1000);
};

/** Tells of an answer: a problem, or null after a good one. */
export const answered = (problem) => {
  if (problem && problem.status !== 0 && problem.status < 500) return;
  failure = problem;
  if (!problem) lastGood = performance.now();
  draw();
};

/** Tells how old the newest of all data is, in seconds; null when that is not known. */
export const newest = (ageS) => {
  dataAge = ageS === null ? null : { ageS, seen: performance.now() };
  draw();
};
