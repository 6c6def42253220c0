// What narrows the list down: words, namespace, problem, mode and labels, all kept in the address.

import { el, mark, put, say } from "../element.js";
import { icon } from "../icons.js";
import { count } from "../numbers.js";
import { PROBLEMS } from "../problems.js";

const MODES = ["Recommend", "ScaleOutOnly", "Active", "Paused"];
const TYPING_MS = 500;

const options = (select, empty, values, names = (value) => value) => {
  const wanted = [["", empty], ...values.map((value) => [value, names(value)])];
  // Rebuilt only when the choices changed: a list that is open must not close.
  const key = JSON.stringify(wanted);
  if (select.dataset.choices === key) return;
  const chosen = select.value;
  put(
    select,
    wanted.map(([value, name]) => el("option", { value }, name)),
  );
  select.value = chosen;
  select.dataset.choices = key;
};

/** The form. `onChange(changes, {replace})` is called with parameters of the address. */
export const makeFilters = (onChange) => {
  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: "Search, or press /",
    "aria-label": "Search by namespace or name",
    autocomplete: "off",
    spellcheck: "false",
  });
  const choice = (name, label) =>
    el("select", { "aria-label": label, onchange: (event) => onChange({ [name]: event.target.value }) });
  const namespace = choice("namespace", "Namespace");
  const problem = choice("problem", "Problem");
  const mode = choice("mode", "Mode");
  const labels = el("input", {
    type: "text",
    class: "labels",
    placeholder: "Labels, such as team=web",
    "aria-label": "Label selector",
    autocomplete: "off",
    spellcheck: "false",
  });
  const found = el("span", { class: "muted found", role: "status" });
  const again = el(
    "button",
    { type: "button", class: "again", hidden: true },
    "Order has changed: sort again",
  );
  const form = el(
    "form",
    { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
    el("span", { class: "search" }, icon("Search"), search),
    namespace,
    problem,
    mode,
    labels,
    found,
    again,
  );
  let typed = null;
  // One step back for a word, not for each letter.
  search.addEventListener("input", () => {
    onChange({ q: search.value }, { replace: typed !== null });
    clearTimeout(typed);
    typed = setTimeout(() => (typed = null), TYPING_MS);
  });
  labels.addEventListener("change", () => onChange({ labels: labels.value.trim() }));
  const show = (params) => {
    if (search.value.trim() !== (params.q ?? "").trim()) search.value = params.q ?? "";
    if (document.activeElement !== labels) labels.value = params.labels ?? "";
    for (const [select, name] of [
      [namespace, "namespace"],
      [problem, "problem"],
      [mode, "mode"],
    ]) {
      select.value = params[name] ?? "";
      mark(select, "data-set", params[name] ? "" : null);
    }
  };
  return {
    element: form,
    search,
    again,
    draw: (rows, shown, params) => {
      const named = new Set(rows.map((row) => row.namespace));
      if (params.namespace) named.add(params.namespace);
      options(namespace, "All namespaces", [...named].sort());
      options(problem, "Fine or not", ["any", ...Object.keys(PROBLEMS)], (code) =>
        code === "any" ? "Any problem" : PROBLEMS[code].name,
      );
      options(mode, "All modes", MODES);
      show(params);
      say(found, shown.length === rows.length ? "" : `${count(shown.length)} of ${count(rows.length)}`);
    },
  };
};
