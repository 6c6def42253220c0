// What stands where there is nothing to show: loading, empty, or refused, and what to do about it.

import { workloadPath } from "./address.js";
import { el, put } from "./element.js";
import { copyButton } from "./copying.js";

const FIRST_MANIFEST = `apiVersion: predictive-autoscaler.dev/v1alpha1
kind: PredictiveAutoscaler
metadata: {name: checkout, namespace: shop}
spec:
  scaleTargetRef: {kind: Deployment, name: checkout}
  minReplicas: 2
  maxReplicas: 60
  load:
    query: sum(rate(http_requests_total{service="checkout"}[2m]))
    perReplica: 120
`;

/** Shown while the first answer is on its way; says nothing before a reader would notice. */
export const loading = (root) => put(root, el("p", { class: "empty waiting", role: "status" }, "Loading…"));

/** A line for a part of a view that has nothing to show. */
export const nothing = (text) => el("p", { class: "empty small" }, text);

/** The page of somebody who has no workloads yet: the manifest to begin with. */
export const noWorkloads = () =>
  el(
    "section",
    { class: "empty" },
    el("h1", {}, "No workloads yet"),
    el(
      "p",
      {},
      "Apply a PredictiveAutoscaler for a Deployment. It only recommends until its mode is Active, so nothing is scaled by this:",
    ),
    el(
      "div",
      { class: "code" },
      el("pre", { tabindex: "0", "aria-label": "A first manifest" }, FIRST_MANIFEST),
      copyButton(() => FIRST_MANIFEST),
    ),
    el(
      "p",
      {},
      "Then ",
      el("code", {}, "kubectl apply -f checkout.yaml"),
      ". It appears here within seconds. If you expected workloads: you see only those of namespaces that you may read, and none before the operator has evaluated them.",
    ),
  );

// What to do about an answer, by its status.
const ADVICE = {
  0: "Check that the service runs and that your connection to it, such as kubectl port-forward, is still open.",
  403: "Ask for a role that may get predictiveautoscalers.predictive-autoscaler.dev in this namespace, or sign in with another token.",
  404: "It may have been deleted or renamed since.",
  429: "Too much was asked in a short time. Wait a little; this page asks again by itself less often.",
  503: "The store of decisions cannot be read, or the cluster does not say what you may see. Scaling goes on without either.",
};

/** Fills `root` with what went wrong, what to do about it and a button that tries again. */
export const refused = (root, problem, again) =>
  put(
    root,
    el(
      "section",
      { class: "empty", role: "alert" },
      el("h1", {}, TITLES[problem.status] ?? "That did not work"),
      el("p", {}, sentence(problem.detail ?? String(problem.message ?? problem))),
      ADVICE[problem.status] && el("p", {}, ADVICE[problem.status]),
      problem.requestId &&
        el(
          "p",
          { class: "muted" },
          "Request ",
          el("code", {}, problem.requestId),
          ": the service's log tells more under this id.",
        ),
      el(
        "p",
        { class: "row" },
        again && el("button", { type: "button", onclick: again }, "Try again"),
        el("a", { href: "/" }, "To the fleet"),
      ),
    ),
  );

const TITLES = {
  0: "No answer",
  403: "Not yours to see",
  404: "Not there",
  429: "Too many requests",
  503: "Not available at present",
};

/** A problem in one line, for a form or a banner. */
export const inOneLine = (problem) =>
  [
    sentence(problem.detail ?? String(problem.message ?? problem)),
    ...(problem.fields ?? []).map(({ field, message }) => `${field}: ${message}`),
  ].join(" ");

/** A link to a workload by its two names. */
export const workloadLink = (namespace, name) => el("a", { href: workloadPath(namespace, name) }, name);

const sentence = (text) => {
  const said = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(said) ? said : `${said}.`;
};
