// The open conversation: its messages, what is being answered, and what went wrong.
//
// Events: `change` (draw all anew), `added` (one message more), `piece` (text of the reply that is
// written), `finished` (that reply), `state` (busy or not, trouble), `handoff`, `lost` (it can no
// longer be opened) and `refused` (the message must be changed); both give the text back.

import * as api from "./api.js";
import { messageOf, sameText, titleOf } from "./kept.js";
import { knownOf, lastAskedOf, lastNumberOf, ownMessage, shownOf, withOwn, withoutReplaced } from "./said.js";
import { pending } from "./store.js";
import { troubleOf } from "./trouble.js";
import { Turn } from "./turn.js";

const OPEN = ["asked", "interrupted"];
const NEW = { id: null, token: null, handoff: null, contactUntil: null, trouble: null, isBusy: false };

export class Conversation extends EventTarget {
  #store;
  #language;
  #turn = null;

  /** Take the store, and what returns the page's language. */
  constructor(store, language) {
    super();
    this.#store = store;
    this.#language = language;
    // `trouble` is what went wrong with the last message: {kind, message, until}. `ready` is when the
    // conversation of an earlier visit is there.
    Object.assign(this, NEW, { messages: [], isLoading: true, ready: Promise.resolve() });
  }

  get entry() {
    return this.#store.entry(this.id);
  }

  get lastAsked() {
    return lastAskedOf(this.messages);
  }

  get lastNumber() {
    return lastNumberOf(this.messages);
  }

  /** Begin anew. Nothing is kept before the first message. */
  clear() {
    this.stop();
    pending.clear();
    Object.assign(this, NEW, { messages: [] });
    this.#changed();
  }

  /**
   * Open a conversation of the list.
   *
   * `sent` is a message that this tab had sent before it was loaded again.
   */
  async open({ id, token }, sent = null) {
    if (this.id !== id) this.stop();
    try {
      this.#take(id, token, await api.read({ id, token }));
    } catch (error) {
      // Nothing is kept of a conversation whose first message never came through.
      if (error.status === 404 && sent) this.#take(id, token, { messages: [], handoff: null });
      else if (error.isGone) this.#lose(id, sent?.text ?? "");
      else this.#fail({ kind: "notOpened", message: null, open: { id, token } });
    }
    if (sent && this.id === id) this.#resume(sent);
  }

  /** Read it again, after another tab has said something in it. */
  async reread() {
    if (this.id && !this.isBusy) await this.open(this);
  }

  /** Take what has come meanwhile, where no stream of events tells it. */
  async catchUp() {
    const kept = await api.read(this).catch(() => null);
    if (!kept || kept.id !== this.id || this.isBusy) return;
    shownOf(kept.messages).forEach((message) => this.receive(message));
    if (JSON.stringify(kept.handoff) !== JSON.stringify(this.handoff)) this.setHandoff(kept.handoff);
  }

