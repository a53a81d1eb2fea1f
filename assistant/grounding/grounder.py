"""Finds the span of a passage that supports a sentence."""

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
    content_words,
    han_number,
    is_negated,
    same_value,
    subject_words,
    values,
)
from knowledge.documents import Hit, Passage
from knowledge.markdown_tables import header_of
from knowledge.segmenter import LEANING, Span, sentences, words

# The share of a sentence's content words that the span must contain.
MIN_OVERLAP = {"en": 0.6, "zh": 0.6}

_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*(?:\s?%)?")
_CURRENCIES = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "pounds": r"£|\d\s*(pounds?|gbp|英镑)",
        "euros": r"€|\d\s*(euros?|eur|欧元)",
        "dollars": r"\$|\d\s*(dollars?|usd|美元)",
        "yuan": r"¥|\d\s*(yuan|rmb|cny|人民币|元|块)",
    }.items()
}
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][a-z]+(?:\s+[A-Z][a-z]+)*|\b[A-Z]{2,}\b")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+|https?://\S+|www\.\S+")
_YES_NO = re.compile(
    r"^(?:yes|no|是的|可以|不可以|不能|能|不行|会|不会)[,:，：。.]\s*", re.IGNORECASE
)
# Only a person, or a system with access to the account, could say these truthfully.
_PROMISE = re.compile(
    r"\b(i|we)(?:\s+have|['\u2019]ve|\s+will|['\u2019]ll|\s+am|['\u2019]m|\s+are|\s+just)?\s+"
    r"(?:now\s+|already\s+|just\s+|going\s+to\s+)?"
    r"(refund|cancel|block|froze|freez|transfer|sent|send|order|clos|chang|updat|contact|escalat|"
    r"process|issu|revers|credit|activat|unblock|reset)\w*\s+(?:you|your|the|a|it|this|that)\b"
    r"|我(们)?(已经?|会|将|马上|现在就?|这就)(为您|帮您|给您)?"
    r"(退款|取消|冻结|转账|寄|补办|注销|修改|更新|联系|处理|解锁|重置)",
    re.IGNORECASE,
)
# Words that claim nothing.
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
    """The part of a passage that supports a sentence; ``span`` is a range of the passage's text."""

    passage: Passage
    span: Span


class Grounder:
    """Checks sentences against the hits by rules: each value and each name needs support."""

    def check(self, sentence: str, hits: Sequence[Hit]) -> SupportingSpan | None:
        """Return the span that supports a sentence, or None if there is none.

        A span is one sentence of a passage, or two sentences of which the second depends on the
        first ("after that …"). It supports a sentence if it

        - contains each of its values, names and addresses, and enough of its content words;
        - is negated if and only if the sentence is;
        - connects each value with the same subject: "$5 in 5 days and $15 in 2" does not support
          "$5 in 2 days".

        A promise ("I have refunded you") is supported only if a passage has the same words.
        """
        if _PROMISE.search(sentence):
            # "We freeze the card for you" is a fact if an article says it.
            return _verbatim(sentence, hits)
        claim = _Claim(sentence)
        best: tuple[float, SupportingSpan] | None = None
        for hit in hits:
            text = hit.passage.text
            passage_clauses = [c for s in sentences(text, "en") for c in clauses(s.of(text))]
            for span in _spans(hit.passage):
                columns = " ".join(header_of(text, span.start)[1:])
                overlap = claim.overlap(span.of(text), passage_clauses, columns)
                # Single sentences come first, so they win ties over pairs.
                if overlap is not None and (best is None or overlap > best[0] + 0.05):
                    best = (overlap, SupportingSpan(hit.passage, span))
        return best[1] if best else None


def without_yes_or_no(sentence: str) -> str:
    """Return a sentence without a yes or no before it, of which a span cannot tell."""
    rest = _YES_NO.sub("", sentence, count=1)
    return rest if rest == sentence else rest[:1].upper() + rest[1:]


