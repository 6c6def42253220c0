// The fleet as the service tells it, in columns, made into rows; which of them are shown, and in which order.

import { get } from "../api.js";
import { hasBeen, nowS } from "../clock.js";
import { epoch } from "../moments.js";

const COLUMNS = [
  "load",
  "forecast",
  "ready",
  "current",
  "desired",
  "needed",
  "min",
  "max",
  "spendToday",
  "dailyBudget",
  "severity",
];

let kept = { labels: "", rows: null };

/** The rows that were last read with this label selector; null if none were. */
export const lastRows = (labels) => (kept.labels === labels ? kept.rows : null);

/** Reads the whole fleet that the caller may see. Rejects as `get` does. */
export const readRows = async (labels, signal) => {
  const { columns, metadata } = await get("/fleet", { labelSelector: labels }, signal);
  const rows = columns.name.map((name, i) => {
    const row = { name, namespace: columns.namespace[i], id: `${columns.namespace[i]}/${name}` };
    for (const column of COLUMNS) row[column] = number(columns[column]?.[i]);
    for (const column of ["mode", "loadState", "reason", "priority", "at", "decision"])
      row[column] = columns[column]?.[i] ?? "";
    row.problems = columns.problems[i] ?? [];
    row.text = row.id.toLowerCase();
    return row;
  });
  hasBeen(newestOf(rows) ?? 0);
  kept = { labels, rows };
  return { rows, metadata: metadata ?? {} };
};

// Money comes as text.
const number = (value) => (value === null || value === undefined || value === "" ? null : Number(value));

const newestOf = (rows) => {
  const times = rows.map((row) => epoch(row.at)).filter((atS) => atS !== null);
  return times.length ? times.reduce((a, b) => Math.max(a, b)) : null;
};

/** How old the newest of all states is, in seconds, null of an empty fleet; and whether the store cannot be read. */
export const ageOf = (rows, { outdatedSince }) => {
  if (outdatedSince) return [nowS() - epoch(outdatedSince), true];
  const newest = newestOf(rows);
  return [newest === null ? null : Math.max(0, nowS() - newest), false];
};

/** Those rows that the filters of the address let through. Each word of `q` has to occur in namespace/name. */
export const chosen = (rows, { q = "", namespace, problem, mode, priority }) => {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(
    (row) =>
      (!namespace || row.namespace === namespace) &&
      (!mode || row.mode === mode) &&
      (!priority || row.priority === priority) &&
      (!problem || (problem === "any" ? row.problems.length > 0 : row.problems.includes(problem))) &&
      words.every((word) => row.text.includes(word)),
  );
};

const downwards = (column) => (a, b) => (b[column] ?? -Infinity) - (a[column] ?? -Infinity);
const byName = (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const ORDERS = {
  worst: downwards("severity"),
  name: byName,
  load: downwards("load"),
  ready: downwards("ready"),
  spend: downwards("spendToday"),
};

/** Sorted anew: worst first, or as `sort` says. Equals stand by name, so that they do not swap places. */
export const sorted = (rows, sort) => {
  const order = ORDERS[sort] ?? ORDERS.worst;
  return rows.slice().sort((a, b) => order(a, b) || byName(a, b));
};

/** In the order of the ids `before`; rows that are new stand at the end. */
export const inOrderOf = (rows, before) => {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const held = [];
  for (const id of before) {
    if (byId.has(id)) held.push(byId.get(id));
    byId.delete(id);
  }
  return held.concat([...byId.values()]);
};
