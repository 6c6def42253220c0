// Instants and ranges of time: shown in the reader's own zone, with UTC beside it, and written into the address.

import { nowS } from "./clock.js";
import { el } from "./element.js";
import { UNKNOWN, duration } from "./numbers.js";

const DAY_S = 86_400;

/** Ranges that end now, by the name they have in the address, in seconds. */
export const SPANS = {
  "1h": 3600,
  "6h": 6 * 3600,
  "24h": DAY_S,
  "3d": 3 * DAY_S,
  "7d": 7 * DAY_S,
  "30d": 30 * DAY_S,
};

/** The reader's zone as its name and as it differs from UTC now, such as `Europe/Berlin, UTC+01:00`. */
export const zoneName = () => {
  const offset = -new Date().getTimezoneOffset();
  const size = Math.abs(offset);
  const two = (number) => String(number).padStart(2, "0");
  const differs = offset
    ? `UTC${offset < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`
    : "UTC";
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name && name !== "UTC" ? `${name}, ${differs}` : differs;
};

/** Epoch seconds of an RFC 3339 text or a number; null of nothing. */
export const epoch = (time) => {
  if (time === null || time === undefined || time === "") return null;
  if (typeof time === "number" || /^-?\d+(\.\d+)?$/.test(time)) return Number(time);
  const at = Date.parse(time);
  return Number.isNaN(at) ? null : at / 1000;
};

/** RFC 3339 in UTC, to the second. */
export const rfc3339 = (atS) => new Date(Math.round(atS) * 1000).toISOString().replace(".000Z", "Z");

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const shortClock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const DAY_AND_CLOCK = {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
};
const dayAndClock = new Intl.DateTimeFormat(undefined, DAY_AND_CLOCK);
const yearAndClock = new Intl.DateTimeFormat(undefined, { ...DAY_AND_CLOCK, year: "numeric" });

const today = (at) => at.toDateString() === new Date(nowS() * 1000).toDateString();
const thisYear = (at) => at.getFullYear() === new Date(nowS() * 1000).getFullYear();

const formatted = (atS, ofToday) => {
  const at = new Date(atS * 1000);
  return (today(at) ? ofToday : thisYear(at) ? dayAndClock : yearAndClock).format(at);
};

/** Time of day, with the day unless it is today, and the year unless it is this one. */
export const shortTime = (atS) => formatted(atS, shortClock);

const longTime = (atS) => formatted(atS, clock);

/** A `time` element: the reader's zone, and UTC when pointed at. */
export const timeElement = (time) => {
  const atS = epoch(time);
  if (atS === null) return el("span", {}, UNKNOWN);
  const utc = rfc3339(atS);
  return el("time", { datetime: utc, title: utc.replace("T", " ").replace("Z", " UTC") }, longTime(atS));
};

/** How long ago, in words. */
export const ago = (time) => {
  const atS = epoch(time);
  return atS === null ? UNKNOWN : `${duration(nowS() - atS)} ago`;
};

/**
 * The range that the address's parameters ask for: `{startS, endS, live, span}`. `range=6h` ends now and moves
 * on; `start` and `end` stay where they are.
 */
export const rangeOf = (params, otherwise = "6h") => {
  const now = nowS();
  const startS = epoch(params.start);
  const endS = epoch(params.end);
  if (startS !== null && endS !== null && startS < endS) return { startS, endS, live: false, span: null };
  const span = params.range in SPANS ? params.range : otherwise;
  return { startS: now - SPANS[span], endS: now, live: true, span };
};

/** A range as parameters of a question. One that ends now has no end: what has just happened belongs to it. */
export const bounds = ({ startS, endS, live }) => ({
  start: rfc3339(startS),
  end: live ? null : rfc3339(endS),
});

/** What of the address a fixed range is: set these parameters. */
export const fixedRange = (startS, endS) => ({ range: null, start: rfc3339(startS), end: rfc3339(endS) });
