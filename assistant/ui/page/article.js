// Draws an article's Markdown as text, with the quoted words marked where they stand.

import { el } from "./dom.js";

const HEADING = /^(#{1,6})\s+/;
const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+/;
const ROW = /^\s*\|/;
const RULE = /^[\s|:-]+$/;
// What is not shown of a line: signs for bold, italics and code, and where a link leads.
const HIDDEN = /\*\*|__|`|!?\[(?=[^\]]*\]\()|\]\([^)]*\)/g;

/** Return a quote as it is read: without signs of Markdown, the cells of a row after each other. */
export function plainQuote(text) {
  return text.replace(HIDDEN, "").replace(/^[\s|]+|[\s|]+$/g, "").replace(/\s*\|\s*/g, " · ");
}

/** Return the elements of an article; `marks` are ranges {start, end, number} in its text. */
export function drawArticle(text, marks) {
  const body = el("div", { class: "article" });
  for (const block of blocksOf(text)) {
    const draw = { heading: drawHeading, list: drawList, table: drawTable, text: drawText }[block.kind];
    body.append(draw(block.lines, (from, to) => inline(text, from, to, marks)));
  }
  return body;
}

/** Return runs of lines of one kind, each line with its place in the text. */
function blocksOf(text) {
  const blocks = [];
  let start = 0;
  let last = null;
  for (const line of text.split("\n")) {
    const kind = kindOf(line);
    const place = { text: line, start, end: start + line.length };
    start = place.end + 1;
    if (kind && kind === last && kind !== "heading") blocks.at(-1).lines.push(place);
    else if (kind) blocks.push({ kind, lines: [place] });
    last = kind;
  }
  return blocks;
}

function kindOf(line) {
  if (!line.trim()) return null;
  if (HEADING.test(line)) return "heading";
  if (ROW.test(line)) return "table";
  return ITEM.test(line) ? "list" : "text";
}

function drawHeading([line], shown) {
  const [sign] = line.text.match(HEADING);
  return el("h4", {}, shown(line.start + sign.length, line.end));
}

function drawText(lines, shown) {
  return el("p", {}, shown(lines[0].start, lines.at(-1).end));
}

/** The numbers and dots of the article itself are shown, so that each step keeps its number. */
function drawList(lines, shown) {
  const items = lines.map((line) => {
    const [sign] = line.text.match(ITEM);
    const isNumber = /\d/.test(sign);
    const from = isNumber ? line.start : line.start + sign.length;
    return el("li", { class: isNumber ? "numbered" : "dotted" }, shown(from, line.end));
  });
  return el("ul", {}, items);
}

function drawTable(lines, shown) {
  const rows = lines.filter((line) => !RULE.test(line.text));
  const cells = (line, tag) => cellsOf(line).map(([from, to]) => el(tag, {}, shown(from, to)));
  const [head, ...others] = rows;
  const body = others.map((line) => el("tr", {}, cells(line, "td")));
  const table = el("table", {}, el("thead", {}, el("tr", {}, cells(head, "th"))), el("tbody", {}, body));
  return el("div", { class: "wide", tabindex: "0", role: "group" }, table);
}

function cellsOf({ text, start }) {
  const bars = Array.from(text.matchAll(/(?<!\\)\|/g), (bar) => bar.index);
  const ends = text.trimEnd().endsWith("|") ? bars.slice(1) : [...bars.slice(1), text.length];
  return ends.map((end, place) => [start + bars[place] + 1, start + end]);
}

/** Return the nodes of a range of the text, with marks around what was quoted. */
function inline(text, from, to, marks) {
  const cuts = new Set([from, to]);
  for (const { start, end } of marks) [start, end].forEach((cut) => cut > from && cut < to && cuts.add(cut));
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(0, -1).map((start, place) => {
    const shown = text.slice(start, places[place + 1]).replace(HIDDEN, "");
    const mark = marks.find((one) => one.start <= start && start < one.end);
    return mark && shown.trim() ? el("mark", { "data-number": mark.number }, shown) : shown;
  });
}
