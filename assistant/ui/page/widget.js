// Opens the chat in a corner of a page of the company's own site; docs/widget.md says how.
//
// The chat is our page in a frame, embed.js is its side. Browsers forbid frames of other sites to
// keep anything, so the list of conversations is kept here, by the site, and nowhere else.
// Nothing in it may need more of a site's Content-Security-Policy than this script and the frame.

(() => {
  // A site that names the script twice has one chat.
  if (window.Frontdesk?.open) return;

  // The server puts widget.css here.
  const STYLES = "widget.css";
  const KEY = "frontdesk.conversations";
  const LONGEST = 500000;
  const COLOUR = "#17655c";
  const NARROW = "(max-width: 540px), (max-height: 440px)";
  const WORDS = {
    en: { title: "Customer service chat", open: "Open chat", close: "Close chat", one: "1 new message", more: "{n} new messages", and: ", " },
    zh: { title: "在线客服", open: "打开聊天", close: "关闭聊天", one: "1 条新消息", more: "{n} 条新消息", and: "，" },
    "zh-Hant": { title: "線上客服", open: "開啟聊天", close: "關閉聊天", one: "1 則新訊息", more: "{n} 則新訊息", and: "，" },
  };
  // What each data-* may be, and what it is otherwise.
  const ATTRIBUTES = {
    language: [/^(en|zh|zh-Hant|auto)$/, "en, zh, zh-Hant or auto", "auto"],
    colour: [/^#[0-9a-f]{6}$/i, "#rrggbb", ""],
    position: [/^(left|right)$/, "left or right", "right"],
    user: [/^[^\p{C}]{1,80}$/u, "at most 80 printable characters", ""],
    signature: [/^[0-9a-f]{64}$/i, "64 hexadecimal digits", ""],
  };
  const ICONS = { chat: "M4 4h16v12h-8l-5 4v-4H4z", close: "M6 9l6 6 6-6" };

  // A module and some tag managers leave no current script.
  const script = document.currentScript ?? document.querySelector('script[src*="/widget.js"]');
  const server = new URL(script.src).origin;
  const settings = Object.fromEntries(Object.keys(ATTRIBUTES).map((name) => [name, attribute(name)]));
  const language = settings.language === "auto" ? languageOfSite() : settings.language;
  const words = WORDS[language];
  const isSigned = Boolean(settings.user && settings.signature);
  if (!isSigned && (settings.user || settings.signature)) warn("data-user and data-signature go together; neither is used");
  // Who shares a browser must not see what somebody else, who signed in before, has said.
  const key = isSigned ? `${KEY}:${settings.user}` : KEY;
  const narrow = matchMedia(NARROW);
  const events = new EventTarget();
  let inMemory = null;
  let frame = null;
  let isOpen = false;
  let unread = 0;

  function warn(text) {
    console.warn(`Frontdesk: ${text}.`);
  }

  function attribute(name) {
    const [pattern, expected, usual] = ATTRIBUTES[name];
    const found = script.dataset[name];
    if (!found) return usual;
    if (pattern.test(found)) return found;
    warn(`data-${name} expects ${expected}, found "${found}"; it is ignored`);
    return usual;
  }

  function languageOfSite() {
    const known = [document.documentElement.lang, ...navigator.languages].find((one) => /^(en|zh)\b/i.test(one));
    if (/^zh-(hant|tw|hk|mo)\b/i.test(known)) return "zh-Hant";
    return known?.slice(0, 2).toLowerCase() ?? "en";
  }

  /** Return black or white, whichever can be read better on a colour. */
  function inkOn(colour) {
    const parts = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16) / 255);
    const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
  }

  /** Return the style sheets; in a text, a site's Content-Security-Policy would forbid them. */
  function styles() {
    const colour = settings.colour || COLOUR;
    return [STYLES, `:host { --colour: ${colour}; --ink: ${inkOn(colour)}; }`].map((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    });
  }

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function icon() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) svg.setAttribute(name, value);
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
    return svg;
  }

  const badge = element("span", { class: "badge", "aria-hidden": "true" });
  const launcher = element("button", { type: "button", class: "launcher" }, icon(), badge);
  const status = element("div", { class: "status", role: "status" });
  const panel = element("div", { class: "panel", role: "dialog", "aria-label": words.title });
  // The launcher comes first, so that Tab goes on from it into the open chat.
  const chat = element("div", { class: `chat ${settings.position}` }, launcher, panel, status);
  const host = element("frontdesk-chat", {});
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = styles();
  root.append(chat);

  function show() {
    const count = unread === 1 ? words.one : words.more.replace("{n}", unread);
    const label = isOpen ? words.close : words.open;
    const told = unread > 0 && !isOpen;
    launcher.setAttribute("aria-label", told ? label + words.and + count : label);
    launcher.setAttribute("aria-expanded", String(isOpen));
    launcher.querySelector("path").setAttribute("d", isOpen ? ICONS.close : ICONS.chat);
    badge.hidden = !told;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    status.textContent = told ? count : "";
    chat.classList.toggle("open", isOpen);
    panel.setAttribute("aria-modal", String(isOpen && narrow.matches));
  }

  function place() {
    if (!host.isConnected) document.body?.append(host);
  }

  function newFrame() {
    const address = new URL("/?embed=1", server);
    address.searchParams.set("lang", language);
    if (settings.colour) address.searchParams.set("colour", settings.colour);
    const made = element("iframe", {
      class: "frame", title: words.title, allow: "clipboard-write", src: address,
      // The page has to know which site is around it, and no more of it than that.
      referrerpolicy: "origin",
    });
    made.addEventListener("load", () => isOpen && root.activeElement && made.focus());
    return made;
  }

  function open() {
    if (isOpen) return;
    place();
    if (!frame) panel.append(frame = newFrame());
    change(true);
    frame.focus();
  }

  function close() {
    if (!isOpen) return;
    const isHere = root.activeElement || document.activeElement === document.body;
    change(false);
    if (isHere) launcher.focus();
  }

  function change(opens) {
    isOpen = opens;
    show();
    tell({ frontdesk: "shown", isShown: isOpen });
    events.dispatchEvent(new CustomEvent(isOpen ? "open" : "close"));
  }

  /** Tell the page in the frame; before it has said something, it may not be there. */
  function tell(message) {
    if (chat.classList.contains("answers")) frame.contentWindow.postMessage(message, server);
  }

  function kept() {
    try {
      return localStorage.getItem(key);
    } catch {
      return inMemory;
    }
  }

  function keep(value) {
    inMemory = value;
    try {
      localStorage.setItem(key, value);
    } catch {
      // It is known until the page is left.
    }
  }

  function tellKept() {
    const { user, signature } = settings;
    tell({ frontdesk: "stored", value: kept(), ...(isSigned ? { user, signature } : {}) });
  }

  function store({ do: what, value }) {
    if (what === "get") tellKept();
    else if (what === "set" && typeof value === "string" && value.length <= LONGEST) keep(value);
  }

  function note({ count }) {
    if (!Number.isInteger(count) || count < 0) return;
    unread = count;
    show();
    events.dispatchEvent(new CustomEvent("unread", { detail: count }));
  }

  const heard = new Map([["close", close], ["unread", note], ["store", store]]);
  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== server || !frame || source !== frame.contentWindow) return;
    chat.classList.add("answers");
    heard.get(data?.frontdesk)?.(data);
  });
  addEventListener("storage", (event) => [key, null].includes(event.key) && tellKept());
  document.addEventListener("keydown", (event) => {
    // Escape also ends what an input method proposes, and what the site has open.
    if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) close();
  });
  launcher.addEventListener("click", () => (isOpen ? close() : open()));
  show();
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);

  window.Frontdesk = Object.freeze({
    open,
    close,
    /** Call a function at each "open", "close" and "unread" (with their number); return what ends it. */
    on(name, call) {
      const listener = ({ detail }) => call(detail);
      events.addEventListener(name, listener);
      return () => events.removeEventListener(name, listener);
    },
  });
})();
