// Sends a message, or asks for an interrupted answer again, until there is a reply.

import * as api from "./api.js";

const BUSY_WAIT = 2000;
const BUSY_TRIES = 60;

/** One turn: a message of the customer's, and the reply that is written to it. */
export class Turn {
  #aborting = new AbortController();
  reply = { role: "assistant", content: "", state: "writing", created: new Date() };

  constructor(message) {
    this.message = message;
  }

  get isStopped() {
    return this.#aborting.signal.aborted;
  }

  stop() {
    this.#aborting.abort();
  }

  /** Return what was decided; null if it was answered meanwhile. `onPiece` gets the text. */
  answer(conversation, onPiece) {
    const write = (text) => {
      if (this.isStopped) return;
      this.reply.content += text;
      onPiece(text);
    };
    return decide(conversation, this.message, write, this.#aborting.signal);
  }
}

async function decide(conversation, message, onPiece, signal) {
  for (let tries = 0; ; tries += 1) {
    try {
      // A message that this tab has not sent itself has no key.
      if (message.key) return await api.ask(conversation, message, onPiece, signal);
      return await api.again(conversation, onPiece, signal);
    } catch (error) {
      if (error.status !== 409) throw error;
      if (error.code !== "busy") return null;
      // The server is still at the first try of it.
      if (tries >= BUSY_TRIES) throw error;
      await new Promise((resolve) => { setTimeout(resolve, BUSY_WAIT); });
      signal.throwIfAborted();
    }
  }
}
