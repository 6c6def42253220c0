// Numbers as people read them. Unknown is a dash, never 0.

export const UNKNOWN = "–";

const known = (value) =>
  value !== null && value !== undefined && value !== "" && Number.isFinite(Number(value));

const grouped = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const coarse = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

/** A count: whole, thousands grouped. */
export const count = (value) => (known(value) ? grouped.format(value) : UNKNOWN);

// Written by ourselves: in some languages a browser's own short form of a million is an m, which reads as milli.
const PREFIXES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** A load or another measured quantity, three significant digits. */
export const amount = (value) => {
  if (!known(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size < 100) return coarse.format(value);
  if (size < 100_000) return grouped.format(value);
  const [unit, prefix] = PREFIXES.find(([least]) => size >= least);
  return `${coarse.format(value / unit)} ${prefix}`;
};

/** Money, in whatever the replica's price is stated in. */
export const money = (value) => {
  if (!known(value)) return UNKNOWN;
  const digits = Math.abs(value) >= 1000 ? 0 : 2;
  return Number(value).toLocaleString(undefined, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
};

/** A share of one as per cent. What is more than nothing is not shown as nothing. */
export const percent = (value, digits = 1) => {
  if (!known(value)) return UNKNOWN;
  const least = 10 ** -digits;
  const size = Number(value) * 100;
  const shown = (number) => number.toLocaleString(undefined, { maximumFractionDigits: digits });
  return size > 0 && size < least / 2 ? `< ${shown(least)} %` : `${shown(size)} %`;
};

/** `one thing`, `3 things`; `shown` writes the number. */
export const plural = (number, one, shown = count) => `${shown(number)} ${number === 1 ? one : `${one}s`}`;

/** Seconds as `45 s`, `3 min`, `2 h 5 min`, `4 d`. */
export const duration = (seconds) => {
  if (!known(seconds)) return UNKNOWN;
  const size = Math.max(0, Number(seconds));
  if (size < 90) return `${size < 10 ? Math.round(size * 10) / 10 : Math.round(size)} s`;
  const minutes = Math.round(size / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(minutes / 1440)} d`;
};
