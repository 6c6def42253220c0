// Times on an axis. Plotly draws every time as UTC; so that the reader's own clock is drawn, times are given to it
// as if that clock showed UTC, each with the difference that held at that time.

const offsetMs = (ms) => new Date(ms).getTimezoneOffset() * 60_000;

/** Where epoch seconds stand on an axis. */
export const onAxis = (atS) => atS * 1000 - offsetMs(atS * 1000);

/** Epoch seconds of a place on an axis: a number, or a text as Plotly tells it. */
export const offAxis = (place) => {
  const ms = typeof place === "number" ? place : Date.parse(`${place.replace(" ", "T").slice(0, 23)}Z`);
  const guess = ms + offsetMs(ms);
  return (ms + offsetMs(guess)) / 1000;
};
