// Calls the server. Each call throws an ApiError; its status is 0 where no answer came.

import { readEvents } from "./sse.js";

// Milliseconds without a byte after which a stream counts as broken: a turn may wait for its place
// and then for a model; a stream of events has a sign of life every 15 seconds.
const TURN_SILENCE = 180000;
const EVENTS_SILENCE = 45000;
const DEFAULT_WAIT = 10;
const GONE = [401, 403, 404];
const REFUSED = [400, 413, 422];

export class ApiError extends Error {
  constructor(status, code = "", wait = 0) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
    // Seconds after which it may be tried again.
    this.wait = wait;
  }

  /** Whether a conversation can no longer be opened. */
  get isGone() {
    return GONE.includes(this.status);
  }

  /** Whether a message must be changed. */
  get isRefused() {
    return REFUSED.includes(this.status);
  }
}

async function call(method, path, { token, body, headers = {}, signal } = {}) {
  const sent = { ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body) sent["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method, signal, headers: sent, body: body && JSON.stringify(body), credentials: "omit",
    });
  } catch (error) {
    throw error.name === "AbortError" ? error : new ApiError(0, "unreachable");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function errorOf(response) {
  const wait = Number(response.headers.get("Retry-After")) || DEFAULT_WAIT;
  const told = await response.json().catch(() => ({}));
  return new ApiError(response.status, told.error?.code ?? "", wait);
}

const at = (conversation, rest = "") => `/v1/conversations/${conversation.id}${rest}`;
const json = (response) => response.json();

export function begin(visitor) {
  return call("POST", "/v1/conversations", { body: visitor }).then(json);
}

/** Send a message, and return what its turn decided; `onPiece` gets the text as it comes. */
export async function ask({ id, token }, { content, key, after }, onPiece, signal) {
  const body = { messages: [{ role: "user", content }], conversation_id: id, stream: true };
  if (after !== null) body.after = after;
  const headers = { "Idempotency-Key": key };
  const sent = { token, body, headers, signal };
  return turnOf(await call("POST", "/v1/chat/completions", sent), onPiece);
}

/** Have the last message answered whose reply was interrupted. */
export async function again(conversation, onPiece, signal) {
  const { token } = conversation;
  return turnOf(await call("POST", at(conversation, "/again"), { token, signal }), onPiece);
}

async function turnOf(response, onPiece) {
  let decided = null;
  let isDone = false;
  const take = ({ data }) => {
    if (data === "[DONE]") {
      isDone = true;
      return;
    }
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(500, chunk.error.code);
    const delta = chunk.choices?.[0]?.delta ?? {};
    if (delta.content) onPiece(delta.content);
    decided = delta.frontdesk ?? decided;
  };
  try {
    await readEvents(response, take, TURN_SILENCE);
  } catch (error) {
    throw error instanceof ApiError || error.name === "AbortError" ? error : new ApiError(0);
  }
  if (!decided && !isDone) throw new ApiError(0, "broken");
  return decided;
}

export function read(conversation) {
  return call("GET", at(conversation), { token: conversation.token }).then(json);
}

/** Follow a conversation until the stream ends or breaks; `onEvent` gets its name and data. */
export async function follow(conversation, after, onEvent, signal) {
  const path = at(conversation, `/events?after=${after}`);
  const response = await call("GET", path, { token: conversation.token, signal });
  const take = ({ event, data }) => onEvent(event, JSON.parse(data));
  await readEvents(response, take, EVENTS_SILENCE);
}

export function quotes(conversation, number) {
  return call("GET", at(conversation, `/quotes/${number}`), { token: conversation.token }).then(json);
}

export function exported(conversation) {
  return call("GET", at(conversation, "/export"), { token: conversation.token }).then(json);
}

export function judge({ id, token }, judgement) {
  return call("POST", "/v1/feedback", { token, body: { conversation_id: id, ...judgement } });
}

export function leaveContact(conversation, how) {
  const sent = { token: conversation.token, body: { how } };
  return call("POST", at(conversation, "/contact"), sent).then(json);
}

export function remove(conversation) {
  return call("DELETE", at(conversation), { token: conversation.token });
}

export function people() {
  return call("GET", "/v1/people").then(json);
}
