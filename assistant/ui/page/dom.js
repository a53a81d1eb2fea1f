// Builds elements. Text goes in as text, so nothing that somebody wrote becomes HTML.

const SVG = "http://www.w3.org/2000/svg";

// Each icon is one path in a square of 24.
const ICONS = {
  send: "M12 19V5M5 12l7-7 7 7",
  stop: "M7 7h10v10H7z",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20a8 8 0 0 1 16 0",
  up: "M7 11l4-8a2.5 2.5 0 0 1 2.5 2.5V9H19a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.8 20H7zM7 11H3v9h4",
  down: "M7 13l4 8a2.5 2.5 0 0 0 2.5-2.5V15H19a2 2 0 0 0 2-2.3l-1.2-7A2 2 0 0 0 17.8 4H7zM7 13H3V4h4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  again: "M20 11a8 8 0 1 0-2.3 6.300M20 5v6h-6",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  newest: "M12 5v14M5 12l7 7 7-7",
  check: "M5 13l4 4L19 7",
};

/**
 * Return a new element.
 *
 * Attributes that are false, null or undefined are left out; `on` holds listeners by event.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, ...rest } = attributes;
  for (const [name, value] of Object.entries(rest)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function button(label, onClick, attributes = {}) {
  return el("button", { type: "button", on: { click: onClick }, ...attributes }, label);
}

/** Return a button that shows an icon and says what it does. */
export function iconButton(name, label, onClick, attributes = {}) {
  const said = { "aria-label": label, title: label, class: "icon-button" };
  return button(icon(name), onClick, { ...said, ...attributes });
}

/** Return an element with text that somebody wrote, in its own direction. */
export function said(tag, text, attributes = {}) {
  return el(tag, { dir: "auto", ...attributes }, text);
}

/** Return a text for screen readers alone. */
export function hidden(tag, text) {
  return el(tag, { class: "for-readers" }, text);
}

/** Return a random id. `crypto.randomUUID` is missing on pages without HTTPS. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
