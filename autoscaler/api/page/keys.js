// Keys that work wherever no text is being typed.

const typing = (target) =>
  target.closest?.("input, select, textarea, [contenteditable]") &&
  !["checkbox", "radio", "range", "button", "submit"].includes(target.type);

/** Runs `actions[key]` on a key; an action that returns false leaves the key to the browser. */
export const onKeys = (actions, signal) => {
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]")) return;
      const action = actions[event.key];
      if (!action || (typing(event.target) && event.key !== "Escape")) return;
      if (action(event) !== false) event.preventDefault();
    },
    { signal },
  );
};
