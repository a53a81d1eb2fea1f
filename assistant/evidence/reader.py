"""Reads the hits for a question with one network, or with two whose mean is better."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from assistant.evidence.evidence_model import OF_EMBEDDER, OF_SPAN_EMBEDDER, EvidenceModel, Logits
from assistant.evidence.evidence_weights import EvidenceWeights, EvidenceWeightTable
from assistant.evidence.selection import quoted_together
from assistant.message.context import EarlierTurn
from knowledge.documents import Hit, Passage
from knowledge.errors import ModelNotFoundError
from knowledge.models.model_files import open_frozen_embedder
from knowledge.segmenter import Span, language_of

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.models.span_embedder import SpanEmbedder

logger = logging.getLogger(__name__)

# Passages that the span embedder's network reads too: it is larger.
READ_AGAIN = 3
# A hit's score of zero has a logarithm too.
LEAST_SCORE = 1e-4


def open_reading_embedder(model: str | None, state: Path) -> "Embedder | None":
    """Load the default embedder next to another one: the network that reads was trained for it.

    Args:
        model: The embedder that the settings name; nothing is loaded next to the default one.
        state: The state folder.

    Returns:
        None where no other embedder is named, or the default one cannot be found.
    """
    if not model:
        return None
    try:
        return open_frozen_embedder(state)
    except ModelNotFoundError as error:
        logger.warning("Sentences are compared by their cosines alone: %s", error)
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the hits gave.

    Attributes:
        logits: For each hit an array of shape (sentences,), comparable across hits; None for a hit
            that the second network did not read.
        answerable: The calibrated probability, in [0, 1], that at least one sentence answers.
        best: The same of the sentences that an answer would quote.
        features: What that probability is made of: the networks' logit of "any sentence answers",
            the best hit's log-odds, the best span score.
        read: What the networks said of each sentence, in the shape of ``logits``.
    """

    logits: Sequence[Logits | None]
    answerable: float
    best: float
    features: tuple[float, float, float]
    read: Sequence[Logits | None]


class EvidenceReader:
    """Reads all hits with the embedder's network and the best of them with a larger one."""

    def __init__(
        self,
        first: EvidenceModel,
        second: EvidenceModel | None = None,
        weights: EvidenceWeightTable | None = None,
    ) -> None:
        """Take the models and the weights; ``open`` loads those that ship."""
        self._first, self._second = first, second
        self._weights = weights or EvidenceWeightTable({})

    @classmethod
    def open(cls, embedder: "Embedder", spans: "Sequence[SpanEmbedder]" = ()) -> Self | None:
        """Load what was trained for these models; None where nothing was for the embedder."""
        first = EvidenceModel.load(embedder, OF_EMBEDDER)
        if first is None:
            return None
        known = (EvidenceModel.load(one, OF_SPAN_EMBEDDER) for one in spans)
        second = next((model for model in known if model), None)
        return cls(first, second, EvidenceWeightTable.load())

    def read(
        self,
        question: str,
        hits: Sequence[Hit],
        spans: Sequence[Sequence[Span]],
        last: EarlierTurn | None = None,
    ) -> Reading:
        """Return how likely each sentence of the hits answers.

        Args:
            question: The customer's question.
            hits: At least one.
            spans: The sentences of each.
            last: The turn before the question; None for a first message.
        """
        lang = language_of(question)
        is_near = any(hit.sentences for hit in hits)
        across = all(hit.passage.lang != lang for hit in hits)
        weights = self._weights.of(lang, spans=is_near, later=last is not None, across=across)
        outside = [
            _outside(hit, len(of), weights) + _of_last(hit, of, weights, last)
            for hit, of in zip(hits, spans, strict=True)
        ]
        read, any_logit = self._read(question, hits, spans, outside, weights, lang, last)
        logits = [
            None if own is None else weights.reading * own + more
            for own, more in zip(read, outside, strict=True)
        ]
        best_hit = max(hit.score for hit in hits)
        best_span = max((score for hit in hits for score in hit.sentences), default=0.0)
        features = (any_logit, log_odds(best_hit), best_span)
        answerable = weights.answerable(*features)
        articles = [hit.passage.article for hit in hits]
        best = weights.best(any_logit, features[1], best_share(logits, articles))
        return Reading(
            logits,
            answerable=answerable,
            # Fitted apart: some sentences are never likelier right than all are.
            best=min(best, answerable),
            features=features,
            read=read,
        )

    def _read(
        self,
        question: str,
        hits: Sequence[Hit],
        spans: Sequence[Sequence[Span]],
        outside: Sequence[Logits],
        weights: EvidenceWeights,
        lang: str,
        last: EarlierTurn | None,
    ) -> tuple[list[Logits | None], float]:
        """Return the networks' logits of each sentence, and of "any sentence answers"."""
        second = self._second if self._second and lang in self._second.languages else None
        readings = [(question, last)] if second else _readings(question, last)
        first, any_logit = _mean(self._first, readings, [hit.passage for hit in hits], spans)
        if second is None:
            return list(first), any_logit
        worth = [
            _any(weights.reading * own + more) for own, more in zip(first, outside, strict=True)
        ]
        best = sorted(range(len(hits)), key=lambda n: -worth[n])[:READ_AGAIN]
        # Of a passage in another language, the larger network tells nothing.
        readable = [n for n in best if hits[n].passage.lang in second.languages]
        if not readable:
            return list(first), any_logit
        both: list[Logits | None] = [first[n] if n in best else None for n in range(len(hits))]
        passages = [hits[n].passage for n in readable]
        again = second.score(question, passages, [spans[n] for n in readable], last)
        for n, own in zip(readable, again, strict=True):
            both[n] = (first[n] + own) / 2
        return both, (any_logit + _any(np.concatenate(again))) / 2


