// Follows a conversation while a person is called or has it.
//
// A browser opens six connections to a host, so one tab follows a conversation and tells the others
// of it, and a browser follows a few conversations at most. All else looks again from time to time.

import { follow } from "./api.js";

const SLOTS = ["1", "2", "3"];
const LOOK = 3000;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;

export class Live {
  #conversation;
  #channel = new BroadcastChannel("frontdesk");
  #following = null;
  #held = [];

  constructor(conversation) {
    this.#conversation = conversation;
    conversation.addEventListener("handoff", () => this.#begin());
    conversation.addEventListener("state", () => this.#giveHeld());
    conversation.addEventListener("finished", () => this.#post("said"));
    this.#channel.onmessage = ({ data }) => this.#hear(data);
  }

  #begin() {
    const { id, handoff } = this.#conversation;
    if (this.#following && (!handoff || this.#following.id !== id)) this.#end();
    if (!handoff || this.#following) return;
    const aborting = new AbortController();
    this.#following = { id, aborting };
    this.#inOneTab(id, aborting.signal).catch(() => {});
  }

  #end() {
    this.#following?.aborting.abort();
    this.#following = null;
  }

  async #inOneTab(id, signal) {
    try {
      return await navigator.locks.request(`frontdesk-${id}`, { signal }, () => this.#inOneSlot(signal));
    } catch {
      // Pages without HTTPS have no locks, and browsers may deny them to frames of other sites.
      return this.#look(signal);
    }
  }

  async #inOneSlot(signal, [slot, ...others] = SLOTS) {
    if (!slot) return this.#look(signal);
    return navigator.locks.request(`frontdesk-slot-${slot}`, { ifAvailable: true }, (lock) =>
      lock ? this.#follow(signal) : this.#inOneSlot(signal, others));
  }

  async #follow(signal) {
    const conversation = this.#conversation;
    let pause = FIRST_WAIT;
    while (!signal.aborted) {
      try {
        await follow(conversation, conversation.lastNumber, (name, data) => {
          pause = FIRST_WAIT;
          this.#take(name, data);
          this.#post("event", { name, data });
        }, signal);
      } catch (error) {
        if (error.isGone) return;
      }
      await waited(pause * (1 + Math.random()), signal);
      pause = Math.min(pause * 2, LONGEST_WAIT);
    }
  }

  async #look(signal) {
    while (!signal.aborted) {
      await waited(LOOK, signal);
      if (!signal.aborted) await this.#conversation.catchUp();
    }
  }

  #hear({ id, kind, name, data }) {
    if (id !== this.#conversation.id) return;
    if (kind === "event") this.#take(name, data);
    // With a handoff open, the event tells of it.
    else if (!this.#conversation.handoff) this.#conversation.reread();
  }

  #take(name, data) {
    // The reply that this tab is writing comes as an event, too.
    if (this.#conversation.isBusy) this.#held.push([name, data]);
    else if (name === "handoff") this.#conversation.setHandoff(data);
    else if (name === "message") this.#conversation.receive(data);
  }

  #giveHeld() {
    if (this.#conversation.isBusy) return;
    for (const [name, data] of this.#held.splice(0)) this.#take(name, data);
  }

  #post(kind, more = {}) {
    this.#channel.postMessage({ id: this.#conversation.id, kind, ...more });
  }
}

/** Wait; less when the network comes back or the stream is no longer wanted. */
function waited(milliseconds, signal) {
  return new Promise((resolve) => {
    const stop = new AbortController();
    const done = () => {
      stop.abort();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done, { signal: stop.signal });
    signal.addEventListener("abort", done, { signal: stop.signal });
  });
}
