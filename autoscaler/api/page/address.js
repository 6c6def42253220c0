// Where the reader is: the path names the view, the query everything set in it, so that every state can be
// sent to somebody, bookmarked and gone back to.

const listeners = new Set();
let current = null;

const read = () => ({
  path: location.pathname,
  params: Object.fromEntries(new URLSearchParams(location.search)),
});

const moved = () => {
  current = read();
  for (const listener of listeners) listener(current);
};

/** The present address: `{path, params}`. */
export const here = () => (current ??= read());

/** Calls `listener` with every new address. */
export const onMove = (listener) => listeners.add(listener);

/** The URL of `path` with the parameters that are set. */
export const link = (path, params = {}) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
};

/** The path of one workload, or of a view of it. */
export const workloadPath = (namespace, name, view = "") =>
  `/workloads/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}${view && `/${view}`}`;

/** Goes to `url`. With `replace`, going back skips where we were. */
export const go = (url, { replace = false } = {}) => {
  // How far it was scrolled belongs to the entry that is left, for the way back.
  history.replaceState({ scroll: window.scrollY }, "");
  history[replace ? "replaceState" : "pushState"]({ scroll: 0 }, "", url);
  moved();
};

/** Changes parameters of the present address; null removes one. Typing replaces, choosing makes a step to go back to. */
export const set = (changes, options = {}) =>
  go(link(here().path, { ...here().params, ...changes }), options);

const ours = (anchor) =>
  anchor.origin === location.origin &&
  !anchor.target &&
  !anchor.hasAttribute("download") &&
  !anchor.pathname.startsWith("/page/") &&
  !/^\/(api|docs|openapi\.json|metrics|login|logout)/.test(anchor.pathname);

/** Lets links between views work without loading the page again. */
export const followLinks = () => {
  history.scrollRestoration = "manual";
  window.addEventListener("popstate", moved);
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest?.("a[href]");
    const plainClick =
      event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!anchor || !plainClick || event.defaultPrevented || !ours(anchor)) return;
    if (anchor.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    go(anchor.href);
  });
};
