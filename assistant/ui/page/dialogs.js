// Dialogs: the browser keeps the focus inside, Escape closes, and the focus returns.

import { button, el, iconButton } from "./dom.js";
import { t } from "./language.js";

let count = 0;

/**
 * Open a dialog over the page, and return what closes it.
 *
 * `kind` is its class: drawer (beside the chat), or small. `from` gets the focus back.
 */
export function openDialog({ title, lang, kind, from, onClose = () => {} }, ...content) {
  count += 1;
  const id = `dialog-${count}`;
  const heading = el("h2", { id, lang, dir: "auto" }, title);
  const head = el("header", {}, heading, iconButton("close", t("close"), () => dialog.close()));
  const inside = el("div", { class: "inside" }, content);
  const dialog = el("dialog", { class: kind, "aria-labelledby": id }, head, inside);
  const root = document.getElementById("frontdesk");
  dialog.addEventListener("click", (event) => {
    // The dialog itself is hit only around what is inside.
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => event.key === "Tab" && keepInside(event, dialog));
  dialog.addEventListener("close", () => {
    dialog.remove();
    root.classList.remove(`with-${kind}`);
    if (from?.isConnected) from.focus();
    onClose();
  });
  root.append(dialog);
  root.classList.add(`with-${kind}`);
  dialog.showModal();
  return () => dialog.close();
}

/** Let Tab go round inside; otherwise it would leave the page for the browser's own buttons. */
function keepInside(event, dialog) {
  const reached = [...dialog.querySelectorAll("a[href], button, input, textarea, [tabindex]")]
    .filter((one) => !one.disabled && one.offsetParent);
  const [leaves, enters] = event.shiftKey ? [reached[0], reached.at(-1)] : [reached.at(-1), reached[0]];
  if (document.activeElement !== leaves) return;
  event.preventDefault();
  enters.focus();
}

/** Ask a yes-or-no question; the promise says whether it was answered with yes. */
export function ask({ title, text, yes, no, isDangerous = false, from }) {
  return new Promise((resolve) => {
    let isYes = false;
    const decide = (value) => () => {
      isYes = value;
      close();
    };
    const buttons = el("div", { class: "buttons" },
      button(no, decide(false), { class: "pill", autofocus: true }),
      button(yes, decide(true), { class: isDangerous ? "pill danger" : "pill main" }));
    const onClose = () => resolve(isYes);
    const close = openDialog({ title, kind: "small", from, onClose }, el("p", {}, text), buttons);
  });
}
