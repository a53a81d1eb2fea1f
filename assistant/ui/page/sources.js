// The sources of a reply: folded under it, and their articles in a drawer beside the chat.

import * as api from "./api.js";
import { drawArticle, plainQuote } from "./article.js";
import { openDialog } from "./dialogs.js";
import { button, el, said } from "./dom.js";
import { t } from "./language.js";

/** Return the folded sources of a reply; `open` shows a quote by its number. */
export function drawSources({ sources, citations }, open) {
  const summary = el("summary", {}, t("sources", { count: sources.length }));
  const cards = sources.map((source) => drawCard(source, citations, open));
  return el("details", { class: "sources" }, summary, el("ol", {}, cards));
}

function drawCard(source, citations, open) {
  const quotes = source.citations.map((number) => citations.find((one) => one.number === number));
  const title = said("p", `${source.number}. ${source.title}`, { class: "title", lang: source.lang });
  const words = quotes.map(({ quote }) => said("blockquote", plainQuote(quote), { lang: source.lang }));
  const show = button(t("showInArticle"), (event) => open(quotes[0].number, event.currentTarget), {
    class: "link", "aria-label": `${t("showInArticle")}: ${source.title}`,
  });
  return el("li", { class: "card" }, title, words, show);
}

/** Return what opens a quote of a reply in the drawer; what was read is kept for the next one. */
export function opener(conversation, message) {
  let reading = null;
  return async (number, from) => {
    reading ??= api.quotes(conversation, message.number);
    const read = await reading.catch(() => null);
    if (!read) reading = null;
    showArticle(message.frontdesk, number, read?.quotes ?? [], from);
  };
}

function showArticle({ citations }, number, quotes, from) {
  const citation = citations.find((one) => one.number === number);
  const quote = quotes.find((one) => one.number === number);
  const body = quote ? drawQuoted(quote, quotes) : el("p", {}, t("noArticle"));
  const link = el("a", { href: citation.url, target: "_blank", rel: "noopener", class: "link" }, t("openArticle"));
  const told = quote?.changed ? el("p", { class: "notice" }, t("changed")) : null;
  openDialog({ title: quote?.title ?? citation.title, lang: citation.lang, kind: "drawer", from }, told, body, link);
  const mark = body.querySelector(`mark[data-number="${number}"]`);
  mark?.scrollIntoView({ block: "center" });
}

function drawQuoted(quote, quotes) {
  const isSame = (one) => one.article === quote.article && one.lang === quote.lang && one.text === quote.text;
  const body = drawArticle(quote.text, quotes.filter(isSame));
  body.setAttribute("lang", quote.lang);
  body.setAttribute("dir", "auto");
  return body;
}
