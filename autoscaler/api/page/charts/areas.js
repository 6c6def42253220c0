// Areas between two stepped lines, as outlines that Plotly fills. Filling "to the next line" would span gaps.

/**
 * `{x, y}` of one outline for each run of steps in which both `lower` and `upper` are known and differ; null between
 * them. `places` are the beginnings of the steps on the axis, `widthMs` the length of one.
 */
export const between = (places, lower, upper, widthMs) => {
  const x = [];
  const y = [];
  const known = (i) => lower[i] !== null && upper[i] !== null && upper[i] > lower[i];
  const ends = (i) =>
    i + 1 < places.length ? Math.min(places[i + 1], places[i] + 2 * widthMs) : places[i] + widthMs;
  for (let from = 0; from < places.length; from++) {
    if (!known(from)) continue;
    let to = from;
    while (to + 1 < places.length && known(to + 1)) to++;
    for (let i = from; i <= to; i++) {
      x.push(places[i], ends(i));
      y.push(upper[i], upper[i]);
    }
    for (let i = to; i >= from; i--) {
      x.push(ends(i), places[i]);
      y.push(lower[i], lower[i]);
    }
    x.push(places[from], null);
    y.push(upper[from], null);
    from = to;
  }
  return { x, y };
};
