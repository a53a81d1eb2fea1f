"""The sentences of the hits, likeliest first, and how sure it is that they answer."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.documents import Hit, Passage
from knowledge.markdown_tables import header_of, is_row, read_row
from knowledge.segmenter import LEANING, Span, step_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage; ``span`` counts in the passage's text.

    ``score`` is the probability, in [0, 1], that it is the one to say, if any is.
    """

    passage: Passage
    span: Span
    score: float

    @property
    def text(self) -> str:
        """The sentence as written; a row of a table as a person would say it."""
        written = self.span.of(self.passage.text)
        if not is_row(written):
            return written
        head = header_of(self.passage.text, self.span.start)
        return read_row(written, head or self.passage.heading.split(" > ")[-1].split(" | "))

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Where it stands: article, language, passage and sentence; sorts as one reads."""
        passage = self.passage
        return passage.article, passage.lang, passage.start, self.span.start

    @property
    def step(self) -> str:
        """The number before it, where it is a step among others ("2."), else empty."""
        return step_of(self.passage.text, self.span)

    def continues(self, before: "Evidence") -> bool:
        """Tell whether it stands in the same line, after another sentence."""
        text = self.passage.text[before.span.end : self.span.start]
        return self.passage is before.passage and "\n" not in text


@dataclass(frozen=True, slots=True)
class RankedSentences:
    """The sentences of the hits, likeliest first, and whether any of them answers.

    ``answerable`` is a probability in [0, 1]: of all sentences together, where ``score`` of one
    only compares it with the others. ``read`` tells whether a network read them; nearness alone
    compares sentences and knows nothing of articles.
    """

    sentences: Sequence[Evidence]
    answerable: float
    read: bool = True

    @property
    def articles(self) -> dict[str, float]:
        """How likely each article answers, in [0, 1], if any does; the likeliest first."""
        found = self.sentences
        return shares_of([e.passage.article for e in found], [e.score for e in found])

    @property
    def best_article(self) -> float:
        """The probability, in [0, 1], that the likeliest article answers.

        Two articles that answer as likely as each other leave it open which one was meant. Where no
        network read, ``answerable`` is the best article's already.
        """
        share = next(iter(self.articles.values()), 0.0)
        return self.answerable * (share if self.read else 1.0)


def shares_of(articles: Sequence[str], likely: Sequence[float]) -> dict[str, float]:
    """Return what each article's sentences are likely together, the likeliest article first.

    Args:
        articles: Of each sentence.
        likely: How likely each sentence is the one to say.
    """
    shares: dict[str, float] = {}
    for article, share in zip(articles, likely, strict=True):
        shares[article] = shares.get(article, 0.0) + share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def runs_of(chosen: Sequence[Evidence]) -> list[list[Evidence]]:
    """Return the chosen sentences in runs, the likeliest run first.

    A sentence that leans on the one before it stays with that, and steps stay in their order.

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
    return sorted(runs, key=_likelihood, reverse=True)


def as_hits(runs: Iterable[Sequence[Evidence]]) -> list[Hit]:
    """Return what a generator reads: the likeliest first, as the order tells a small model much."""
    return [Hit(_joined(run), _likelihood(run)) for run in runs]


def _likelihood(run: Sequence[Evidence]) -> float:
    return max(evidence.score for evidence in run)


def _joined(run: Sequence[Evidence]) -> Passage:
    passage = run[0].passage
    between = "" if passage.lang == "zh" else " "
    texts = [f"{evidence.step} {evidence.text}".strip() for evidence in run]
    return dataclasses.replace(passage, text=between.join(texts))
