// Requests to the service. Whatever goes wrong becomes a `Problem` that says what to do.

import { answered } from "./banner.js";
import { answeredAt } from "./clock.js";

const BASE = "/api/v1";
const PATIENCE_MS = 20_000;

/** An answer other than success. status 0: there was no answer. fields: `[{field, message}]` of a refused body. */
export class Problem extends Error {
  constructor(status, code, detail, { fields = [], requestId = "", retryAfterS = null } = {}) {
    super(detail);
    Object.assign(this, { status, code, detail, fields, requestId, retryAfterS });
  }
}

/** The path of a workload's resource, and of what belongs to it. */
export const workloadResource = (namespace, name, rest = "") =>
  `/namespaces/${encodeURIComponent(namespace)}/workloads/${encodeURIComponent(name)}${rest && `/${rest}`}`;

/** GET. params that are null or empty are left out. Rejects with a Problem, or when `signal` aborts with its reason. */
export const get = (path, params = {}, signal = null) => request("GET", path, { params, signal });

/** POST of a JSON body. `key` makes a repetition harmless: see `newKey`. */
export const post = (path, body, { key, signal = null } = {}) => request("POST", path, { body, key, signal });

/** DELETE. */
export const remove = (path, { key, signal = null } = {}) => request("DELETE", path, { key, signal });

/** A key for one intention: sending the same request again under it does nothing twice. */
export const newKey = () => {
  // randomUUID is only there under https and on localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

const request = async (method, path, { params = {}, body, key, signal }) => {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  let answer;
  try {
    answer = await fetch(url(path, params), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    answeredAt(answer.headers.get("Date"));
    if (answer.ok) {
      const told = answer.status === 204 ? null : await answer.json();
      answered(null);
      return told;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw failed(
      new Problem(
        0,
        "Unreachable",
        error.name === "TimeoutError"
          ? "The service did not answer in time."
          : "The service cannot be reached.",
      ),
    );
  }
  if (answer.status === 401) askForToken();
  throw failed(await problemOf(answer));
};

const failed = (problem) => {
  answered(problem);
  return problem;
};

const url = (path, params) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const base = path.startsWith("/api/") ? path : BASE + path;
  return query.size ? `${base}?${query}` : base;
};

const problemOf = async (answer) => {
  const told = await answer.json().catch(() => ({}));
  const retry = Number(answer.headers.get("Retry-After"));
  return new Problem(
    answer.status,
    told.code ?? "Unknown",
    told.detail ?? `The service answered ${answer.status}.`,
    {
      fields: told.errors ?? [],
      requestId: told.requestId ?? "",
      retryAfterS: retry > 0 ? retry : null,
    },
  );
};

const askForToken = () =>
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
