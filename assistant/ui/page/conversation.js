// The open conversation: its messages, what is being answered, and what went wrong.
//
// Events: `change` (draw all anew), `added` (one message more), `piece` (text of the reply that is
// written), `finished` (that reply), `state` (busy or not, trouble), `handoff`, `lost` (it can no
// longer be opened) and `refused` (the message must be changed); both give the text back.

import * as api from "./api.js";
import { randomId } from "./dom.js";
import { messageOf, sameText, shownOf, titleOf } from "./kept.js";
import { pending } from "./store.js";
import { troubleOf } from "./trouble.js";
import { decide, isGone, isRefused } from "./turn.js";

const OPEN = ["asked", "interrupted"];
const NEW = { id: null, token: null, handoff: null, contactUntil: null, trouble: null, isBusy: false };

export class Conversation extends EventTarget {
  #store;
  #language;
  #aborting = null;

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
    return this.messages.findLast((message) => message.role === "user");
  }

  /** The number of the last message that the server has given. */
  get lastNumber() {
    return Math.max(0, ...this.messages.map((message) => message.number ?? 0));
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
      else if (isGone(error)) this.#lose(id, sent?.text ?? "");
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
    shownOf(kept.messages, this.entry?.hidden ?? []).forEach((message) => this.receive(message));
    if (JSON.stringify(kept.handoff) !== JSON.stringify(this.handoff)) this.setHandoff(kept.handoff);
  }

  #take(id, token, kept) {
    const messages = shownOf(kept.messages, this.#store.entry(id)?.hidden ?? []);
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
    if (!isKept) this.messages.push(message);
    this.trouble = { kind: "interrupted", message };
    this.#changed();
  }

  /** Send a message; `changed` is an earlier one of the customer that it replaces. */
  async send(text, changed = null) {
    if (this.isBusy) return;
    await this.ready;
    const message = ownMessage(text);
    if (changed) {
      message.after = this.#numberBefore(changed);
      this.messages = this.messages.slice(0, this.messages.indexOf(changed));
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
    this.#aborting?.abort();
  }

  #numberBefore(message) {
    const before = this.messages.slice(0, this.messages.indexOf(message));
    return Math.max(0, ...before.map((one) => one.number ?? 0));
  }

  async #answer(message) {
    const reply = { role: "assistant", content: "", state: "writing", created: new Date() };
    const turn = { message, reply, aborting: new AbortController() };
    this.#aborting = turn.aborting;
    Object.assign(this, { isBusy: true, trouble: null });
    this.messages.push(reply);
    this.#tell("added", { message: reply });
    this.#tell("state");
    try {
      if (!this.id) await this.#begin();
      this.#noteSent(message);
      const onPiece = (text) => this.#write(turn, text);
      this.#finish(turn, await decide(this, message, onPiece, turn.aborting.signal));
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

  #write({ aborting, reply }, text) {
    if (aborting.signal.aborted) return;
    reply.content += text;
    this.#tell("piece", { message: reply, text });
  }

  #finish({ aborting, message, reply }, decided) {
    if (aborting.signal.aborted) return;
    pending.clear();
    this.isBusy = false;
    if (!decided) {
      this.reread();
      return;
    }
    const isWithPerson = decided.reason === "with_person";
    message.state = isWithPerson ? "said" : "answered";
    Object.assign(reply, { state: "said", frontdesk: decided, number: decided.number });
    if (isWithPerson) this.messages = this.messages.filter((one) => one !== reply);
    this.#noteAnswered(message, decided);
    this.#tell(isWithPerson ? "change" : "finished", { message: reply });
    this.#tell("state");
    if (decided.action === "handoff") this.#readHandoff();
  }

  #noteAnswered({ after }, { number, conversation_token: token }) {
    this.token = token ?? this.token;
    const values = { token: this.token, updated: Date.now() };
    // What a changed message has replaced lies between two numbers.
    const isChanged = Number.isInteger(after) && number;
    if (isChanged) values.hidden = [...(this.entry?.hidden ?? []), [after, number - 1]];
    this.#store.keep(this.id, values);
  }

  #break({ aborting, message, reply }, error) {
    if (aborting !== this.#aborting || !this.messages.includes(reply)) return;
    this.isBusy = false;
    if (reply.content) reply.state = "partial";
    else this.messages = this.messages.filter((one) => one !== reply);
    message.state = "interrupted";
    if (isGone(error)) this.#lose(this.id, message.content);
    else if (isRefused(error)) this.#refuse(message, error);
    else this.#fail(troubleOf(error, message));
  }

  #lose(id, text) {
    this.#store.forget(id);
    this.clear();
    this.#tell("lost", { text });
  }

  #refuse(message, error) {
    pending.clear();
    this.messages = this.messages.filter((one) => one !== message);
    this.#changed();
    this.#tell("refused", { text: message.content, code: error.code });
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
    const { role, number, content } = kept;
    if (this.messages.some((one) => one.number === number && one.role === role)) return;
    const own = this.messages.find((one) => !one.number && one.role === role && sameText(one.content, content));
    if (own) {
      own.number = number;
      return;
    }
    const message = messageOf(kept);
    this.messages.push(message);
    this.#tell("added", { message, hasCome: role !== "user" });
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

function ownMessage(content) {
  const created = new Date();
  return { role: "user", content, created, after: null, key: randomId(), state: "asked" };
}
