// Messages as the server keeps them become those of the page.

import { withoutCards } from "./cards.js";

const TITLE_LENGTH = 60;

export function messageOf(kept) {
  return { ...kept, created: new Date(kept.created) };
}

/** Return what a conversation is called in the list: its first message. */
export function titleOf(messages) {
  const first = messages.find((message) => message.role === "user");
  const text = withoutCards(first?.content ?? "").replace(/\s+/g, " ").trim();
  const letters = Array.from(text);
  return letters.length > TITLE_LENGTH ? `${letters.slice(0, TITLE_LENGTH).join("")}…` : text;
}

/** Return whether a text was kept as another one: personal data in it was replaced. */
export function sameText(typed, kept) {
  if (typed.trim() === kept.trim()) return true;
  const parts = kept.trim().split(/\[[^\]]{1,40}\]/);
  if (parts.length < 2) return false;
  const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[\\s\\S]{1,80}");
  return new RegExp(`^${pattern}$`).test(typed.trim());
}
