// Signing in and out, and what is said when a session ends while a page is open.

import { startInbox } from "./console-inbox.js";

if (document.location.pathname.endsWith("/inbox")) startInbox();
watchSession();

const form = document.querySelector("[data-sign-in]");
if (form) form.addEventListener("submit", signIn);

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-sign-out]")) return;
  await fetch("/v1/sign-out", { method: "POST" });
  location.assign("/sign-in");
});

document.addEventListener("change", refuseLarge, { capture: true });

async function signIn(event) {
  event.preventDefault();
  const told = form.querySelector("[role=alert]");
  told.textContent = "";
  const given = Object.fromEntries(new FormData(form));
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("/v1/sign-in", { method: "POST", headers, body: JSON.stringify(given) }).catch(() => null);
  if (response?.ok) return location.assign(wanted());
  const { wrong, silent, often } = form.dataset;
  told.textContent = { 401: wrong, 429: often }[response?.status] ?? silent;
  form.elements.password.select();
}

// The framework drops a file that is too large without a word.
function refuseLarge(event) {
  const told = document.querySelector("[data-largest]");
  const file = event.target.matches?.("input[type=file]") && event.target.files[0];
  if (!told || !file) return;
  told.textContent = "";
  if (file.size <= Number(told.dataset.largest)) return;
  event.stopImmediatePropagation();
  event.target.value = "";
  const values = { NAME: file.name, MEGABYTES: Math.ceil(file.size / 1e6) };
  told.textContent = told.dataset.says.replace(/NAME|MEGABYTES/g, (name) => values[name]);
}

// Only to the console, whatever the address says.
function wanted() {
  const next = new URL(new URLSearchParams(location.search).get("next") ?? "", location.origin);
  const isOurs = next.origin === location.origin && next.pathname.startsWith("/console/");
  return isOurs ? next.href : "/console";
}

// Requests of a page that is open fail once its session has ended; what was typed stays.
function watchSession() {
  const send = window.fetch;
  window.fetch = async (...request) => {
    const response = await send(...request);
    const isOurs = new URL(response.url || location.href).origin === location.origin;
    if (isOurs && response.status === 401) showEnded(true);
    else if (isOurs && response.ok && asksWho(response.url)) showEnded(false);
    return response;
  };
}

// Requests that nobody without a session gets through.
function asksWho(url) {
  return /\/queue\/join|\/v1\/(proofread|handoffs)/.test(url);
}

function showEnded(isEnded) {
  const banner = document.getElementById("fd-ended");
  if (banner) banner.hidden = !isEnded;
}
