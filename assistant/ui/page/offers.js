// What may come next, below the last reply: choices of a clarifying question, or suggestions.

import { button, el } from "./dom.js";
import { t } from "./language.js";

const MOST = 3;

/** Return the buttons below the last reply; null where there is nothing to offer. */
export function drawOffers(conversation, page) {
  const last = conversation.messages.at(-1);
  const decided = last?.frontdesk;
  if (!decided || conversation.isBusy || conversation.trouble) return null;
  if (decided.choices?.length) return drawChoices(decided, conversation);
  const suggestions = mayGoOn(decided) ? (decided.suggestions ?? []).slice(0, MOST) : [];
  return suggestions.length ? drawSuggestions(suggestions, decided, page) : null;
}

/** Return whether it is fitting to suggest more: not to somebody unhappy or in danger. */
function mayGoOn({ action, urgent, sentiment }) {
  return ["answer", "small_talk"].includes(action) && !urgent && sentiment !== "negative";
}

/** A tap on a choice sends it: it answers the question. */
function drawChoices({ choices, language }, conversation) {
  const buttons = choices.map((choice) => button(choice, () => conversation.send(choice), { class: "pill choice-button", dir: "auto" }));
  return el("div", { class: "offers", role: "group", "aria-label": t("choices"), lang: language || false }, buttons);
}

/** A tap on a suggestion fills the composer, where it can be seen before it is sent. */
function drawSuggestions(suggestions, { language }, page) {
  const buttons = suggestions.map((text) => button(text, () => page.fill(text), { class: "pill suggestion", dir: "auto", lang: language || false }));
  const heading = el("p", { class: "heading" }, t("suggestions"));
  return el("div", { class: "offers", role: "group", "aria-label": t("suggestions") }, heading, buttons);
}