  #take(id, token, kept) {
    const messages = shownOf(kept.messages);
    Object.assign(this, { id, token, messages, handoff: kept.handoff, isBusy: false });
    this.contactUntil = kept.contact_until ? new Date(kept.contact_until) : null;
    const last = messages.at(-1);
    const isOpen = last?.role === "user" && OPEN.includes(last.state);
    this.trouble = isOpen ? { kind: "interrupted", message: last } : null;
    const title = titleOf(messages);
    if (this.entry && title) this.#store.keep(id, { title });
    this.#changed();
  }

  #resume(sent) {
    const asked = this.lastAsked;
    const isKept = asked && sameText(sent.text, asked.content);
    if (isKept && !OPEN.includes(asked.state)) {
      pending.clear();
      return;
    }
    const message = isKept ? asked : ownMessage(sent.text);
    Object.assign(message, { key: sent.key, after: sent.after });
    if (!isKept) this.messages = withOwn(this.messages, message);
    this.trouble = { kind: "interrupted", message };
    this.#changed();
  }

  /** Send a message; `changed` is an earlier one of the customer that it replaces. */
  async send(text, changed = null) {
    if (this.isBusy) return;
    await this.ready;
    const message = ownMessage(text);
    if (changed) {
      message.replaced = this.messages.splice(this.messages.indexOf(changed));
      message.after = this.lastNumber;
    }
    this.messages.push(message);
    this.#tell(changed ? "change" : "added", { message });
    await this.#answer(message);
  }

  /** Try again what went wrong. */
  async retry() {
    const { trouble } = this;
    if (!trouble || this.isBusy) return;
    this.trouble = null;
    this.messages = this.messages.filter((message) => message.state !== "partial");
    this.#tell("change");
    if (trouble.open) await this.open(trouble.open);
    else await this.#answer(trouble.message);
  }

  /** Ask the last question once more. */
  async askAgain() {
    const asked = this.lastAsked;
    if (asked) await this.send(asked.content, asked);
  }

  stop() {
    this.#turn?.stop();
  }

  async #answer(message) {
    const turn = new Turn(message);
    const { reply } = turn;
    this.#turn = turn;
    Object.assign(this, { isBusy: true, trouble: null });
    this.messages.push(reply);
    this.#tell("added", { message: reply });
    this.#tell("state");
    try {
      if (!this.id) await this.#begin();
      this.#noteSent(message);
      this.#finish(turn, await turn.answer(this, (text) => this.#tell("piece", { message: reply, text })));
    } catch (error) {
      this.#break(turn, error);
    }
  }

  async #begin() {
    const given = await api.begin({ language: this.#language(), ...this.#store.visitor });
    Object.assign(this, { id: given.conversation_id, token: given.token });
  }

  #noteSent(message) {
    const { id, token } = this;
    this.#store.keep(id, { token, title: this.entry?.title || titleOf([message]), updated: Date.now() });
    const { key, after, content } = message;
    if (key) pending.set({ id, token, key, after, text: content });
  }

  #finish({ isStopped, message, reply }, decided) {
    if (isStopped) return;
    pending.clear();
    this.isBusy = false;
    if (!decided) {
      this.reread();
      return;
    }
    const isWithPerson = decided.reason === "with_person";
    Object.assign(message, { state: isWithPerson ? "said" : "answered", number: decided.asked });
    Object.assign(reply, { state: "said", frontdesk: decided, number: decided.number });
    if (isWithPerson) this.messages = this.messages.filter((one) => one !== reply);
    this.token = decided.conversation_token ?? this.token;
    this.#store.keep(this.id, { token: this.token, updated: Date.now() });
    this.#tell(isWithPerson ? "change" : "finished", { message: reply });
    this.#tell("state");
    if (decided.action === "handoff") this.#readHandoff();
  }

  #break(turn, error) {
    const { message, reply } = turn;
    if (turn !== this.#turn || !this.messages.includes(reply)) return;
    this.isBusy = false;
    if (reply.content) reply.state = "partial";
    else this.messages = this.messages.filter((one) => one !== reply);
    message.state = "interrupted";
    // Without an id, nothing has begun: the site's signature of the customer is wrong.
    if (error.status === 403 && !this.id) this.#refuse(message, "not_known");
    else if (error.isGone) this.#lose(this.id, message.content);
    else if (error.isRefused) this.#refuse(message, error.code);
    else this.#fail(troubleOf(error, message));
  }

  #lose(id, text) {
    this.#store.forget(id);
    this.clear();
    this.#tell("lost", { text });
  }

  #refuse(message, code) {
    pending.clear();
    this.messages = [...this.messages.filter((one) => one !== message), ...(message.replaced ?? [])];
    this.#changed();
    this.#tell("refused", { text: message.content, code });
  }

  #fail(trouble) {
    this.trouble = trouble;
    this.#changed();
  }

  async #readHandoff() {
    const { id } = this;
    const kept = await api.read(this).catch(() => null);
    if (kept && this.id === id) this.setHandoff(kept.handoff);
  }

  setHandoff(handoff) {
    const before = this.handoff;
    this.handoff = handoff;
    this.#tell("handoff", { before });
  }

  /** Take a message that came by itself: a person's, or what another tab has sent. */
  receive(kept) {
    const known = knownOf(this.messages, kept);
    if (known) {
      known.number = kept.number;
      return;
    }
    const message = messageOf(kept);
    this.messages.push(message);
    const shown = withoutReplaced(this.messages);
    const name = shown.length < this.messages.length ? "change" : "added";
    this.messages = shown;
    this.#tell(name, { message, hasCome: kept.role !== "user" });
  }

  /** Add a line that nobody said; `say` is its string. */
  addLine(say, gaps) {
    const message = { role: "line", say, gaps, created: new Date() };
    this.messages.push(message);
    this.#tell("added", { message });
  }

  #changed() {
    this.isLoading = false;
    this.#tell("change");
    this.#tell("state");
    this.#tell("handoff", { before: this.handoff });
  }

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