def _readings(question: str, last: EarlierTurn | None) -> list[tuple[str, EarlierTurn | None]]:
    """Return the ways in which the small network reads; of a later question, their mean is better.

    Beside a larger one it brings nothing.
    """
    alone: tuple[str, EarlierTurn | None] = (question, None)
    if last is None:
        return [alone]
    return [(question, last), alone, (f"{last.question} {question}", None)]


def _mean(
    model: EvidenceModel,
    readings: Sequence[tuple[str, EarlierTurn | None]],
    passages: Sequence[Passage],
    spans: Sequence[Sequence[Span]],
) -> tuple[list[Logits], float]:
    """Return the mean of the readings' logits by passage, and that of "any sentence answers"."""
    read = [model.score(question, passages, spans, last) for question, last in readings]
    logits = [np.mean(of_passage, axis=0) for of_passage in zip(*read, strict=True)]
    return logits, float(np.mean([_any(np.concatenate(one)) for one in read]))


def _outside(hit: Hit, count: int, weights: EvidenceWeights) -> Logits:
    """Return what retrieval and the span embedder say of a hit's sentences, of shape (count,)."""
    near = np.array(hit.sentences) if hit.sentences else np.zeros(count)
    known = weights.hit * np.log(hit.score + LEAST_SCORE) + weights.span * near
    return np.asarray(known - weights.repeated * np.log(hit.repeated or np.ones(count)))


def _of_last(
    hit: Hit, spans: Sequence[Span], weights: EvidenceWeights, last: EarlierTurn | None
) -> Logits:
    """Return what the last reply says of a hit's sentences, of shape (len(spans),)."""
    cited, said = of_last_reply(hit, spans, last)
    return np.asarray(weights.cited * cited - weights.said * said)


def of_last_reply(
    hit: Hit, spans: Sequence[Span], last: EarlierTurn | None
) -> tuple[Logits, Logits]:
    """Return which sentences stand in the article that was cited first, and which were quoted.

    Args:
        hit: A hit.
        spans: Its sentences.
        last: The turn before the question; None for a first message.

    Returns:
        Two arrays of shape (len(spans),) with 0 for no and 1 for yes.
    """
    citations = last.citations if last else ()
    places = {(c.article, c.lang, c.start) for c in citations}
    passage = hit.passage
    first = bool(citations) and passage.article == citations[0].article
    said = [(passage.article, passage.lang, passage.start + span.start) in places for span in spans]
    return np.full(len(spans), float(first)), np.array(said, float)


def best_share(logits: Sequence[Logits | None], articles: Sequence[str]) -> float:
    """Return the log-odds of the quoted sentences' share among all sentences.

    Args:
        logits: Of each hit's sentences; None for a hit that was left out.
        articles: The article of each hit.
    """
    from scipy.special import softmax

    known = [(own, name) for own, name in zip(logits, articles, strict=True) if own is not None]
    if not known:
        return -np.inf
    shares = softmax(np.concatenate([own for own, _ in known]))
    names = [name for own, name in known for _ in own]
    return log_odds(float(shares[quoted_together(shares, names)].sum())) if names else -np.inf


def log_odds(probability: float) -> float:
    """Return a probability's log-odds, with a bound on both sides."""
    bounded = min(max(probability, LEAST_SCORE), 1 - LEAST_SCORE)
    return float(np.log(bounded / (1 - bounded)))


def _any(logits: Logits) -> float:
    return float(np.logaddexp.reduce(logits)) if len(logits) else -np.inf
