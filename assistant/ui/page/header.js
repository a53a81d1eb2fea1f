// The line at the top: whose assistant this is, a person, and the menu.

import { button, el, icon, iconButton } from "./dom.js";
import { current, isChinese, LANGUAGES, ofCompany, t } from "./language.js";

/** Return the header; `does` holds what its buttons do. */
export function drawHeader({ settings, signal, isEmbedded }, does) {
  const name = ofCompany(settings.company);
  const heading = el("div", { class: "heading" }, el("h1", { dir: "auto" }, name), el("p", {}, t("automatic")));
  const talk = button([icon("person"), el("span", {}, t("talk"))], does.talk, { class: "pill talk" });
  const close = isEmbedded ? iconButton("close", t("closeChat"), does.close) : null;
  const row = el("div", { class: "row" }, drawLogo(settings, name), heading, talk, drawMenu(does, signal), close);
  return el("header", { class: "top" }, row);
}

function drawLogo({ look }, name) {
  if (look?.logo) return el("img", { src: look.logo, alt: "", class: "logo" });
  return el("span", { class: "logo", "aria-hidden": "true" }, Array.from(name)[0] ?? "");
}

function drawMenu(does, signal) {
  const list = el("div", { class: "menu", id: "frontdesk-menu", hidden: true }, itemsOf(does));
  const open = iconButton("menu", t("menu"), () => show(list.hidden), { "aria-expanded": "false", "aria-controls": list.id });
  const show = (isShown) => {
    list.hidden = !isShown;
    open.setAttribute("aria-expanded", String(isShown));
    if (isShown) list.querySelector("button").focus();
  };
  list.addEventListener("click", (event) => {
    if (!event.target.closest("button, a")) return;
    show(false);
    // What it has opened may have taken the focus.
    if (!document.querySelector("dialog[open]") && open.isConnected) open.focus();
  });
  const holder = el("div", { class: "menu-holder" }, open, list);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || list.hidden) return;
    event.preventDefault();
    show(false);
    open.focus();
  }, { signal });
  holder.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !holder.contains(relatedTarget)) show(false);
  });
  addEventListener("pointerdown", ({ target }) => {
    if (!list.hidden && !holder.contains(target)) show(false);
  }, { signal });
  return holder;
}

function itemsOf(does) {
  const item = (name, action) => button(t(name), action, { class: "item" });
  const privacy = `/privacy?lang=${isChinese() ? "zh" : "en"}`;
  return [
    item("begin", does.begin),
    item("earlier", does.earlier),
    item("downloadText", does.downloadText),
    item("downloadJson", does.downloadJson),
    item("remove", does.remove),
    el("a", { href: privacy, target: "_blank", rel: "noopener", class: "item" }, t("privacy")),
    drawLanguages(does),
  ];
}

function drawLanguages(does) {
  const buttons = Object.entries(LANGUAGES).map(([language, name]) =>
    button(name, () => does.speak(language), {
      class: "pill", lang: language, "aria-pressed": String(language === current()),
    }));
  return el("div", { class: "languages", role: "group", "aria-label": t("language") }, buttons);
}
