// The page's frame: which view is shown, and what all views share.

import { followLinks, go, here, link, onMove } from "./address.js";
import { get } from "./api.js";
import { startBanner } from "./banner.js";
import { closePanel, followPanel } from "./decisions/panel.js";
import { say } from "./element.js";
import { onKeys } from "./keys.js";
import { startTheme } from "./themes.js";
import { startWatching } from "./watch.js";

// Path, the name of its entry in the navigation, and the module, which exports
// `open(root, place, signal)`: it builds the view in `root` and returns a function that takes the address's
// parameters, now and whenever they change. `signal` aborts when the view is left.
const VIEWS = [
  [/^\/$/, "fleet", () => import("./fleet/view.js")],
  [/^\/workloads\/([^/]+)\/([^/]+)$/, "fleet", () => import("./workload/view.js")],
  [/^\/workloads\/([^/]+)\/([^/]+)\/what-if$/, "fleet", () => import("./whatif/view.js")],
  [/^\/decisions$/, "decisions", () => import("./decisions/view.js")],
  [/^\/spend$/, "spend", () => import("./spend.js")],
  [/^\/help$/, "help", () => import("./help.js")],
];

const main = document.getElementById("main");
const everAfter = new AbortController().signal;
let shown = { path: null, apply: null, leave: new AbortController() };

const show = async ({ path, params }) => {
  if (path === shown.path) return shown.apply?.(params);
  shown.leave.abort();
  const leave = new AbortController();
  const first = shown.path === null;
  shown = { path, apply: null, leave };
  closePanel();
  const [pattern, entry, load] = VIEWS.find(([paths]) => paths.test(path)) ?? [
    /^/,
    "",
    () => import("./nowhere.js"),
  ];
  for (const anchor of document.querySelectorAll("header nav a")) {
    if (anchor.dataset.view === entry) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  const { open } = await loaded(load);
  if (leave.signal.aborted) return;
  const [, namespace, name] = pattern.exec(path).map((part) => part && decodeURIComponent(part));
  main.replaceChildren();
  shown.apply = open(main, { namespace, name }, leave.signal);
  shown.apply(here().params);
  // A view that is left for another begins where it was left, and is announced by its focus.
  if (!first) {
    main.focus({ preventScroll: true });
    window.scrollTo(0, history.state?.scroll ?? 0);
  }
};

// A module that is not there any more belongs to an older release than the service.
const loaded = async (load) => {
  try {
    return await load();
  } catch (error) {
    console.warn(error);
    return import("./nowhere.js").then(
      ({ outdated }) => ({ open: outdated }),
      () => {
        location.reload();
        return new Promise(() => {});
      },
    );
  }
};

const STREAM = {
  live: ["live", "Changes appear by themselves."],
  connecting: ["reconnecting", "No stream of changes at present; asking every 15 seconds."],
};

const whoAmI = async () => {
  const button = document.getElementById("who");
  const { name } = await get("/whoami").catch(() => ({ name: "" }));
  if (!name) return;
  say(button, name);
  button.hidden = false;
  button.setAttribute("aria-label", `Signed in as ${name}. Sign out`);
  button.addEventListener("click", async () => {
    await fetch("/logout", { method: "POST" });
    location.assign(link("/login", { next: location.pathname + location.search }));
  });
};

const stream = document.getElementById("stream");
startTheme(document.getElementById("theme"));
startBanner(document.getElementById("banner"));
startWatching((state) => {
  const [word, meaning] = STREAM[state];
  stream.dataset.state = state;
  stream.title = meaning;
  say(stream, word);
});
followLinks();
onMove(show);
onMove(({ params }) => followPanel(params));
onKeys(
  {
    f: () => go("/"),
    d: () => go("/decisions"),
    s: () => go("/spend"),
    "?": () => go("/help"),
  },
  everAfter,
);
await show(here());
followPanel(here().params);
whoAmI();
