// Asks once, at the end of a conversation, how it was.

import * as api from "./api.js";
import { button, el } from "./dom.js";
import { t } from "./language.js";

const SCALE = [1, 2, 3, 4, 5];
const ENDS = ["thanks", "goodbye"];

export class Ratings {
  #conversation;
  #page;
  #redraw;
  // The conversation that is asked about now: {id, token, isLast}.
  #asked = null;

  constructor(conversation, page, redraw) {
    this.#conversation = conversation;
    this.#page = page;
    this.#redraw = redraw;
    const on = (name, listener) => conversation.addEventListener(name, listener, { signal: page.signal });
    on("finished", ({ detail }) => this.#afterReply(detail.message));
    on("handoff", ({ detail }) => detail.before && !conversation.handoff && this.#offer(conversation));
    page.ended.addEventListener("ended", ({ detail }) => this.#offer(detail, true), { signal: page.signal });
  }

  #afterReply({ frontdesk }) {
    const isEnd = frontdesk.action === "small_talk" && ENDS.includes(frontdesk.reason);
    const hasHelped = this.#conversation.messages.some((one) => one.frontdesk && one.frontdesk.action !== "small_talk");
    if (isEnd && hasHelped) this.#offer(this.#conversation);
    else this.#asked = null;
  }

  #offer({ id, token }, isLast = false) {
    if (!id || this.#page.store.entry(id)?.rated) return;
    this.#page.store.keep(id, { rated: true });
    this.#asked = { id, token, isLast };
    this.#redraw();
  }

  /** Return the question; null where nothing is asked. */
  draw() {
    const { isBusy, id } = this.#conversation;
    const asked = this.#asked;
    if (!asked || isBusy || (!asked.isLast && asked.id !== id)) return null;
    const label = t(asked.isLast ? "rateLast" : "rate");
    const numbers = SCALE.map((count) =>
      button(String(count), () => this.#rate(asked, count), { class: "pill", "aria-label": t("rateAs", { count }) }));
    const scale = el("div", { class: "scale" }, numbers);
    const not = button(t("notNow"), () => this.#end(), { class: "link" });
    const hint = el("p", { class: "hint" }, t("rateScale"));
    return el("div", { class: "rating", role: "group", "aria-label": label }, el("p", {}, label), scale, hint, not);
  }

  async #rate(asked, rating) {
    try {
      await api.judge(asked, { rating });
      this.#end();
      this.#page.announce(t("thanksRating"), { isShown: true });
    } catch {
      this.#page.announce(t("notKept"), { isShown: true });
    }
  }

  #end() {
    this.#asked = null;
    this.#redraw();
    this.#page.focus();
  }
}
