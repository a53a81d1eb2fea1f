// One turn: sends a message, or asks for an interrupted answer again, until there is a reply.

import * as api from "./api.js";

const BUSY_WAIT = 2000;
const BUSY_TRIES = 60;
const GONE = [401, 403, 404];
const REFUSED = [400, 413, 422];

/** Return what was decided on a message; null if it was answered meanwhile. */
export async function decide(conversation, message, onPiece, signal) {
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

/** Return whether an error says that a conversation can no longer be opened. */
export function isGone(error) {
  return GONE.includes(error.status);
}

/** Return whether an error says that a message must be changed. */
export function isRefused(error) {
  return REFUSED.includes(error.status);
}
