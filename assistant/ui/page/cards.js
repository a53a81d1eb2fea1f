// Finds card numbers in a text that somebody types.

// 13 to 19 digits, also full-width ones, with single spaces or dashes between them.
const CANDIDATE = /(?<![\d０-９])[\d０-９](?:[ \-\u3000－]?[\d０-９]){12,18}(?![\d０-９])/gu;

/** Return whether a number has the check digit of a card. */
function isCard(found) {
  const digits = Array.from(found.normalize("NFKC").replace(/\D/g, ""), Number);
  const sum = digits.reverse().reduce((total, digit, place) => {
    const counted = place % 2 ? digit * 2 : digit;
    return total + (counted > 9 ? counted - 9 : counted);
  }, 0);
  return sum % 10 === 0;
}

export function hasCard(text) {
  return Array.from(text.matchAll(CANDIDATE)).some(([found]) => isCard(found));
}

export function withoutCards(text) {
  const without = text.replace(CANDIDATE, (found) => (isCard(found) ? "" : found));
  return without.replace(/ {2,}/g, " ").trim();
}
