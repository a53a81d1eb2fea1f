// What stands on an empty page: a greeting and examples.

import { button, el, said } from "./dom.js";
import { isChinese, ofCompany, t } from "./language.js";

export function drawWelcome({ settings, fill }) {
  const greeting = (settings.greeting && ofCompany(settings.greeting)) || t("greeting");
  const examples = settings.examples[isChinese() ? "zh" : "en"] ?? [];
  const buttons = examples.map((text) => el("li", {}, button(text, () => fill(text), { class: "pill example", dir: "auto" })));
  const list = buttons.length ? [el("h3", { id: "examples" }, t("examples")), el("ul", { "aria-labelledby": "examples" }, buttons)] : [];
  const kept = el("p", { class: "kept" }, t("keptFor", { days: settings.keep_days }));
  return el("div", { class: "welcome" }, said("p", greeting, { class: "greeting" }), el("p", { class: "about" }, t("about")), list, kept);
}
