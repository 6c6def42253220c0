// What changes, as the service tells it: one stream for the whole page, and polling while there is none.

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
const POLL_MS = 15_000;
// The service says something every 15 s.
const LONGEST_SILENCE_MS = 40_000;

const listeners = new Set();
const stateListeners = new Set();
let source = null;
let retryMs = FIRST_RETRY_MS;
let retry = null;
let silence = null;
let state = "connecting";

const become = (next) => {
  state = next;
  for (const listener of stateListeners) listener(state);
};

const tell = (event) => {
  for (const listener of listeners) listener(event);
};

const heard = () => {
  clearTimeout(silence);
  silence = setTimeout(lost, LONGEST_SILENCE_MS);
};

const open = () => {
  clearTimeout(retry);
  if (source || document.hidden || !navigator.onLine) return;
  source = new EventSource("/api/v1/watch");
  source.addEventListener("open", () => {
    retryMs = FIRST_RETRY_MS;
    heard();
    become("live");
  });
  source.addEventListener("ping", heard);
  source.addEventListener("workloads", (event) => {
    heard();
    tell({ kind: "workloads", changed: JSON.parse(event.data).changed });
  });
  source.addEventListener("decision", (event) => {
    heard();
    tell({ kind: "decision", decision: JSON.parse(event.data) });
  });
  source.addEventListener("error", () => {
    become("connecting");
    // A browser retries by itself unless it was refused; then it is for us to try again.
    if (source.readyState !== EventSource.CLOSED) return;
    source = null;
    retry = setTimeout(open, retryMs);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  });
};

const close = () => {
  clearTimeout(retry);
  clearTimeout(silence);
  source?.close();
  source = null;
};

// A connection may be gone without anybody being told, as after a laptop slept.
const lost = () => {
  close();
  become("connecting");
  tell({ kind: "back" });
  open();
};

/** Opens the stream, for as long as the page is looked at: a browser has few connections to one server. */
export const startWatching = (onState) => {
  stateListeners.add(onState);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    open();
    return tell({ kind: "back" });
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  window.addEventListener("offline", lost);
  window.addEventListener("online", lost);
  open();
};

/** Calls `listener` with `{kind: "workloads", changed}`, `{kind: "decision", decision}`, and after a pause
 * in which something may have been missed `{kind: "back"}`. */
export const onEvent = (listener, signal) => {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
};

/**
 * Calls `refresh` after events that `concerns` says yes to, at most once in `everyMs` and never twice at once;
 * while there is no stream, every 15 s.
 */
export const keepFresh = (concerns, refresh, everyMs, signal) => {
  let last = performance.now();
  let waiting = null;
  let busy = false;
  const run = async () => {
    waiting = null;
    if (busy || document.hidden || signal.aborted) return;
    busy = true;
    last = performance.now();
    await refresh();
    // A slow answer is asked for less often, so that a large fleet on a slow line does not ask without end.
    last = performance.now() + 4 * (performance.now() - last);
    busy = false;
  };
  const soon = () => {
    waiting ??= setTimeout(run, Math.max(0, last + everyMs - performance.now()));
  };
  onEvent((event) => (event.kind === "back" || concerns(event)) && soon(), signal);
  const poll = setInterval(() => state !== "live" && soon(), POLL_MS);
  signal.addEventListener("abort", () => {
    clearTimeout(waiting);
    clearInterval(poll);
  });
};
