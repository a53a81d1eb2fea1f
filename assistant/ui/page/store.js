// What the browser keeps: the list of conversations with their tokens. What was said is kept by
// the server. In another site's frame, the page around keeps the list; see embed.js.

const CONVERSATIONS = "frontdesk.conversations";
const DRAFT = "frontdesk.draft";
const PENDING = "frontdesk.pending";
const OPENED = "frontdesk.opened";
const MOST = 50;

/** Call a storage, which some browsers forbid in frames of other sites. */
function tried(action) {
  try {
    return action();
  } catch {
    return null;
  }
}

export class Store extends EventTarget {
  #entries = [];
  #outside = null;

  /** Read what is kept; `outside` is what the page around keeps it with, or null. */
  open(outside) {
    this.#outside = outside;
    const changed = (text) => {
      this.#entries = listOf(text);
      this.dispatchEvent(new Event("change"));
    };
    if (outside) outside.onChange(changed);
    else addEventListener("storage", ({ key, newValue }) => key === CONVERSATIONS && changed(newValue));
    changed(outside ? outside.value : tried(() => localStorage.getItem(CONVERSATIONS)));
  }

  /** Who the customer is, if the company's site has signed it. */
  get visitor() {
    return this.#outside?.visitor ?? {};
  }

  /** The conversations, the last one first: id, token, title, updated, and what became of them. */
  get entries() {
    return [...this.#entries].sort((a, b) => b.updated - a.updated);
  }

  entry(id) {
    return this.#entries.find((entry) => entry.id === id);
  }

  /** Keep what is known of a conversation. Another tab may have changed the list meanwhile. */
  keep(id, values) {
    this.#reread();
    const known = this.entry(id) ?? { id, title: "", updated: 0 };
    this.#entries = [{ ...known, ...values }, ...this.#entries.filter((one) => one.id !== id)];
    this.#write();
  }

  forget(id) {
    this.#reread();
    this.#entries = this.#entries.filter((one) => one.id !== id);
    this.#write();
  }

  #reread() {
    const kept = this.#outside ? null : tried(() => localStorage.getItem(CONVERSATIONS));
    if (kept !== null) this.#entries = listOf(kept);
  }

  #write() {
    this.#entries = this.entries.slice(0, MOST);
    const text = JSON.stringify(this.#entries);
    if (this.#outside) this.#outside.set(text);
    else tried(() => localStorage.setItem(CONVERSATIONS, text));
    this.dispatchEvent(new Event("change"));
  }
}

function listOf(text) {
  const list = tried(() => JSON.parse(text ?? "[]"));
  return Array.isArray(list) ? list.filter((entry) => entry?.id && entry?.token) : [];
}

// What is typed, what is sent and has no reply yet, and which conversation is open belong to one tab.

export const draft = {
  get: () => tried(() => sessionStorage.getItem(DRAFT)) ?? "",
  set: (text) => tried(() => sessionStorage.setItem(DRAFT, text)),
};

export const pending = {
  get: () => tried(() => JSON.parse(sessionStorage.getItem(PENDING) ?? "null")),
  set: (sent) => tried(() => sessionStorage.setItem(PENDING, JSON.stringify(sent))),
  clear: () => tried(() => sessionStorage.removeItem(PENDING)),
};

export const opened = {
  get: () => tried(() => sessionStorage.getItem(OPENED)),
  set: (id) => tried(() => sessionStorage.setItem(OPENED, id)),
};
