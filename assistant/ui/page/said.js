// The messages of a conversation as a list, the oldest first: those that are shown.

import { randomId } from "./dom.js";
import { messageOf, sameText } from "./kept.js";

/** Return a message that the customer sends now. */
export function ownMessage(content) {
  return { role: "user", content, created: new Date(), after: null, key: randomId(), state: "asked" };
}

/** Return the messages to show of those that the server keeps. */
export function shownOf(kept) {
  return withoutReplaced(kept).map(messageOf);
}

/** Return the messages without those that a changed one has replaced; what a person said stays. */
export function withoutReplaced(messages) {
  const changes = messages.filter(({ after }) => Number.isInteger(after));
  const isReplaced = ({ role, number }) =>
    role !== "person" && changes.some((one) => number > one.after && number < one.number);
  return messages.filter((message) => !isReplaced(message));
}

/** Return the messages with one more of the customer's, which may replace earlier ones. */
export function withOwn(messages, own) {
  const isReplaced = ({ role, number }) => role !== "person" && Number.isInteger(own.after) && number > own.after;
  return [...messages.filter((message) => !isReplaced(message)), own];
}

export function lastAskedOf(messages) {
  return messages.findLast((message) => message.role === "user");
}

/** Return the last number that the server has given; 0 for none. */
export function lastNumberOf(messages) {
  return Math.max(0, ...messages.map((message) => message.number ?? 0));
}

/** Return the message that is there already, if a kept one is. */
export function knownOf(messages, { role, number, content }) {
  const ofRole = messages.filter((one) => one.role === role);
  const isSame = (one) => !one.number && sameText(one.content, content);
  return ofRole.find((one) => one.number === number) ?? ofRole.find(isSame);
}
