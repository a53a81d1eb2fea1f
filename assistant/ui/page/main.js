// Draws the chat page. It does not wait for Gradio, whose page this is, and covers what that draws.

import { Attention } from "./attention.js";
import { paint } from "./colours.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { el } from "./dom.js";
import { download, removeOpen, showEarlier } from "./earlier.js";
import { askedColour, askedLanguage, isEmbedded, outsideStore, tell } from "./embed.js";
import { drawHeader } from "./header.js";
import * as language from "./language.js";
import { Live } from "./live.js";
import { Log } from "./log.js";
import { noteWhoIsThere, Person } from "./person.js";
import { opened, pending, Store } from "./store.js";
import { retryWhenOnline } from "./trouble.js";

const { t } = language;
const SHOWN = 6000;
const settings = JSON.parse(document.getElementById("frontdesk-settings").textContent);
const root = el("div", { id: "frontdesk", class: isEmbedded ? "embedded" : false });
const store = new Store();
const conversation = new Conversation(store, language.current);
const ended = new EventTarget();
const status = el("div", { role: "status", class: "for-readers" });
const toast = el("p", { class: "toast", hidden: true, "aria-hidden": "true" });
const offline = el("p", { class: "offline", role: "status" });
let parts = null;
let toastTimer;

/** Say something to screen readers, and show it for a while if it is not seen elsewhere. */
function announce(text, { isShown = false } = {}) {
  status.textContent = text;
  if (!isShown) return;
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.hidden = true; }, SHOWN);
}

const does = {
  talk: () => conversation.send(t("talkWish")),
  begin,
  earlier: () => showEarlier(conversation, { store }, open),
  downloadText: () => download(conversation, { settings, announce }, "text"),
  downloadJson: () => download(conversation, { settings, announce }, "json"),
  remove: () => removeOpen(conversation, { store, announce }),
  close: () => tell({ frontdesk: "close" }),
  speak: async (chosen) => {
    await language.choose(chosen, settings.version);
    draw();
  },
};

/** Draw the page, in the language that is spoken now. */
function draw() {
  parts?.ending.abort();
  const ending = new AbortController();
  const page = { settings, store, ended, announce, isEmbedded, signal: ending.signal };
  page.fill = (text) => parts.composer.fill(text);
  page.edit = (message) => parts.composer.change(message);
  page.focus = () => parts.composer.focus();
  const log = new Log(conversation, page);
  const composer = new Composer(conversation, page);
  const person = new Person(conversation, page);
  parts = { ending, log, composer };
  const foot = el("footer", { class: "bottom" }, person.typing, offline, person.element, toast, composer.element);
  root.replaceChildren(drawHeader(page, does), log.element, foot, status);
  showOffline();
  showTalk();
  attention.title = language.ofCompany(settings.company);
}

function showOffline() {
  offline.hidden = navigator.onLine;
  offline.textContent = navigator.onLine ? "" : t("offline");
}

/** Nobody needs to ask for a person who is called already. */
function showTalk() {
  const talk = root.querySelector(".talk");
  const hadFocus = document.activeElement === talk;
  talk.hidden = Boolean(conversation.handoff);
  if (talk.hidden && hadFocus) parts.log.scroller.focus();
}

function begin() {
  const { id, token, messages } = conversation;
  const wasAnswered = messages.some((message) => message.frontdesk);
  conversation.clear();
  if (wasAnswered) ended.dispatchEvent(new CustomEvent("ended", { detail: { id, token } }));
  parts.composer.focus();
}

async function open(entry) {
  await conversation.open(entry);
  parts.composer.focus();
}

/** Open what was open in this tab, or else the last conversation of this browser. */
async function openLast() {
  store.open(await outsideStore());
  const sent = pending.get();
  const known = opened.get();
  const last = known === "none" ? null : store.entry(known) ?? store.entries[0];
  if (sent) await conversation.open(sent, sent);
  else if (last) await conversation.open(last);
  else conversation.clear();
}

function listen() {
  conversation.addEventListener("added", ({ detail: { message, hasCome } }) => {
    if (message.state === "writing") announce(t("lookingUp"));
    else if (hasCome) announce(message.content);
  });
  conversation.addEventListener("handoff", showTalk);
  conversation.addEventListener("finished", ({ detail }) => announce(detail.message.content));
  conversation.addEventListener("state", () => {
    opened.set(conversation.id ?? "none");
    if (conversation.trouble) announce(t(conversation.trouble.kind, { seconds: "" }));
  });
  conversation.addEventListener("lost", ({ detail }) => giveBack(detail.text, t("lost")));
  conversation.addEventListener("refused", ({ detail: { text, code } }) => {
    const known = ["empty", "too_long", "unreadable", "no_words", "not_known"];
    giveBack(text, t(`invalid.${known.includes(code) ? code : "other"}`));
  });
  // Last of all: what has taken Escape for itself has prevented its default.
  addEventListener("keydown", (event) => {
    const isFree = !event.defaultPrevented && !event.isComposing && !document.querySelector("dialog[open]");
    if (event.key === "Escape" && isFree) does.close();
  });
  for (const name of ["online", "offline"]) addEventListener(name, showOffline);
}

function giveBack(text, told) {
  if (text) parts.composer.giveBack(text);
  announce(told, { isShown: true });
}

/** Take the height that the keyboard of a phone leaves. */
function fit() {
  const { height, scale } = window.visualViewport ?? { height: innerHeight, scale: 1 };
  if (scale === 1) root.style.setProperty("--height", `${Math.round(height)}px`);
}

const colours = paint(root, (isEmbedded && askedColour) || settings.look?.accent);
const initial = () => Array.from(language.ofCompany(settings.company))[0] ?? "";
const attention = new Attention(conversation, () => ({ ...colours, initial: initial() }));
document.documentElement.classList.add("with-frontdesk");
document.body.prepend(root);
await language.begin(settings.version, isEmbedded && askedLanguage);
draw();
performance.mark("frontdesk-ready");
listen();
retryWhenOnline(conversation);
noteWhoIsThere(conversation, announce);
new Live(conversation);
window.visualViewport?.addEventListener("resize", fit);
fit();
conversation.ready = openLast();
await conversation.ready;
performance.mark("frontdesk-open");
if (matchMedia("(pointer: fine)").matches) parts.composer.focus();
