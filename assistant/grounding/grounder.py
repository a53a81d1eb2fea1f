"""Lets a sentence pass only if one span of one passage supports it, and returns that span."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.grounding.claims import (
    HAN_NUMBER,
    NUMBER_WORDS,
    Clause,
    Value,
    are_among,
    are_opposed,
    are_rivals,
    clauses,
    content,
    han_number,
    is_negated,
    same_value,
    subjects,
    values,
)
from knowledge.documents import Hit, Passage
from knowledge.segmenter import LEANING, Span, sentences, words

# The share of a sentence's content words that must stand in the span.
MIN_OVERLAP = {"en": 0.6, "zh": 0.6}

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
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][a-z]+(?:\s+[A-Z][a-z]+)*|\b[A-Z]{2,}\b")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+|https?://\S+|www\.\S+")
_YES_NO = re.compile(
    r"^(?:yes|no|是的|可以|不可以|不能|能|不行|会|不会)[,:，：。.]\s*", re.IGNORECASE
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
FUNCTION_WORDS = frozenset(
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
    """Checks sentences against the hits by rules; every value and name must be backed."""

    def check(self, sentence: str, hits: Sequence[Hit]) -> SupportingSpan | None:
        """Return the span that supports a sentence, or None where no span does.

        A span is one sentence of a passage, or two of which the second leans on the first ("after
        that …"). It supports a claim if it holds every value, name and address of it and enough of
        its content words, says no as the claim does, and ties each value to what the claim ties it
        to: "$5 in 2 days" is not supported by "$5 in 5 days and $15 in 2". Promises ("I have
        refunded you") are never supported.
        """
        if _PROMISE.search(sentence):
            # The articles' own "we freeze the card for you" is a fact, not a promise of ours.
            return _verbatim(sentence, hits)
        claim = _Claim(sentence)
        best: tuple[float, SupportingSpan] | None = None
        for hit in hits:
            text = hit.passage.text
            around = [c for s in sentences(text, "en") for c in clauses(s.of(text))]
            for span in _spans(hit.passage):
                overlap = claim.overlap(span.of(text), around)
                # A shorter span wins a tie, since it stands first.
                if overlap is not None and (best is None or overlap > best[0] + 0.05):
                    best = (overlap, SupportingSpan(hit.passage, span))
        return best[1] if best else None


class _Claim:
    """What a sentence asserts, in parts that can be looked for."""

    def __init__(self, sentence: str) -> None:
        chinese = bool(re.search(r"[\u4e00-\u9fff]", sentence))
        self._sentence = _YES_NO.sub("", sentence, count=1)
        self._needed = MIN_OVERLAP["zh" if chinese else "en"]
        self._values = values(self._sentence)
        self._names = _names(self._sentence)
        self._negated = is_negated(self._sentence)
        self._words = set(words(sentence)) - FUNCTION_WORDS
        self._content = content(self._sentence)
        self._subjects = subjects(self._sentence)
        self._periods = {word for word in self._content if word.startswith("/")}
        self._clause_values = [v for c in clauses(self._sentence) for v in c.values]

    def overlap(self, span: str, around: Sequence[Clause]) -> float | None:
        """Return the share of content words that a span holds; None if it does not support."""
        if not self._words or not self._holds(span):
            return None
        if self._negated != is_negated(span) and not self._quoted(span):
            return None
        if are_opposed(self._sentence, span) or not self._ties(span, around):
            return None
        spoken = self._subjects or self._words
        share = len(spoken & (content(span) | set(words(span)))) / len(spoken)
        return share if share >= self._needed else None

    def _holds(self, span: str) -> bool:
        """Tell whether a span has every name, value and period ("a month") of the claim."""
        lowered = span.lower()
        named = all(name.lower() in lowered for name in self._names)
        valued = are_among(self._values, values(span))
        return named and valued and self._periods <= content(span)

    def _quoted(self, span: str) -> bool:
        """Tell whether the span has a clause that says what the claim says, in the same sense."""
        near = [c for c in clauses(span) if len(content(c.text) & self._content) > 0]
        best = max(near, key=lambda c: len(content(c.text) & self._content), default=None)
        return best is not None and best.negated == self._negated

    def _ties(self, span: str, around: Sequence[Clause]) -> bool:
        """Tell whether each value belongs in the span to what it belongs to in the claim."""
        within = clauses(span)
        return all(
            any(
                self._belongs(value, theirs, around)
                for theirs in within
                if any(same_value(value, v) for v in theirs.values)
            )
            for value in self._clause_values
        )

    def _belongs(self, value: Value, theirs: Clause, around: Sequence[Clause]) -> bool:
        """Tell whether a clause may lend its value to the claim.

        It may not if the claim speaks of what another clause gives another value of the kind for,
        while this clause speaks of something that the claim does not mention.
        """
        spoken = self._content
        rivals = [c for c in around if any(are_rivals(value, v) for v in c.values)]
        elsewhere = {word for rival in rivals for word in rival.own & spoken} - theirs.own
        unmentioned = theirs.own - spoken
        return not (elsewhere and unmentioned)


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
        if word in NUMBER_WORDS and word != "one":
            found.add(NUMBER_WORDS[word])
    found |= {str(han_number(number)) for number in HAN_NUMBER.findall(text) if number != "一"}
    return found


def _names(sentence: str) -> set[str]:
    return {m.group() for m in _NAME.finditer(sentence)} | set(_ADDRESS.findall(sentence))


def _spans(passage: Passage) -> Iterator[Span]:
    found = sentences(passage.text, passage.lang)
    yield from found
    for first, second in pairwise(found):
        if second.of(passage.text).lower().startswith(LEANING):
            yield Span(first.start, second.end)


def _verbatim(sentence: str, hits: Sequence[Hit]) -> SupportingSpan | None:
    for hit in hits:
        text, quoted = hit.passage.text, sentence.strip().rstrip(".。")
        start = text.find(quoted)
        if start >= 0:
            end = start + len(quoted)
            end += text[end : end + 1] in (".", "。")
            return SupportingSpan(hit.passage, Span(start, end))
    return None
