// The conversation as it is shown: greeting, messages, and what stands below the last one.

import { button, el, hidden, icon } from "./dom.js";
import { t } from "./language.js";
import { drawMessage } from "./messages.js";
import { drawOffers } from "./offers.js";
import { Ratings } from "./rating.js";
import { drawTrouble } from "./trouble.js";
import { drawWelcome } from "./welcome.js";

// Pixels from the end within which the reader follows what is written.
const NEAR = 48;

export class Log {
  #conversation;
  #page;
  #ratings;
  #drawn = new Map();
  #isFollowing = true;
  #lastTop = 0;
  #list = el("div", { class: "messages" });
  #tail = el("div", { class: "tail" });

  constructor(conversation, page) {
    this.#conversation = conversation;
    this.#page = page;
    this.#ratings = new Ratings(conversation, page, () => this.#drawTail());
    const column = el("div", { class: "column" }, this.#list, this.#tail);
    this.scroller = el("div", { class: "scroller", tabindex: "0", role: "log", "aria-live": "off", "aria-label": t("conversation") }, column);
    this.newest = button([icon("newest"), t("newest")], () => this.toEnd(), { class: "newest pill", hidden: true });
    this.element = el("main", { class: "log" }, hidden("h2", t("conversation")), this.scroller, this.newest);
    this.#listen(column);
    this.#drawAll();
  }

  #listen(column) {
    const { signal } = this.#page;
    const on = (name, listener) => this.#conversation.addEventListener(name, listener, { signal });
    on("change", () => this.#drawAll());
    on("added", ({ detail }) => this.#add(detail.message));
    on("piece", ({ detail }) => this.#drawn.get(detail.message)?.write(detail.text));
    on("finished", ({ detail }) => this.#drawn.get(detail.message)?.finish());
    on("state", () => this.#drawTail());
    on("handoff", () => this.#markEditable());
    this.scroller.addEventListener("scroll", () => this.#follow());
    // A column that grows moves the text only for whoever reads its end.
    const observer = new ResizeObserver(() => {
      // The column lines up with what has no scroll bar.
      const bar = (this.scroller.offsetWidth - this.scroller.clientWidth) / 2;
      this.scroller.style.setProperty("--bar", `${bar}px`);
      if (this.#isFollowing) this.toEnd();
      else this.#follow();
    });
    observer.observe(column);
    observer.observe(this.scroller);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  #follow() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR;
    // What grows below moves nothing up: only the reader does.
    if (isNear) this.#isFollowing = true;
    else if (scrollTop < this.#lastTop) this.#isFollowing = false;
    this.#lastTop = scrollTop;
    this.newest.hidden = isNear || this.#isFollowing;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#isFollowing = true;
    this.newest.hidden = true;
  }

  #drawAll() {
    this.#drawn.clear();
    this.#list.replaceChildren();
    const { messages, isLoading } = this.#conversation;
    if (!messages.length && !isLoading) this.#list.append(drawWelcome(this.#page));
    for (const message of messages) this.#append(message);
    this.#drawTail();
    this.toEnd();
  }

  #append(message) {
    const drawn = drawMessage(message, this.#conversation, this.#page);
    this.#drawn.set(message, drawn);
    this.#list.append(drawn.element);
  }

  #add(message) {
    if (this.#conversation.messages[0] === message) this.#list.replaceChildren();
    this.#append(message);
    if (message.role === "user") this.toEnd();
    this.#drawTail();
  }

  #drawTail() {
    const { trouble } = this.#conversation;
    const retry = () => this.#conversation.retry();
    const notice = trouble ? drawTrouble(trouble, retry, this.#page.announce) : null;
    const parts = [notice, drawOffers(this.#conversation, this.#page), this.#ratings.draw()];
    this.#tail.replaceChildren(...parts.filter(Boolean));
    this.#markEditable();
  }

  /** Show "edit" on the last of one's own messages and "ask again" on the last reply. */
  #markEditable() {
    const { messages, isBusy, handoff, lastAsked } = this.#conversation;
    const isFree = !isBusy && handoff?.state !== "taken";
    const after = messages.slice(messages.indexOf(lastAsked) + 1);
    const isAnswered = !after.some((message) => message.role === "person");
    for (const [message, { element }] of this.#drawn) {
      const isLast = message === lastAsked || (message === messages.at(-1) && message.frontdesk);
      element.classList.toggle("changeable", Boolean(isFree && isAnswered && isLast));
    }
  }
}
