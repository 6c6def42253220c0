// Fewer points than there are, where a screen could not show them all.

/**
 * Indices of `values` to draw, at most about two for each of `buckets`: in each the lowest and the highest, so that
 * no peak is lost. Missing values (null) stay where a whole bucket is missing, as a gap.
 */
export const thinned = (values, buckets) => {
  const length = values.length;
  if (length <= 2 * buckets) return values.map((_, i) => i);
  const kept = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * length) / buckets);
    const to = Math.floor(((bucket + 1) * length) / buckets);
    let low = -1;
    let high = -1;
    for (let i = from; i < to; i++) {
      if (values[i] === null) continue;
      if (low < 0 || values[i] < values[low]) low = i;
      if (high < 0 || values[i] > values[high]) high = i;
    }
    if (low < 0) kept.push(from);
    else kept.push(...new Set([Math.min(low, high), Math.max(low, high)]));
  }
  if (kept.at(-1) !== length - 1) kept.push(length - 1);
  return kept;
};
