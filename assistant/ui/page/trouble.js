// What went wrong with a message, and what the customer can do about it.

import { button, el } from "./dom.js";
import { t } from "./language.js";

const SECOND = 1000;

/** Return the trouble of an error: its kind, and until when it should not be tried again. */
export function troubleOf(error, message) {
  if (error.name === "AbortError") return { kind: "stopped", message };
  if ([429, 503].includes(error.status)) {
    return { kind: "limited", message, until: Date.now() + error.wait * SECOND };
  }
  return { kind: error.status === 0 ? "broken" : "failed", message };
}

/** Return the notice of a trouble with its button. */
export function drawTrouble(trouble, onRetry, announce) {
  const text = el("span", {}, t(trouble.kind, { seconds: secondsUntil(trouble) }));
  const label = trouble.kind === "limited" ? t("resend") : t("tryAgain");
  const again = button(label, onRetry, { class: "pill" });
  const notice = el("div", { class: "trouble" }, text, again);
  if (trouble.kind === "limited") countDown(trouble, { notice, text, again, announce });
  return notice;
}

function secondsUntil({ until }) {
  return Math.max(0, Math.ceil((until - Date.now()) / SECOND));
}

function countDown(trouble, { notice, text, again, announce }) {
  again.disabled = true;
  const timer = setInterval(() => {
    const seconds = secondsUntil(trouble);
    text.textContent = seconds ? t("limited", { seconds }) : t("limitedOver");
    if (notice.isConnected && seconds) return;
    clearInterval(timer);
    if (!notice.isConnected) return;
    again.disabled = false;
    announce(t("limitedOver"));
  }, SECOND / 4);
}

/** Try again by itself once the network is back. */
export function retryWhenOnline(conversation) {
  addEventListener("online", () => {
    if (["broken", "notOpened"].includes(conversation.trouble?.kind)) conversation.retry();
  });
}
