"""The sentences of the hits, the most likely first, and how likely they answer."""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.messages import Citation, Nearest
from knowledge.documents import Hit, Passage
from knowledge.markdown_tables import header_of, is_row, read_row
from knowledge.segmenter import LEANING, Span, step_of

# The articles of which is kept what they have nearest to a question.
NEAREST = 3
# The name of a row that is words with a number, and no amount: "Zone 4".
_NUMBERED = re.compile(r"((?:[^\W\d_]|[ -]){1,30}?)\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage.

    Attributes:
        passage: The passage.
        span: Where the sentence is, in characters of the passage's text.
        score: The probability, in [0, 1], that it is the best of all sentences.
        asked: The question, which may name columns of a table.
    """

    passage: Passage
    span: Span
    score: float
    asked: str = ""

    @property
    def text(self) -> str:
        """The sentence as written; a table row as a person would read it aloud."""
        written = self.span.of(self.passage.text)
        if not is_row(written):
            return written
        header = header_of(self.passage.text, self.span.start)
        header = header or self.passage.heading.split(" > ")[-1].split(" | ")
        return read_row(written, header, self.asked)

    @property
    def is_row(self) -> bool:
        """Whether it is a row of a table."""
        return is_row(self.span.of(self.passage.text))

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Article, language, passage start and sentence start: sorts in reading order."""
        passage = self.passage
        return passage.article, passage.lang, passage.start, self.span.start

    @property
    def step(self) -> str:
        """The number before a step of a list, such as ``2.``; empty for other sentences."""
        return step_of(self.passage.text, self.span)

    def continues(self, before: "Evidence") -> bool:
        """Return whether it follows another sentence in the same line."""
        text = self.passage.text[before.span.end : self.span.start]
        return self.passage is before.passage and "\n" not in text


@dataclass(frozen=True, slots=True)
class RankedSentences:
    """The sentences of the hits and the probability that any of them answers.

    Attributes:
        sentences: The most likely first. Their scores compare them with each other only.
        answerable: The probability, in [0, 1], that at least one of them answers.
        read: Whether a network read them. Cosines alone know nothing of articles.
        best: The probability, in [0, 1], that one of those to quote answers; None if none was read.
    """

    sentences: Sequence[Evidence]
    answerable: float
    read: bool = True
    best: float | None = None

    @property
    def articles(self) -> dict[str, float]:
        """The probability, in [0, 1], that each article answers if any does; the highest first."""
        articles = [evidence.passage.article for evidence in self.sentences]
        return shares_of(articles, [evidence.score for evidence in self.sentences])

    @property
    def best_article(self) -> float:
        """The probability, in [0, 1], that the most likely article answers.

        Two articles that are equally likely leave open which one was meant. If no network read the
        sentences, ``answerable`` is that of the best article already.
        """
        share = next(iter(self.articles.values()), 0.0)
        return self.answerable * (share if self.read else 1.0)


def best_of(chosen: Sequence[Evidence]) -> Evidence:
    """Return the likeliest of some sentences, at least one."""
    return max(chosen, key=lambda evidence: evidence.score)


def nearest_of(ranked: RankedSentences, hits: Iterable[Hit]) -> tuple[Nearest, ...]:
    """Return what the ``NEAREST`` likeliest articles have nearest to a question.

    Args:
        ranked: The sentences that were read.
        hits: What was found, the most likely first.
    """
    firsts: dict[tuple[str, str], Hit] = {}
    for hit in hits:
        firsts.setdefault((hit.passage.article, str(hit.passage.lang)), hit)
    best: dict[tuple[str, str], Evidence] = {}
    for evidence in ranked.sentences:
        best.setdefault((evidence.passage.article, str(evidence.passage.lang)), evidence)
    found = []
    for (article, lang), hit in list(firsts.items())[:NEAREST]:
        sentence = best.get((article, lang))
        answers = round(ranked.answerable * sentence.score, 4) if sentence else 0.0
        text = sentence.text if sentence else ""
        title = hit.passage.title
        found.append(Nearest(article, lang, title, round(hit.score, 4), text, answers))
    return tuple(found)


def is_of_another(evidence: Evidence, question: str) -> bool:
    """Return whether a row of a table is another one than the question names by its number.

    "Zone 4" answers nothing about "zone 237", near as it stands.
    """
    if not evidence.is_row:
        return False
    first = evidence.span.of(evidence.passage.text).strip().strip("|").split("|")[0].strip()
    numbered = _NUMBERED.fullmatch(first)
    if not numbered:
        return False
    name, number = numbered.groups()
    asked = re.findall(rf"{re.escape(name.strip())}\s*(\d+)", question, re.IGNORECASE)
    return bool(asked) and number not in asked


def without(ranked: RankedSentences, said: Sequence[Citation]) -> RankedSentences:
    """Return ranked sentences without those that were said.

    Args:
        ranked: The sentences.
        said: What a reply quoted.
    """
    places = {(c.article, c.lang, c.start) for c in said}
    rest = [e for e in ranked.sentences if _start(e) not in places]
    return dataclasses.replace(ranked, sentences=rest) if rest else RankedSentences((), 0.0)


def _start(evidence: Evidence) -> tuple[str, str, int]:
    passage = evidence.passage
    return passage.article, passage.lang, passage.start + evidence.span.start


def shares_of(articles: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
    """Return the summed scores of each article's sentences, the highest first.

    Args:
        articles: The article of each sentence.
        scores: The score of each sentence, in [0, 1].
    """
    shares: dict[str, float] = {}
    for article, share in zip(articles, scores, strict=True):
        shares[article] = shares.get(article, 0.0) + share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def runs_of(chosen: Sequence[Evidence]) -> list[list[Evidence]]:
    """Return the chosen sentences in runs that belong together, the most likely run first.

    A sentence that leans on the one before it follows it, and steps keep their order.

    Args:
        chosen: In the order of the articles.
    """
    runs: list[list[Evidence]] = []
    for evidence in chosen:
        before = runs[-1] if runs and runs[-1][-1].passage is evidence.passage else []
        in_step = bool(before) and before[-1].step and evidence.continues(before[-1])
        leans = in_step or evidence.step or evidence.text.lower().startswith(LEANING)
        if before and leans:
            runs[-1].append(evidence)
        else:
            runs.append([evidence])
    return sorted(runs, key=_best_score, reverse=True)


def as_hits(runs: Iterable[Sequence[Evidence]]) -> list[Hit]:
    """Return what a generator reads: the most likely first, since order guides a small model."""
    return [Hit(_joined(run), _best_score(run)) for run in runs]


def _best_score(run: Sequence[Evidence]) -> float:
    return max(evidence.score for evidence in run)


def _joined(run: Sequence[Evidence]) -> Passage:
    passage = run[0].passage
    between = "" if passage.lang == "zh" else " "
    texts = [f"{evidence.step} {evidence.text}".strip() for evidence in run]
    return dataclasses.replace(passage, text=between.join(texts))
