// One line across the page while what it shows cannot be trusted to be current.

import { el, put } from "./element.js";
import { duration } from "./numbers.js";

// States are renewed every minute, even of workloads where nothing happens.
const OLD_S = 150;

let place = null;
let lastGood = performance.now();
let failure = null;
let fleet = null;

const since = (moment) => duration((performance.now() - moment) / 1000);

const sentence = () => {
  if (failure) {
    const what =
      failure.status === 0 ? "The service cannot be reached." : "The service cannot answer at present.";
    return `${what} What you see is ${since(lastGood)} old. Trying again by itself.`;
  }
  if (!fleet) return "";
  const ageS = fleet.ageS + (performance.now() - fleet.seen) / 1000;
  if (fleet.isUnread) {
    return `The store of decisions cannot be read. What you see is ${duration(ageS)} old. Scaling goes on without it.`;
  }
  if (ageS < OLD_S) return "";
  return `Nothing new has come from the operator for ${duration(ageS)}. See whether it runs, leads and can write to its store.`;
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

/**
 * Tells how old what is shown of the fleet is, in seconds; null when that is not known. isUnread: because the
 * service cannot read the store.
 */
export const fleetIs = (ageS, isUnread = false) => {
  fleet = ageS === null ? null : { ageS, isUnread, seen: performance.now() };
  draw();
};
