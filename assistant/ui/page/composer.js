// Where the customer types. What is typed is kept until it is sent.

import { hasCard, withoutCards } from "./cards.js";
import { openDialog } from "./dialogs.js";
import { button, el, iconButton } from "./dom.js";
import { t } from "./language.js";
import { draft } from "./store.js";

// The share of the limit from which the page counts.
const NEAR = 0.9;

export class Composer {
  #conversation;
  #page;
  // The message of one's own that is being changed, and what was typed before.
  #changing = null;

  constructor(conversation, page) {
    this.#conversation = conversation;
    this.#page = page;
    this.#build();
    this.area.value = draft.get();
    this.#listen();
    this.#typed();
    this.#showState();
  }

  #build() {
    const label = el("label", { for: "frontdesk-text", class: "for-readers" }, t("placeholder"));
    this.area = el("textarea", {
      id: "frontdesk-text", rows: 1, dir: "auto", placeholder: t("placeholder"), enterkeyhint: "send",
      autocomplete: "off", "aria-describedby": "frontdesk-count",
    });
    this.send = iconButton("send", t("send"), () => this.#submit(), { class: "icon-button main send" });
    this.stop = iconButton("stop", t("stop"), () => this.#conversation.stop(), { class: "icon-button main stop" });
    this.count = el("p", { class: "count", id: "frontdesk-count" });
    const cancel = button(t("cancel"), () => this.#cancel(), { class: "link" });
    this.strip = el("div", { class: "changing", hidden: true }, el("span", {}, t("editing")), cancel);
    const box = el("div", { class: "box" }, label, this.area, this.stop, this.send);
    this.element = el("form", { class: "composer" }, this.strip, box, this.count);
  }

  #listen() {
    const { signal } = this.#page;
    this.area.addEventListener("input", () => this.#typed());
    this.area.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.#conversation.addEventListener("state", () => this.#showState(), { signal });
    this.#conversation.addEventListener("change", () => this.#leaveChanged(), { signal });
    // Its width changes the number of its lines.
    const observer = new ResizeObserver(() => this.#fit());
    observer.observe(this.element);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  #onKey(event) {
    // An input method takes Enter for its own words; Safari tells so by the code alone.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    }
    if (event.key === "Escape" && this.#changing) {
      event.preventDefault();
      this.#cancel();
    }
  }

  #typed() {
    draft.set(this.area.value);
    this.#fit();
    this.#showCount();
    this.#showState();
  }

  #fit() {
    this.area.style.height = "auto";
    this.area.style.height = `${this.area.scrollHeight}px`;
  }

  get #length() {
    return Array.from(this.area.value.trim()).length;
  }

  #showCount() {
    const most = this.#page.settings.max_characters;
    const left = most - this.#length;
    const isNear = this.#length > most * NEAR;
    this.count.textContent = isNear ? t(left < 0 ? "tooMany" : "left", { count: Math.abs(left) }) : "";
    this.count.classList.toggle("wrong", left < 0);
    this.area.setAttribute("aria-invalid", String(left < 0));
  }

  #showState() {
    const { isBusy } = this.#conversation;
    const isTooLong = this.#length > this.#page.settings.max_characters;
    const hadFocus = document.activeElement === this.stop;
    this.stop.hidden = !isBusy;
    this.send.hidden = isBusy;
    this.send.disabled = isBusy || isTooLong || !this.#length;
    if (hadFocus && !isBusy) this.focus();
  }

  #submit() {
    if (this.send.disabled) return;
    const text = this.area.value.trim();
    if (hasCard(text)) this.#askForCard(text);
    else this.#sendNow(text);
  }

  #sendNow(text) {
    const changed = this.#changing?.message ?? null;
    this.#endChange("");
    this.#conversation.send(text, changed);
  }

  #askForCard(text) {
    const decide = (action) => () => {
      close();
      action();
    };
    const buttons = el("div", { class: "buttons" },
      button(t("cardSend"), decide(() => this.#sendNow(text)), { class: "pill" }),
      button(t("cardRemove"), decide(() => this.fill(withoutCards(text))), { class: "pill main", autofocus: true }));
    const close = openDialog({ title: t("cardAsk"), kind: "small", from: this.area }, el("p", {}, t("cardTold")), buttons);
  }

  /** Put a text where the customer sees it before it is sent. */
  fill(text) {
    this.area.value = text;
    this.#typed();
    this.focus();
    this.area.setSelectionRange(text.length, text.length);
  }

  /** Put a text back that could not be sent, before what was typed meanwhile. */
  giveBack(text) {
    const typed = this.area.value.trim();
    this.fill(typed && typed !== text ? `${text}\n${typed}` : text);
  }

  /** Let the customer change a message. */
  change(message) {
    this.#changing = { message, before: this.#changing?.before ?? this.area.value };
    this.strip.hidden = false;
    this.fill(message.content);
  }

  #cancel() {
    this.#endChange(this.#changing.before);
    this.focus();
  }

  #endChange(text) {
    this.#changing = null;
    this.strip.hidden = true;
    this.area.value = text;
    this.#typed();
  }

  /** Another conversation was opened: its messages are not the one being changed. */
  #leaveChanged() {
    const isThere = this.#conversation.messages.includes(this.#changing?.message);
    if (this.#changing && !isThere) this.#endChange(this.#changing.before);
  }

  focus() {
    this.area.focus({ preventScroll: true });
  }
}