class _Claim:
    """A sentence, taken apart for the comparison with spans."""

    def __init__(self, sentence: str) -> None:
        chinese = bool(re.search(r"[\u4e00-\u9fff]", sentence))
        self._sentence = without_yes_or_no(sentence)
        self._min_overlap = MIN_OVERLAP["zh" if chinese else "en"]
        self._values = values(self._sentence)
        self._names = _names(self._sentence)
        self._negated = is_negated(self._sentence)
        self._words = set(words(sentence)) - FUNCTION_WORDS
        self._content = content_words(self._sentence)
        self._subjects = subject_words(self._sentence)
        self._periods = {word for word in self._content if word.startswith("/")}
        self._clause_values = [v for c in clauses(self._sentence) for v in c.values]

    def overlap(
        self, span: str, passage_clauses: Sequence[Clause], columns: str = ""
    ) -> float | None:
        """Return the share of the claim's words that a span contains; None without support.

        Args:
            span: One or two sentences of a passage.
            passage_clauses: All clauses of that passage.
            columns: Of a row of a table, the names of its columns.
        """
        if not self._words or not self._has_all_facts(span):
            return None
        if self._negated != is_negated(span) and not self._best_clause_agrees(span):
            return None
        # What is below "Limit" costs nothing.
        if are_opposed(self._sentence, f"{columns} {span}") or not self._values_fit(
            span, passage_clauses
        ):
            return None
        claimed = self._subjects or self._words
        share = len(claimed & (content_words(span) | set(words(span)))) / len(claimed)
        return share if share >= self._min_overlap else None

    def _has_all_facts(self, span: str) -> bool:
        """Return whether a span has each name, value and period ("a month") of the claim."""
        lowered = span.lower()
        has_names = all(name.lower() in lowered for name in self._names)
        has_values = are_among(self._values, values(span))
        return has_names and has_values and self._periods <= content_words(span)

    def _best_clause_agrees(self, span: str) -> bool:
        """Return whether the clause with most of the claim's words is negated as the claim is."""

        def shared(clause: Clause) -> int:
            return len(content_words(clause.text) & self._content)

        candidates = [clause for clause in clauses(span) if shared(clause)]
        best = max(candidates, key=shared, default=None)
        return best is not None and best.negated == self._negated

    def _values_fit(self, span: str, passage_clauses: Sequence[Clause]) -> bool:
        """Return whether each value of the claim has the same subject in the span."""
        span_clauses = clauses(span)
        return all(
            any(
                self._has_same_subject(value, clause, passage_clauses)
                for clause in span_clauses
                if any(same_value(value, v) for v in clause.values)
            )
            for value in self._clause_values
        )

    def _has_same_subject(
        self, value: Value, clause: Clause, passage_clauses: Sequence[Clause]
    ) -> bool:
        """Return whether a value has the same subject in a clause as in the claim.

        It has not if the clause is about something that the claim does not mention, and the claim
        mentions the subject of a clause with a rival value.
        """
        rivals = [c for c in passage_clauses if any(are_rivals(value, v) for v in c.values)]
        rival_words = {word for rival in rivals for word in rival.subject & self._content}
        return not (rival_words - clause.subject and clause.subject - self._content)


def figures(text: str) -> set[str]:
    """Return the numbers and currencies of a text, each in one spelling.

    "£1,000" gives "1000" and "pounds". A percentage keeps its sign, so that "2 %" does not support
    "£2". Currencies are entries of their own, so that "£5" supports "5 pounds" but not "$5".
    """
    parsed = {name for name, pattern in _CURRENCIES.items() if pattern.search(text)}
    for figure in _FIGURE.findall(text):
        digits = re.sub(r"[%\s]", "", figure)
        if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits):
            digits = digits.replace(",", "")
        parsed.add(f"{digits}{'%' if figure.endswith('%') else ''}")
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in NUMBER_WORDS and word != "one":
            parsed.add(NUMBER_WORDS[word])
    parsed |= {str(han_number(number)) for number in HAN_NUMBER.findall(text) if number != "一"}
    return parsed


def _names(sentence: str) -> set[str]:
    return {m.group() for m in _NAME.finditer(sentence)} | set(_ADDRESS.findall(sentence))


def _spans(passage: Passage) -> Iterator[Span]:
    single = sentences(passage.text, passage.lang)
    yield from single
    for first, second in pairwise(single):
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
