// What a customer can do with a reply: judge it, copy it, ask again.

import * as api from "./api.js";
import { button, el, iconButton } from "./dom.js";
import { t } from "./language.js";

const REASONS = ["wrong", "not_asked", "too_long", "out_of_date", "other"];

/** Return the row of buttons under a reply; `page.element` is the message's element. */
export function actionsOf(message, conversation, page) {
  const thumbs = message.number ? drawThumbs(message, conversation, page) : [];
  const copy = iconButton("copy", t("copy"), (event) => copied(message.content, event.currentTarget, page));
  const again = iconButton("again", t("askAgain"), () => conversation.askAgain(), { class: "icon-button again" });
  return el("div", { class: "actions", role: "group", "aria-label": t("actions") }, thumbs, copy, again);
}

function drawThumbs(message, conversation, page) {
  const press = (thumb) => judge(message, conversation, page, message.thumb === thumb ? null : thumb, thumbs);
  const thumbs = [["up", "good"], ["down", "bad"]].map(([thumb, name]) =>
    iconButton(thumb, t(name), () => press(thumb), { "data-thumb": thumb }));
  show(thumbs, message.thumb);
  return thumbs;
}

function show(thumbs, thumb) {
  for (const one of thumbs) one.setAttribute("aria-pressed", String(one.dataset.thumb === thumb));
}

async function judge(message, conversation, page, thumb, thumbs) {
  const before = message.thumb;
  message.thumb = thumb;
  show(thumbs, thumb);
  page.element.querySelector(".feedback")?.remove();
  if (thumb === "down") page.element.append(drawForm(message, conversation, page));
  try {
    await api.judge(conversation, { number: message.number, thumb });
  } catch {
    message.thumb = before;
    show(thumbs, before);
    page.announce(t("notKept"), { isShown: true });
  }
}

/** Return the form that asks what is wrong with a reply. */
function drawForm(message, conversation, page) {
  const name = `reason-${message.number}`;
  const reasons = REASONS.map((reason) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name, value: reason }), t(`reasons.${reason}`)));
  const right = el("textarea", { id: `right-${message.number}`, rows: 2, maxlength: 2000, dir: "auto" });
  const send = el("button", { type: "submit", class: "pill main" }, t("sendFeedback"));
  const cancel = button(t("cancel"), () => form.remove(), { class: "pill" });
  const form = el("form", { class: "feedback" },
    el("fieldset", {}, el("legend", {}, t("whyBad")), reasons),
    el("label", { for: right.id }, t("whatRight")), right,
    el("div", { class: "buttons" }, cancel, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = new FormData(form).get(name) ?? "";
    sendForm(form, conversation, page, { number: message.number, reason, correction: right.value.trim() });
  });
  return form;
}

async function sendForm(form, conversation, page, said) {
  try {
    await api.judge(conversation, { ...said, thumb: "down" });
    form.replaceWith(el("p", { class: "thanks" }, t("thanksFeedback")));
    page.announce(t("thanksFeedback"));
  } catch {
    page.announce(t("notKept"), { isShown: true });
  }
}

async function copied(text, from, page) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
    from.focus();
  }
  page.announce(t("copied"));
  from.classList.add("done");
  setTimeout(() => from.classList.remove("done"), 1500);
}

/** Pages without HTTPS have no clipboard. */
function copyBySelection(text) {
  const area = el("textarea", { class: "for-readers" });
  area.value = text;
  document.getElementById("frontdesk").append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
