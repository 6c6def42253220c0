// What narrows the decisions down: whose they are, and which guard changed them.

import { set } from "../address.js";
import { el, put } from "../element.js";
import { lastRows, readRows } from "../fleet/rows.js";
import { GUARDS, guard } from "./words.js";

const MOST_SUGGESTIONS = 1_000;

// `shop/checkout` is a workload, `shop` a namespace, and so is a name that several workloads have.
const meant = (text, rows) => {
  const [namespace, workload] = text.trim().split("/");
  if (workload !== undefined) return { namespace, workload };
  const named = rows.filter((row) => row.name === namespace);
  const isSpace = rows.some((row) => row.namespace === namespace);
  return named.length === 1 && !isSpace
    ? { namespace: named[0].namespace, workload: namespace }
    : { namespace, workload: null };
};

/** The form; `draw(params)` shows what the address says. */
export const decisionFilters = (signal) => {
  let rows = [];
  const known = el("datalist", { id: "whose" });
  const whose = el("input", {
    type: "search",
    list: "whose",
    placeholder: "Namespace, or namespace/workload",
    "aria-label": "Namespace, or namespace/workload",
    autocomplete: "off",
    spellcheck: "false",
    onchange: () => set(meant(whose.value, rows)),
  });
  const reason = el(
    "select",
    { "aria-label": "Guard", onchange: () => set({ reason: reason.value }) },
    el("option", { value: "" }, "Any guard, or none"),
    Object.keys(GUARDS).map((code) => el("option", { value: code }, guard(code))),
  );
  const suggest = async () => {
    // Without suggestions the field works as well.
    rows = lastRows("") ?? (await readRows("", signal).catch(() => ({ rows: [] }))).rows;
    const names = [...new Set(rows.map((row) => row.namespace)), ...rows.map((row) => row.id)].sort();
    put(
      known,
      names.slice(0, MOST_SUGGESTIONS).map((value) => el("option", { value })),
    );
  };
  suggest();
  return {
    element: el("div", { class: "filters", role: "search" }, whose, reason, known),
    draw: ({ namespace = "", workload, reason: code = "" }) => {
      whose.value = workload ? `${namespace}/${workload}` : namespace;
      reason.value = code;
    },
  };
};
