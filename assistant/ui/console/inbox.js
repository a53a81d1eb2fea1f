// The inbox in the browser: what is typed stays, is checked while it is typed, and others see it.

const CHECK = 300;
const SIGN = 2500;
const KEPT = "fd-draft-";
let checking = 0;
let signed = 0;

export function startInbox() {
  document.addEventListener("input", ({ target }) => target === box() && typed());
  document.addEventListener("fd-sent", () => setTimeout(typed, 50));
  document.addEventListener("keydown", sendByKey);
  document.addEventListener("click", ({ target }) => {
    const inserts = target.closest("[data-insert]");
    if (inserts) insert(inserts.dataset.insert);
    const asks = target.closest("[data-contact]");
    if (asks) showContact(asks);
  });
  document.addEventListener("focusin", ({ target }) => (focused = target));
  document.addEventListener("scroll", ({ target }) => target.matches?.(".fd-talk") && remember(target), true);
  // The first check after a change of the articles reads all of them: before anybody waits for it.
  post("/v1/proofread", { text: "" });
  new MutationObserver(renewed).observe(document.body, { childList: true, subtree: true });
}

function box() {
  return document.querySelector("#fd-reply textarea");
}

function handoff() {
  return new URLSearchParams(location.search).get("handoff") ?? "";
}

// What is typed.

function typed() {
  const text = box()?.value ?? "";
  if (text) sessionStorage.setItem(KEPT + handoff(), text);
  else sessionStorage.removeItem(KEPT + handoff());
  clearTimeout(checking);
  checking = setTimeout(() => check(text), text ? CHECK : 0);
  if (!text || Date.now() - signed < SIGN) return;
  signed = Date.now();
  post(`/v1/handoffs/${handoff()}/presence`, { writes: true });
}

async function check(text) {
  const shown = document.getElementById("fd-figures");
  const response = text ? await post("/v1/proofread", { text: text.slice(0, 4000) }) : null;
  if (!shown || text !== (box()?.value ?? "")) return;
  const found = response?.ok ? (await response.json()).data : [];
  shown.replaceChildren(...found.map((doubt) => line(shown.dataset, doubt)));
}

function line({ nowhere, elsewhere }, { figure, nearest }) {
  const said = document.createElement("p");
  const values = { figure, sentence: nearest?.sentence, title: nearest?.title };
  said.textContent = (nearest ? elsewhere : nowhere).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  return said;
}

function insert(text, focuses = true) {
  const where = box();
  if (!where) return;
  const before = where.value.slice(0, where.selectionStart);
  const after = where.value.slice(where.selectionEnd);
  where.value = before + (before && !/\s$/.test(before) ? "\n" : "") + text + after;
  where.dispatchEvent(new Event("input", { bubbles: true }));
  if (focuses) where.focus();
}

function sendByKey(event) {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === box();
  if (!sends) return;
  event.preventDefault();
  document.getElementById("fd-send")?.click();
}

async function showContact(button) {
  const { contact, other, none } = button.dataset;
  const shown = button.parentElement.querySelector("output");
  const response = await fetch(`/v1/handoffs/${contact}/contact`).catch(() => null);
  shown.textContent = response?.ok ? (await response.json()).how || none : other;
}

function post(url, body) {
  const headers = { "Content-Type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
}

// What is drawn again.

let focused = null;
let scrolled = null;

function remember(pane) {
  const isAtEnd = pane.scrollTop + pane.clientHeight > pane.scrollHeight - 40;
  scrolled = isAtEnd ? null : pane.scrollTop;
}

function renewed() {
  showCount();
  showTalk();
  keepFocus();
  restoreDraft();
}

function showCount() {
  const shown = document.querySelector("[data-waiting]");
  if (!shown) return;
  const { waiting: count, title } = shown.dataset;
  const wanted = count === "0" ? title : `(${count}) ${title}`;
  if (document.title !== wanted) document.title = wanted;
}

function showTalk() {
  const pane = document.querySelector(".fd-talk:not([data-placed])");
  if (!pane) return;
  pane.dataset.placed = "";
  const place = scrolled;
  requestAnimationFrame(() => (pane.scrollTop = place ?? pane.scrollHeight));
}

// A link that was drawn anew has the focus again.
function keepFocus() {
  if (!focused || focused.isConnected || document.activeElement !== document.body) return;
  const address = focused.getAttribute("href");
  const again = address && [...document.querySelectorAll("#fd-inbox a")].find((one) => one.getAttribute("href") === address);
  focused = null;
  again?.focus({ preventScroll: true });
}

let restored = null;

function restoreDraft() {
  const where = box();
  if (!where || where === restored) return;
  restored = where;
  const kept = sessionStorage.getItem(KEPT + handoff());
  if (kept && !where.value) insert(kept, false);
}
