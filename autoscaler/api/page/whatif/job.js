// A question that takes the service a while: asked, followed and taken back.

import { Problem, get, newKey, post, remove } from "../api.js";
import { el, say } from "../element.js";

const ASK_AGAIN_MS = 700;

const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });

/** Asks; resolves to the id of the job. */
export const ask = async (path, body, signal) => (await post(path, body, { key: newKey(), signal })).id;

/** Follows a job until it is over; resolves to its result. Rejects with a Problem that says why there is none. */
export const follow = async (id, onProgress, signal) => {
  for (;;) {
    const job = await get(`/jobs/${encodeURIComponent(id)}`, {}, signal);
    onProgress(job);
    if (job.state === "Done") return job.result;
    if (job.state === "Failed") throw new Problem(409, "JobFailed", job.message);
    if (job.state === "Cancelled") throw new Problem(409, "JobCancelled", "It was cancelled.");
    await pause(ASK_AGAIN_MS, signal);
  }
};

/** Takes a job back; one that is over or gone already is none to worry about. */
export const cancel = (id) =>
  remove(`/jobs/${encodeURIComponent(id)}`, { key: newKey() }).catch((problem) => {
    if (problem.status !== 404) throw problem;
  });

/** A bar that shows a job's progress, with a button that calls `onCancel`. */
export const progressBar = (onCancel) => {
  const bar = el("progress", { max: "1", value: 0, "aria-label": "Progress" });
  const words = el("span", { role: "status" });
  const element = el(
    "div",
    { class: "row job", hidden: true },
    bar,
    words,
    el("button", { type: "button", onclick: onCancel }, "Cancel"),
  );
  return {
    element,
    draw: ({ state, progress, message }) => {
      bar.value = progress;
      say(words, state === "Queued" ? "Waiting for other jobs" : message || "Running");
    },
  };
};
