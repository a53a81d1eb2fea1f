"""Every text that a company may change, and how it looks with its gaps filled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from assistant.company import Company
from assistant.store.kept_settings import Kept
from assistant.wording import EXAMPLES, LANGUAGES, check_wording, gaps_of, original_sayings
from assistant.writing.templates import Sayings


@dataclass(frozen=True, slots=True)
class WordingLine:
    """A text.

    Attributes:
        name: Its name, such as saying.en.thanks.
        lang: Its language.
        title: What it is called in both languages, such as thanks.
        text: As it is said now; "" for the page's own greeting.
        gaps: The names of its gaps, in order.
        author: Who changed it; "" for nobody.
        created: When, in UTC.
    """

    name: str
    lang: str
    title: str
    text: str
    gaps: tuple[str, ...] = ()
    author: str = ""
    created: datetime | None = None

    def name_in(self, lang: str) -> str:
        """Return the name of the same text in another language."""
        return self.name.replace(f".{self.lang}", f".{lang}", 1)


def wording_lines(company: Company, kept: Mapping[str, Kept]) -> list[WordingLine]:
    """Return all texts: the greetings, then the sayings in the order of their file.

    Args:
        company: The company, with what is kept in effect.
        kept: What the console keeps, by name.
    """
    lines = [_greeting(company, lang, kept) for lang in LANGUAGES]
    for lang in LANGUAGES:
        for title, text in original_sayings()[lang].items():
            name = f"saying.{lang}.{title}"
            lines.append(_line(name, lang, title, text, kept.get(name)))
    return lines


def preview(name: str, text: str, company: Company) -> str:
    """Return a text as customers read it, with example values in its gaps.

    Raises:
        SettingsError: It cannot be kept like this.
    """
    if not text.strip() and name.startswith("greeting."):
        return ""
    lang = name.split(".")[1]
    text = check_wording(name, text)
    if name.startswith("greeting."):
        return text
    names = company.name
    crisis = company.crisis.get(lang) or original_sayings()[lang]["crisis"]
    known = {"company": names.get(lang) or next(iter(names.values())), "crisis": crisis}
    values = {**EXAMPLES[lang], **known, "max_characters": "4000"}
    said = Sayings(id="", version=0, lang=lang, sayings={"it": text}, openings=[])
    return said.say("it", **values)


def _greeting(company: Company, lang: str, kept: Mapping[str, Kept]) -> WordingLine:
    name = f"greeting.{lang}"
    return _line(name, lang, "greeting", company.greeting.get(lang, ""), kept.get(name))


def _line(name: str, lang: str, title: str, text: str, kept: Kept | None) -> WordingLine:
    gaps = tuple(sorted(gaps_of(text))) if name.startswith("saying.") else ()
    if kept is None:
        return WordingLine(name, lang, title, text, gaps)
    return WordingLine(name, lang, title, str(kept.value), gaps, kept.author, kept.created)
