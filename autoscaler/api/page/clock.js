// The time by the service's clock. The reader's own may be wrong, and a demonstration's runs ahead of both.

let aheadS = 0;
let newest = { atS: -Infinity, seen: 0 };

/** Epoch seconds, now. */
export const nowS = () =>
  Math.max(Date.now() / 1000 + aheadS, newest.atS + (performance.now() - newest.seen) / 1000);

/** Tells what an answer's `Date` header says; to the second, so less than two seconds are no difference. */
export const answeredAt = (date) => {
  const differsS = Date.parse(date) / 1000 - Date.now() / 1000;
  if (Number.isFinite(differsS)) aheadS = Math.abs(differsS) < 2 ? 0 : differsS;
};

/** Tells of a moment, in epoch seconds, that is over by the service's clock. */
export const hasBeen = (atS) => {
  if (atS > newest.atS) newest = { atS, seen: performance.now() };
};
