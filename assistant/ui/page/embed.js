// The page in a frame of the company's own site: `/?embed=1`.
//
// The page sends to the page around it
//   {frontdesk: "close"}               the close button was pressed
//   {frontdesk: "unread", count}       so many messages came that nobody has seen
//   {frontdesk: "store", do: "get"}    asks for what is kept; answered as below
//   {frontdesk: "store", do: "set", value}  keeps a text: the list of conversations
// and takes from it
//   {frontdesk: "stored", value, user, signature}  the text that is kept, or null; who the customer
//                                      is, if the site has signed it; again when another tab has
//                                      kept something
//   {frontdesk: "shown", isShown}      the frame was opened or folded
// and from its address `lang` (en, zh or zh-Hant) and `colour` (#rrggbb).
//
// Browsers forbid frames of other sites to keep anything, or forget it; the page around may. Only a
// site that the setting `allowed_origins` names can show this page, which the browser sees to.

// The list opens conversations. It goes to a site that the browser names, and to no other.

const PATIENCE = 500;

const asked = new URLSearchParams(location.search);
export const isEmbedded = asked.has("embed") && window.parent !== window;
export const askedLanguage = asked.get("lang");
export const askedColour = asked.get("colour");

/** Return the origin of the page around; null where the browser does not name it. */
function originOfParent() {
  const named = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
  return named && named !== "null" ? named : null;
}

export function tell(message) {
  const origin = originOfParent();
  // "*" is whoever is around: enough to be closed, and to show a count.
  if (isEmbedded && (origin || message.frontdesk !== "store")) window.parent.postMessage(message, origin ?? "*");
}

/** Call a listener with each message of the page around. */
export function hear(kind, listener, options = {}) {
  if (!isEmbedded) return;
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== window.parent || origin !== originOfParent()) return;
    if (data?.frontdesk === kind) listener(data);
  }, options);
}

/** Return what the page around keeps the list with; null if it does not answer. */
export function outsideStore() {
  if (!isEmbedded) return Promise.resolve(null);
  return new Promise((resolve) => {
    const stop = new AbortController();
    const end = (store) => {
      stop.abort();
      clearTimeout(timer);
      resolve(store);
    };
    const timer = setTimeout(() => end(null), PATIENCE);
    const set = (value) => tell({ frontdesk: "store", do: "set", value });
    const onChange = (listener) => hear("stored", ({ value }) => listener(value));
    hear("stored", ({ value, user, signature }) => {
      end({ value, set, onChange, visitor: user && signature ? { user, signature } : {} });
    }, { signal: stop.signal });
    tell({ frontdesk: "store", do: "get" });
  });
}
