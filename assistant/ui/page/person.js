// Says what happens while a person is called or has the conversation.

import * as api from "./api.js";
import { el } from "./dom.js";
import { dateOf, t, whenOf } from "./language.js";

const LONGEST_CONTACT = 200;

export class Person {
  #conversation;
  #page;
  element = el("section", { class: "person", hidden: true });
  typing = el("p", { class: "typing" });

  constructor(conversation, page) {
    this.#conversation = conversation;
    this.#page = page;
    const on = (name, listener) => conversation.addEventListener(name, listener, { signal: page.signal });
    on("handoff", () => this.#show());
    this.element.setAttribute("aria-label", t("person"));
    this.#show();
  }

  async #show() {
    const { handoff } = this.#conversation;
    this.typing.textContent = handoff?.is_typing ? t("typing", { name: nameOf(handoff) }) : "";
    this.element.hidden = !handoff;
    if (!handoff) this.element.replaceChildren();
    else if (handoff.state === "taken") this.#say(t("withPerson", { name: nameOf(handoff) }));
    else await this.#showWaiting(handoff);
  }

  #say(text, ...more) {
    this.element.replaceChildren(el("p", {}, text), ...more);
  }

  async #showWaiting(handoff) {
    const people = await api.people().catch(() => null);
    if (this.#conversation.handoff !== handoff) return;
    if (!people || people.open) this.#say(waitingText(people));
    else this.#say(awayText(people), this.#contact());
  }

  #contact() {
    const until = this.#conversation.contactUntil;
    return until ? kept(until) : this.#drawContact();
  }

  #drawContact() {
    const input = el("input", {
      id: "frontdesk-contact", type: "text", placeholder: t("contactHint"), required: true, minlength: 3,
      maxlength: LONGEST_CONTACT, dir: "auto", autocomplete: "on",
    });
    const label = el("label", { for: input.id }, t("contact"));
    const send = el("button", { type: "submit", class: "pill main" }, t("contactSend"));
    const form = el("form", { class: "contact" }, label, el("div", { class: "field" }, input, send));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#leave(form, input.value.trim());
    });
    return form;
  }

  async #leave(form, how) {
    try {
      const { kept_until: until } = await api.leaveContact(this.#conversation, how);
      this.#conversation.contactUntil = new Date(until);
      const told = kept(this.#conversation.contactUntil);
      form.replaceWith(told);
      this.#page.announce(told.textContent);
    } catch {
      this.#page.announce(t("notKept"), { isShown: true });
    }
  }
}

function nameOf({ agent }) {
  return agent || t("person");
}

function kept(until) {
  return el("p", { class: "thanks" }, t("contactKept", { date: dateOf(until) }));
}

function waitingText(people) {
  const minutes = people?.usual_minutes;
  return minutes ? t("waitingUsual", { minutes: Math.max(1, Math.round(minutes)) }) : t("waiting");
}

function awayText({ opens }) {
  return opens ? t("away", { when: whenOf(new Date(opens)) }) : t("awayLong");
}

/** Add a line to the conversation when a person joins and when the assistant is back. */
export function noteWhoIsThere(conversation, announce) {
  const note = (say, gaps = {}) => {
    conversation.addLine(say, gaps);
    announce(t(say, gaps));
  };
  conversation.addEventListener("handoff", ({ detail: { before } }) => {
    const { handoff } = conversation;
    const wasTaken = before?.state === "taken";
    if (handoff?.state === "taken" && before && !wasTaken) note("joined", { name: nameOf(handoff) });
    if (!handoff && wasTaken) note("back");
  });
}
