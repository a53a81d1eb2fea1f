// The text of a reply, with the number of its source after each run of sentences from it.

import { el } from "./dom.js";
import { t } from "./language.js";

/** Return the text without the list of choices at its end: they are buttons below it. */
export function withoutChoices(text, choices = []) {
  const lines = text.split("\n");
  const isChoice = (line) => choices.includes(line.replace(/^\s*\d+[.)、]\s*/, "").trim());
  while (choices.length && lines.length > 1 && isChoice(lines.at(-1))) lines.pop();
  return lines.join("\n").trimEnd();
}

/**
 * Return the parts of a text: pieces of it, and after those the number of a source or null.
 */
export function partsOf(text, { sources = [], support = [] }) {
  const numbers = new Map(sources.flatMap(({ number, citations }) => citations.map((one) => [one, number])));
  const cited = support.map(({ citation }) => numbers.get(citation) ?? null);
  const parts = [];
  let position = 0;
  support.forEach(({ sentence }, place) => {
    const start = text.indexOf(sentence, position);
    if (start < 0) return;
    const end = start + sentence.length;
    const mark = cited[place] !== cited[place + 1] ? cited[place] : null;
    parts.push({ text: text.slice(position, end), mark });
    position = end;
  });
  return [...parts, { text: text.slice(position), mark: null }].filter((part) => part.text);
}

/** Return the nodes of a reply's text; `onMark` opens a source by its number. */
export function markedText(text, decided, onMark) {
  return partsOf(text, decided).flatMap((part) => {
    if (!part.mark) return [part.text];
    // A number never stands alone in the next line.
    const [end] = part.text.match(/\S{0,2}$/u);
    const mark = el("span", { class: "cited" }, end, markOf(part.mark, decided, onMark));
    return [part.text.slice(0, part.text.length - end.length), mark];
  });
}

function markOf(number, { sources }, onMark) {
  const { title } = sources.find((source) => source.number === number);
  const label = t("source", { number, title });
  const on = { click: (event) => onMark(number, event.currentTarget) };
  return el("sup", {}, el("button", { type: "button", class: "mark", "aria-label": label, on }, String(number)));
}
