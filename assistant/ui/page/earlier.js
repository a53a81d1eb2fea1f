// The list of earlier conversations, and what can be done with the open one.

import * as api from "./api.js";
import { ask, openDialog } from "./dialogs.js";
import { button, el } from "./dom.js";
import { ofCompany, t, timeOf } from "./language.js";

/** Show the list; another tab may change it while it is shown. */
export function showEarlier(conversation, { store }, open) {
  const list = el("div", { class: "earlier" });
  const draw = () => list.replaceChildren(...drawEntries(store.entries, conversation.id, (entry) => {
    close();
    open(entry);
  }));
  store.addEventListener("change", draw);
  draw();
  const onClose = () => store.removeEventListener("change", draw);
  const close = openDialog({ title: t("earlier"), kind: "small", onClose }, list);
}

function drawEntries(entries, openId, open) {
  if (!entries.length) return [el("p", {}, t("noEarlier"))];
  return entries.map((entry) => {
    const when = new Date(entry.updated);
    const time = el("time", { datetime: when.toISOString() }, timeOf(when));
    const about = entry.id === openId ? [time, ` · ${t("openNow")}`] : [time];
    const title = el("span", { class: "title", dir: "auto" }, entry.title || t("untitled"));
    return button([title, el("span", { class: "about" }, about)], () => open(entry), {
      class: "entry", "aria-current": entry.id === openId && "true",
    });
  });
}

/** Delete the open conversation on the server and here, if the customer says so. */
export async function removeOpen(conversation, { store, announce }) {
  const question = { title: t("removeAsk"), text: t("removeTold"), yes: t("removeDo"), no: t("cancel") };
  if (!await ask({ ...question, isDangerous: true })) return;
  try {
    if (conversation.id) await api.remove(conversation);
    store.forget(conversation.id);
    conversation.clear();
    announce(t("removed"), { isShown: true });
  } catch {
    announce(t("notRemoved"), { isShown: true });
  }
}

/** Let the browser keep the open conversation as a file. */
export async function download(conversation, { settings, announce }, kind) {
  try {
    const isJson = kind === "json";
    const text = isJson ? JSON.stringify(await api.exported(conversation), null, 2) : asText(conversation, settings);
    save(text, isJson ? "application/json" : "text/plain", kind === "json" ? "json" : "txt");
  } catch {
    announce(t("notDownloaded"), { isShown: true });
  }
}

function asText({ messages }, { company }) {
  const name = { user: t("you"), assistant: t("assistant"), person: t("person") };
  const parts = messages.filter(({ role }) => name[role]).map((message) => {
    const sources = (message.frontdesk?.sources ?? []).map(({ number, title }) => t("source", { number, title }));
    const who = message.role === "person" ? message.author || name.person : name[message.role];
    return [`${who}, ${message.created.toLocaleString()}`, message.content, ...sources].join("\n");
  });
  return [ofCompany(company), ...parts].join("\n\n");
}

function save(text, type, ending) {
  // Some programs take a text without this mark for one in the system's own encoding.
  const mark = ending === "txt" ? "\ufeff" : "";
  const url = URL.createObjectURL(new Blob([mark, text], { type: `${type};charset=utf-8` }));
  const day = new Date().toISOString().slice(0, 10);
  el("a", { href: url, download: `${t("conversation")}-${day}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
