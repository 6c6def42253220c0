// Builds elements. Text is always text: nothing that comes out of a cluster can become markup.

const SVG = "http://www.w3.org/2000/svg";

// Set as properties: their attributes are only what they were at first.
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "open", "indeterminate", "selected"]);

const fill = (element, props, children) => {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) {
      if (PROPERTIES.has(name) && value === false) element[name] = false;
    } else if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (PROPERTIES.has(name)) {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
};

/** An HTML element. props: attributes, `onclick` and the like for listeners. Children that are null or false are left out. */
export const el = (tag, props = {}, ...children) => fill(document.createElement(tag), props, children);

/** An SVG element. */
export const svg = (tag, props = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), props, children);

/** Replaces the children of `parent`. */
export const put = (parent, ...children) => {
  parent.replaceChildren();
  return fill(parent, {}, children);
};

/** Sets text and nothing else, and only if it differs: a selection or a reader's place survives. */
export const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** Sets an attribute, or with null removes it, only if it differs. */
export const mark = (element, name, value) => {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
};
