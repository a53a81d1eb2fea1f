"""Reads the figures of a text, each with its place: amounts, shares, times, dates and numbers.

More spellings are known here than where a generated sentence is checked, because people write them:
"3pm" is "15:00", "百分之五" is "5 %", "Dec 24" is "24 December".
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from assistant.grounding.claims import NUMBER_WORDS, Value, han_number, numbers

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_HAN = "[零一二三四五六七八九两十百千万]+"
_AFTERNOON = ("下午", "晚上", "傍晚")
_NOON = 12
_WORD_END = re.compile(r"(?<=[a-z])[a-z]+")
# Pairs such as "twenty-five".
_TENS = "twenty|thirty|forty|fifty|sixty|ninety"
_ONES = "one|two|three|four|five|six|seven|eight|nine"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a text.

    Attributes:
        text: As it was typed: ``typed[start:end]``.
        start: The place of its first character.
        end: The place after its last one.
        value: What it says.
    """

    text: str
    start: int
    end: int
    value: Value


class _Plain:
    """A text in one spelling that still knows where each character was typed."""

    def __init__(self, typed: str) -> None:
        spelled = [unicodedata.normalize("NFKC", character) for character in typed]
        self.text = "".join(spelled)
        # The range of typed characters that each one comes from.
        self.places = [(n, n + 1) for n, one in enumerate(spelled) for _ in one]

    def change(self, pattern: re.Pattern[str], to: Callable[[re.Match[str]], str]) -> None:
        """Replace what a pattern matches; the new characters come from all of the old ones."""
        pieces, places, done = [], list[tuple[int, int]](), 0
        for m in pattern.finditer(self.text):
            new = to(m)
            if new == m.group():
                continue
            pieces += [self.text[done : m.start()], new]
            whole = (self.places[m.start()][0], self.places[m.end() - 1][1])
            places += self.places[done : m.start()] + [whole] * len(new)
            done = m.end()
        self.text = "".join(pieces) + self.text[done:]
        self.places = places + self.places[done:]


# What every figure has some of; most clauses have none of it.
_MAY_HAVE = re.compile(
    rf"\d|[零一二三四五六七八九两十百千万]|\b({'|'.join(NUMBER_WORDS)})\b", re.IGNORECASE
)


# How a text comes into one spelling, in this order.
_CHANGES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[A-Z]+"), lambda m: m.group().lower()),
    (
        re.compile(rf"\b({_TENS})[- ]({_ONES})\b"),
        lambda m: str(int(NUMBER_WORDS[m.group(1)]) + int(NUMBER_WORDS[m.group(2)])),
    ),
    # "one" and "a" are rarely meant as numbers.
    (re.compile(r"\b(?!one\b)[a-z]+\b"), lambda m: NUMBER_WORDS.get(m.group(), m.group())),
    (re.compile(rf"百分之({_HAN}|\d+(?:\.\d+)?)"), lambda m: f"{_han(m.group(1))}%"),
    (
        re.compile(
            rf"(?!一[个次位张笔台本件岁])({_HAN})(?=\s*(?:个|天|日|周|年|小时|分钟|次|张|笔|英镑|镑|欧元|美元|元|块|"
            r"岁|位|台|本|件|公斤|折|倍|点|号|月|%))"
        ),
        lambda m: _han(m.group(1)),
    ),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), lambda _: ""),
    (re.compile(r"\s*\bper\s?cent\b"), lambda _: "%"),
    (re.compile(r"(?<=\d)\s?镑"), lambda _: "英镑"),
    (re.compile(r"\bgbp\s?(?=\d)"), lambda _: "£"),
    (re.compile(r"\beur\s?(?=\d)"), lambda _: "€"),
    (re.compile(r"\b(?:us\$|usd)\s?(?=\d)"), lambda _: "$"),
    (re.compile(r"\b(?:cny|rmb)\s?(?=\d)"), lambda _: "¥"),
    (re.compile(r"(?<=[£€$¥\d])(\d+)\.0+(?!\d)"), lambda m: m.group(1)),
)


def _han(numeral: str) -> str:
    return numeral if numeral[0].isdigit() else str(han_number(numeral))


def _clock(hour: str, minute: str | None, half: str | None) -> Value:
    shown = int(hour) % _NOON + (_NOON if half in ("p", *_AFTERNOON) else 0)
    if half is None:
        shown = int(hour)
    return "clock", f"{shown}:{minute or '00'}", ""


def _chinese_clock(m: re.Match[str]) -> Value:
    half, hour, is_half, minute = m.groups()
    return _clock(hour, "30" if is_half else minute and minute.zfill(2), half)


def _date(year: str | None, month: str, day: str) -> Value:
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
    return "date", f"{number}-{int(day)}", year or ""


# What is read before all other numbers; each piece of a text counts once.
_OWN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Value]], ...] = (
    (re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b"), lambda m: _date(*m.groups())),
    (
        re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})[日号]"),
        lambda m: _date(*m.groups()),
    ),
    (
        re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (\d{{4}}))?\b"),
        lambda m: _date(m.group(3), m.group(2), m.group(1)),
    ),
    (
        re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?\b"),
        lambda m: _date(m.group(3), m.group(1), m.group(2)),
    ),
    (
        re.compile(r"\b(\d{1,2})(?:[:.](\d\d))?\s?([ap])\.?m\b\.?"),
        lambda m: _clock(*m.groups()),
    ),
    (
        re.compile(r"(上午|早上|凌晨|中午|下午|晚上|傍晚)?\s?(\d{1,2})点(?:(半)|(\d{1,2})分?)?"),
        _chinese_clock,
    ),
)


def figures_of(typed: str) -> list[Figure]:
    """Return the figures of a text, in the order in which they were typed."""
    if not _MAY_HAVE.search(typed):
        return []
    plain = _Plain(typed)
    for pattern, to in _CHANGES:
        plain.change(pattern, to)
    found: list[tuple[Value, int, int]] = []
    rest = plain.text
    for pattern, value_of in _OWN:
        found += [(value_of(m), *m.span()) for m in pattern.finditer(rest)]
        rest = pattern.sub(lambda m: " " * len(m.group()), rest)
    found += numbers(rest)
    return [_figure(typed, plain, *one) for one in sorted(found, key=lambda one: one[1])]


def _figure(typed: str, plain: _Plain, value: Value, start: int, end: int) -> Figure:
    if rest := _WORD_END.match(plain.text, end):  # "5 days" is found as "5 day"
        end = rest.end()
    first, last = plain.places[start][0], plain.places[end - 1][1]
    return Figure(typed[first:last].strip(), first, last, value)
