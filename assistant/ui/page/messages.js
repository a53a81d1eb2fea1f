// Draws one message, and changes it while it is written.

import { actionsOf } from "./actions.js";
import { el, hidden, icon, button } from "./dom.js";
import { t, timeOf } from "./language.js";
import { markedText, withoutChoices } from "./marks.js";
import { drawSources, opener } from "./sources.js";

/** Return what stands before a message for screen readers, and above a person's for everybody. */
function nameOf(message) {
  if (message.role === "user") return t("you");
  return message.role === "person" ? message.author || t("person") : t("assistant");
}

function timeElement(message) {
  return el("time", { datetime: message.created.toISOString() }, timeOf(message.created));
}

/** Return a line that nobody said: who has joined, and that the assistant is back. */
function drawLine(message) {
  const text = t(message.say, message.gaps);
  return { element: el("p", { class: "line" }, text), write: () => {}, finish: () => {} };
}

/**
 * Return a drawn message: its element, `write` for a piece of text, `finish` for the whole reply.
 *
 * Args: the message, the conversation, and what the page does: edit, announce.
 */
export function drawMessage(message, conversation, page) {
  if (message.role === "line") return drawLine(message);
  const text = document.createTextNode(shownText(message));
  const body = el("div", { class: "text", dir: "auto" }, text);
  const heading = el("h3", { class: message.role === "person" ? "name" : "for-readers" }, nameOf(message));
  const foot = el("div", { class: "foot" }, timeElement(message));
  const element = el("article", { class: `message ${message.role}` }, heading, body, foot);
  const drawn = { element, body, text, foot };
  if (message.role === "user") finishOwn(drawn, message, page);
  else if (message.state === "writing") wait(drawn);
  else finishReply(drawn, message, conversation, page);
  return {
    element,
    write: (piece) => write(drawn, piece),
    finish: () => finishReply(drawn, message, conversation, page),
  };
}

function shownText({ content, frontdesk }) {
  return withoutChoices(content, frontdesk?.choices);
}

function finishOwn({ foot }, message, page) {
  if (message.state === "said") foot.append(el("span", {}, t("delivered")));
  const edit = button([icon("edit"), t("edit")], () => page.edit(message), { class: "quiet edit" });
  foot.append(edit);
}

function wait({ element, body, text }) {
  element.classList.add("writing");
  const looking = el("span", { class: "looking" }, t("lookingUp"));
  if (!text.data) body.append(looking);
}

function write({ body, text }, piece) {
  body.querySelector(".looking")?.remove();
  text.appendData(piece);
}

function finishReply({ element, body, foot }, message, conversation, page) {
  element.classList.remove("writing");
  element.classList.toggle("partial", message.state === "partial");
  const decided = message.frontdesk;
  if (!decided) {
    body.replaceChildren(shownText(message));
    return;
  }
  element.setAttribute("lang", decided.language === "zh" ? "zh" : decided.language || "en");
  const open = opener(conversation, message);
  const openSource = (number, from) => {
    const source = decided.sources.find((one) => one.number === number);
    open(source.citations[0], from);
  };
  body.replaceChildren(...markedText(shownText(message), decided, openSource));
  element.querySelector(".sources")?.remove();
  if (decided.sources?.length) body.after(drawSources(decided, open));
  foot.append(actionsOf(message, conversation, { ...page, element }));
}
