// A person's own word on the count: in force, past, and the form for a new one.

import { get, newKey, post, remove, workloadResource } from "../api.js";
import { el, put } from "../element.js";
import { icon } from "../icons.js";
import { timeElement } from "../moments.js";
import { inOneLine, nothing } from "../notice.js";
import { count, plural } from "../numbers.js";
import { confirmed } from "./confirming.js";
import { overrideForm } from "./override_form.js";

/** What an override does, in words. */
export const inWordsOf = ({ kind, replicas }) =>
  kind === "Fixed"
    ? `exactly ${plural(replicas, "replica")}`
    : kind === "Minimum"
      ? `at least ${plural(replicas, "replica")}`
      : "the count frozen";

/** The card's content. `mayWrite` is a promise; `onChange` is called after a change went through. */
export const overridesOf = (namespace, name, place, mayWrite, onChange, signal) => {
  const list = el("div");
  const problem = el("p", { class: "refusal", role: "alert", hidden: true });
  const lower = el("div");
  const resource = workloadResource(namespace, name, "overrides");
  let workload = null;

  const refresh = async () => {
    const { items } = await get(resource, { limit: 5 }, signal);
    put(
      list,
      items.length
        ? el(
            "ul",
            { class: "overrides" },
            items.map((one) => line(one, end)),
          )
        : nothing("None so far: the decisions stand."),
    );
  };
  const attempt = async (request) => {
    problem.hidden = true;
    try {
      await request();
      await refresh();
      onChange();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      problem.textContent = inOneLine(error);
      problem.hidden = false;
      return false;
    }
  };
  const end = async (one) => {
    if (
      !(await confirmed(
        `End the override of ${namespace}/${name}?`,
        `It holds ${inWordsOf(one)}. From now on the decisions stand again.`,
        "End it",
      ))
    )
      return;
    await attempt(() => remove(`${resource}/${encodeURIComponent(one.id)}`, { key: newKey(), signal }));
  };
  const ask = async (body) => {
    const now = workload
      ? ` It has ${count(workload.replicas.current)} now; ${count(workload.replicas.desired)} were decided on.`
      : "";
    const until = new Date(body.until).toLocaleString();
    const sure = await confirmed(
      `Override ${namespace}/${name}?`,
      `This holds ${inWordsOf(body)} until ${until}, whatever is decided.${now} It replaces an override that is in force.`,
      "Override",
    );
    const isDone = sure && (await attempt(() => post(resource, body, { key: newKey(), signal })));
    if (isDone) fresh.open = false;
  };
  // Made when it is opened, so that what it proposes is of that moment.
  const form = el("div");
  const fresh = el(
    "details",
    { ontoggle: () => fresh.open && put(form, overrideForm(ask, workload)) },
    el("summary", {}, "New override"),
    form,
  );
  const mayNot = "To override, you need to be allowed to update predictiveautoscalers in this namespace.";

  put(place, list, problem, lower);
  mayWrite.then((may) => put(lower, may ? fresh : el("p", { class: "help" }, mayNot)));
  return { refresh, draw: (next) => (workload = next) };
};

const STATES = { InForce: "in force", Scheduled: "scheduled", Ended: "ended" };

const line = (one, end) =>
  el(
    "li",
    { "data-state": one.state },
    el(
      "span",
      {},
      one.state === "InForce" && icon("Hold"),
      ` ${capital(inWordsOf(one))}, ${STATES[one.state] ?? one.state}`,
      el(
        "span",
        { class: "why" },
        timeElement(one.from),
        " to ",
        timeElement(one.endedAt ?? one.until),
        ` by ${one.madeBy}: ${one.reason}`,
      ),
    ),
    one.state !== "Ended" &&
      el(
        "button",
        { type: "button", onclick: () => end(one) },
        one.state === "InForce" ? "End now" : "Take back",
      ),
  );

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
