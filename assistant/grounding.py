"""Lets a sentence pass only if one span of one passage supports it, and returns that span."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.documents import Hit, Passage
from knowledge.segmenter import Span, sentences, words

# The share of a sentence's content words that must stand in the span.
MIN_OVERLAP = {"en": 0.6, "zh": 0.5}

_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*(?:\s?%)?")
_CURRENCIES = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "pounds": r"£|\d\s*(pounds?|gbp|英镑)",
        "euros": r"€|\d\s*(euros?|eur|欧元)",
        "dollars": r"\$|\d\s*(dollars?|usd|美元)",
        "yuan": r"¥|\d\s*(yuan|rmb|cny|人民币)",
    }.items()
}
_NUMBER_WORDS = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15", "twenty": "20",
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90",
    "hundred": "100", "thousand": "1000", "half": "0.5",
}  # fmt: skip
_HAN_DIGITS = {d: n for n, d in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
# "一" alone mostly means "a"; before a unit of time, money or count every other numeral counts.
_HAN_NUMBER = re.compile(
    r"[零一二三四五六七八九两十百千万]+(?=\s*(?:个|天|日|周|年|小时|分钟|次|张|笔|英镑|欧元|美元|元|岁|位))"
)
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][a-z]+(?:\s+[A-Z][a-z]+)*|\b[A-Z]{2,}\b")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+|https?://\S+|www\.\S+")
_NEGATION = re.compile(
    r"\b(not|no|never|cannot|nobody|nothing|neither|nor|without|none)\b|n['\u2019]t\b|不|没|无|未|别|勿",
    re.IGNORECASE,
)
# What only a person or a system with access could say truthfully.
_PROMISE = re.compile(
    r"\b(i|we)(?:\s+have|['\u2019]ve|\s+will|['\u2019]ll|\s+am|['\u2019]m|\s+are|\s+just)?\s+"
    r"(?:now\s+|already\s+|just\s+|going\s+to\s+)?"
    r"(refund|cancel|block|froze|freez|transfer|sent|send|order|clos|chang|updat|contact|escalat|"
    r"process|issu|revers|credit|activat|unblock|reset)\w*\s+(?:you|your|the|a|it|this|that)\b"
    r"|我(们)?(已经?|会|将|马上|现在就?|这就)(为您|帮您|给您)?"
    r"(退款|取消|冻结|转账|寄|补办|注销|修改|更新|联系|处理|解锁|重置)",
    re.IGNORECASE,
)
# Function words carry no claim of their own.
_FUNCTION = frozenset(
    words(
        "a an the and or but if then so to of in on at by for from with without as is are was were "
        "be been being it its this that these those you your yours we our us i me my they their he "
        "she do does did can could may might will would shall should must have has had not no yes "
        "there here when where which who what how any all each up out also only just than too very "
        "的 了 和 与 或 在 是 我 您 你 们 它 这 那 个 也 都 就 可 以 会 要 请 为 把 被 从 到 于 有"
    )
)


@dataclass(frozen=True, slots=True)
class SupportingSpan:
    """Where a sentence's backing stands; ``span`` counts in the passage's text."""

    passage: Passage
    span: Span


class Grounder:
    """Checks sentences against the hits by rules; every figure and name must be backed."""

    def check(self, sentence: str, hits: Sequence[Hit]) -> SupportingSpan | None:
        """Return the span that supports a sentence, or None where no span does.

        A span is one sentence of a passage or two that follow each other. It supports a claim if
        it holds every figure, name and address of it, enough of its content words, and negates
        as the claim does. Promises ("I have refunded you") are never supported.
        """
        if _PROMISE.search(sentence):
            # The articles' own "we freeze the card for you" is a fact, not a promise of ours.
            return _verbatim(sentence, hits)
        claim = _Claim(sentence)
        best: tuple[float, SupportingSpan] | None = None
        for hit in hits:
            for span in _spans(hit.passage):
                overlap = claim.overlap(span.of(hit.passage.text))
                # A shorter span wins a tie, since it stands first.
                if overlap is not None and (best is None or overlap > best[0] + 0.05):
                    best = (overlap, SupportingSpan(hit.passage, span))
        return best[1] if best else None


class _Claim:
    """What a sentence asserts, in parts that can be looked for."""

    def __init__(self, sentence: str) -> None:
        chinese = bool(re.search(r"[\u4e00-\u9fff]", sentence))
        self._needed = MIN_OVERLAP["zh" if chinese else "en"]
        self._figures = figures(sentence)
        self._names = _names(sentence)
        self._negated = bool(_NEGATION.search(sentence))
        self._content = set(words(sentence)) - _FUNCTION

    def overlap(self, span: str) -> float | None:
        """Return the share of content words that a span holds; None if it does not support."""
        if not self._figures <= figures(span):
            return None
        lowered = span.lower()
        if any(name.lower() not in lowered for name in self._names):
            return None
        if self._negated != bool(_NEGATION.search(span)):
            return None
        if not self._content:
            return None
        share = len(self._content & set(words(span))) / len(self._content)
        return share if share >= self._needed else None


def figures(text: str) -> set[str]:
    """Return every number of a text in one spelling: "£1,000", "1000" and "one thousand" agree.

    A percentage keeps its sign, so that "2 %" does not support "£2"; currencies are listed beside
    the numbers under one name each, so that "£5" supports "5 pounds" and not "$5".
    """
    found = {name for name, pattern in _CURRENCIES.items() if pattern.search(text)}
    for figure in _FIGURE.findall(text):
        digits = re.sub(r"[%\s]", "", figure)
        if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits):
            digits = digits.replace(",", "")
        found.add(f"{digits}{'%' if figure.endswith('%') else ''}")
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _NUMBER_WORDS:
            found.add(_NUMBER_WORDS[word])
    found |= {str(_han_number(number)) for number in _HAN_NUMBER.findall(text) if number != "一"}
    return found


def _han_number(numeral: str) -> int:
    total = section = digit = 0
    for character in numeral:
        if character in _HAN_DIGITS:
            digit = _HAN_DIGITS[character]
            continue
        unit = _HAN_UNITS[character]
        if character == "万":
            total, section, digit = (total + section + digit) * unit, 0, 0
        else:
            section, digit = section + (digit or 1) * unit, 0
    return total + section + digit


def _names(sentence: str) -> set[str]:
    return {m.group() for m in _NAME.finditer(sentence)} | set(_ADDRESS.findall(sentence))


def _spans(passage: Passage) -> Iterator[Span]:
    found = sentences(passage.text, passage.lang)
    yield from found
    for first, second in pairwise(found):
        yield Span(first.start, second.end)


def _verbatim(sentence: str, hits: Sequence[Hit]) -> SupportingSpan | None:
    for hit in hits:
        start = hit.passage.text.find(sentence.strip())
        if start >= 0:
            return SupportingSpan(hit.passage, Span(start, start + len(sentence.strip())))
    return None
