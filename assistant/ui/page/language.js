// The language of the page: chosen by the browser or by hand, whatever language an answer has.

import { en, zh } from "./strings.js";

const CHOSEN = "frontdesk.language";
const TRADITIONAL = /^zh-(hant|tw|hk|mo)\b/i;
export const LANGUAGES = { en: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文" };

let language = "en";
let strings = en;

/** Return the first language of a browser that the page speaks. */
export function languageOf(languages) {
  for (const one of languages) {
    if (TRADITIONAL.test(one)) return "zh-Hant";
    if (/^zh\b/i.test(one)) return "zh-Hans";
    if (/^en\b/i.test(one)) return "en";
  }
  return "en";
}

/** Speak the language that was chosen before, or that of the page around, or the browser's. */
export async function begin(version, asked) {
  let chosen = null;
  try {
    chosen = localStorage.getItem(CHOSEN);
  } catch {
    // Another site's frame may have no storage.
  }
  await speak(chosen in LANGUAGES ? chosen : languageOf(asked ? [asked] : navigator.languages), version);
}

export async function choose(chosen, version) {
  try {
    localStorage.setItem(CHOSEN, chosen);
  } catch {
    // It is chosen for this visit.
  }
  await speak(chosen, version);
}

async function speak(chosen, version) {
  language = chosen;
  strings = chosen === "en" ? en : zh;
  if (chosen === "zh-Hant") {
    try {
      strings = { ...zh, ...(await import(`/page/strings.zh-Hant.js?v=${version}`)).zh };
    } catch {
      // Simplified characters are better than none.
    }
  }
  keepLanguage();
}

/** Say the language of the page. Gradio says the browser's once it is there. */
function keepLanguage() {
  if (document.documentElement.lang !== language) document.documentElement.lang = language;
}

new MutationObserver(keepLanguage).observe(document.documentElement, { attributeFilter: ["lang"] });

/** Return what is shown as en or zh by the company. */
export function isChinese() {
  return language !== "en";
}

export function current() {
  return language;
}

/** Return a string, with its gaps filled; `name` may name one of a group: `reasons.wrong`. */
export function t(name, gaps = {}) {
  const text = name.split(".").reduce((group, part) => group[part], strings);
  return text.replace(/\{(\w+)\}/g, (_, gap) => gaps[gap]);
}

/** Return what the company says in the shown language, or in the other one. */
export function ofCompany(texts) {
  const [first, second] = isChinese() ? ["zh", "en"] : ["en", "zh"];
  return texts?.[first] ?? texts?.[second] ?? "";
}

function formatted(date, options) {
  // English is written in many countries, and each writes times in its own way.
  const own = navigator.languages.find((one) => languageOf([one]) === language && one.startsWith(language.slice(0, 2)));
  return new Intl.DateTimeFormat(own ?? language, options).format(date);
}

function daysUntil(date) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
  return Math.round((midnight(date) - midnight(new Date())) / 86400000);
}

/** Return the time of a message, with its date if it is not of today. */
export function timeOf(date) {
  const time = { hour: "2-digit", minute: "2-digit" };
  if (daysUntil(date) === 0) return formatted(date, time);
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  const day = { month: "short", day: "numeric", ...(isThisYear ? {} : { year: "numeric" }) };
  return formatted(date, { ...day, ...time });
}

export function dateOf(date) {
  return formatted(date, { year: "numeric", month: "long", day: "numeric" });
}

/** Return when something is, in the customer's own time: "on Monday at 09:00". */
export function whenOf(date) {
  const time = formatted(date, { hour: "2-digit", minute: "2-digit" });
  const days = daysUntil(date);
  if (days === 0) return t("todayAt", { time });
  if (days === 1) return t("tomorrowAt", { time });
  const far = days > 6 ? { month: "long", day: "numeric" } : {};
  return t("onDay", { day: formatted(date, { weekday: "long", ...far }), time });
}
