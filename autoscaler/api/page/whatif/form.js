// The form of a what-if: every setting beside what it is at present.

import { set } from "../address.js";
import { el, mark, say } from "../element.js";
import { SETTINGS, presentOf } from "./settings.js";

const DAYS = [
  ["1", "last day"],
  ["3", "last 3 days"],
  ["7", "last week"],
  ["14", "last 2 weeks"],
  ["28", "last 4 weeks"],
];

/** The form for the manifest's `spec`. onRun() and onSearch() are called when a reader asks for them. */
export const makeForm = (spec, onRun, onSearch) => {
  const fields = SETTINGS.map((setting) => field(spec, setting));
  const days = el(
    "select",
    {
      "aria-label": "Judged over",
      onchange: () => set({ days: days.value === "7" ? null : days.value, job: null, search: null }),
    },
    DAYS.map(([value, words]) => el("option", { value }, words)),
  );
  const run = el("button", { class: "main" }, "Run");
  const search = el("button", { type: "button", onclick: onSearch }, "Search for better ones");
  const reset = el(
    "button",
    {
      type: "button",
      class: "plain",
      onclick: () => set(Object.fromEntries(SETTINGS.map(({ key }) => [key, null]))),
    },
    "As at present",
  );
  const submit = (event) => {
    event.preventDefault();
    onRun();
  };
  const element = el(
    "form",
    { class: "settings", onsubmit: submit },
    fields.map((one) => one.element),
    el(
      "div",
      { class: "row actions" },
      el("label", { class: "row" }, el("span", { class: "muted" }, "Judged over the"), days),
      run,
      search,
      reset,
    ),
  );
  return {
    element,
    draw: (params, busy) => {
      for (const one of fields) one.draw(params[one.key]);
      days.value = params.days ?? "7";
      run.disabled = search.disabled = busy;
      reset.hidden = !SETTINGS.some(({ key }) => key in params);
    },
  };
};

const field = (spec, setting) => {
  const { key, label, help, field: props } = setting;
  const present = presentOf(spec, setting);
  const isRange = props.type === "range";
  const id = `setting-${key}`;
  const input = el("input", {
    ...props,
    id,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": `${id}-help`,
    placeholder: present || "none",
  });
  const shown = el("output", { for: id, class: "shown" });
  const before = el("span", { class: "before" });
  const change = () => {
    // An emptied field takes a setting away; the address keeps no empty texts.
    const value = input.value.trim() === "" ? "-" : input.value.trim();
    set(
      {
        [key]: value === (present || "-") || Number(value) === Number(present || NaN) ? null : value,
        job: null,
        search: null,
      },
      { replace: true },
    );
  };
  input.addEventListener("change", change);
  input.addEventListener("input", () => isRange && say(shown, input.value));
  const element = el(
    "div",
    { class: "setting" },
    el("label", { for: id }, label),
    el("span", { class: "row" }, input, isRange && shown),
    el("span", { class: "why", id: `${id}-help` }, before, help),
  );
  const draw = (param) => {
    const value = param === undefined ? present : param === "-" ? "" : param;
    if (document.activeElement !== input || isRange) input.value = value;
    say(shown, value);
    mark(element, "data-changed", param === undefined ? null : "");
    say(before, param === undefined ? "" : `now ${present || "none"}. `);
  };
  return { key, element, draw };
};
