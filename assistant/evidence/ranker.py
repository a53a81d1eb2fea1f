"""Ranks the sentences of the hits by how likely each answers the question."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np

from assistant.evidence.evidence_model import Logits
from assistant.evidence.hollow import is_hollow
from assistant.evidence.ranked_sentences import Evidence, RankedSentences, is_of_another
from assistant.evidence.reader import EvidenceReader
from assistant.message.context import EarlierTurn
from knowledge.documents import Hit
from knowledge.models.embedder import Embedder, Vectors
from knowledge.models.span_embedder import SpanEmbedder
from knowledge.segmenter import Span, sentences

# Passages whose sentences are ranked; more brought nothing on the development companies.
READ = 6
# Where no network reads, passages of other articles count from this share of the best hit's score.
NEAR_SHARE = 0.3
# Weight of a cosine in a sentence's logit where no network reads.
COSINE_WEIGHT = 15.0
# Sentences whose vectors are kept, 1.5 KB each.
KNOWN_SENTENCES = 20_000


class SentenceRanker:
    """Ranks sentences by what reads them, or by their cosine to the question."""

    def __init__(self, embedder: Embedder, reader: EvidenceReader | None = None) -> None:
        """Take the parts; ``open`` loads what ships.

        Args:
            embedder: Compares question and sentences where nothing reads them.
            reader: Reads question and passages together; None where nothing was trained for the
                models in use.
        """
        self._embedder = embedder
        self.reader = reader
        self._known: dict[str, Vectors] = {}

    @classmethod
    def open(
        cls,
        embedder: Embedder,
        spans: Sequence[SpanEmbedder] = (),
        reading: Embedder | None = None,
    ) -> Self:
        """Load the networks that were trained to read for these models, if there are any.

        Args:
            embedder: The one that made the index.
            spans: The span embedders, of which one has a network that reads too.
            reading: The embedder whose network reads; None for ``embedder``.

        Raises:
            AssistantError: The weights are damaged.
        """
        return cls(embedder, EvidenceReader.open(reading or embedder, spans))

    def rank(
        self,
        question: str,
        hits: Sequence[Hit],
        vector: Vectors,
        read_share: float = 0.0,
        last: EarlierTurn | None = None,
    ) -> RankedSentences:
        """Return the sentences of the best hits, the most likely first.

        Args:
            question: The customer's question.
            hits: Best first.
            vector: Of the question with what it refers to, of shape (dimension,).
            read_share: From this share of the best hit's score on, in [0, 1], passages of other
                articles are read. A later message is read with all hits.
            last: The turn before the question; None for a first message.
        """
        from scipy.special import softmax

        kept, spans = self.to_read(question, hits, None if last else read_share)
        if not kept:
            return RankedSentences((), 0.0)
        evidence = [
            [Evidence(hit.passage, span, 0.0, question) for span in of_hit]
            for hit, of_hit in zip(kept, spans, strict=True)
        ]
        logits: Sequence[Logits | None]
        best = None
        if self.reader:
            reading = self.reader.read(question, kept, spans, last)
            logits, answerable, best = reading.logits, reading.answerable, reading.best
        else:
            logits, answerable = [self._near(of_hit, vector) for of_hit in evidence], hits[0].score
        pairs = [(e, own) for e, own in zip(evidence, logits, strict=True) if own is not None]
        listed = [one for of_hit, _ in pairs for one in of_hit]
        scores = np.concatenate([own for _, own in pairs])
        likely = softmax(scores)
        ranked = [
            dataclasses.replace(listed[row], score=float(likely[row]))
            for row in np.argsort(-scores)
        ]
        ranked = [one for one in ranked if not is_of_another(one, question)]
        if not ranked:
            return RankedSentences((), 0.0)
        return RankedSentences(ranked, answerable, read=self.reader is not None, best=best)

    def to_read(
        self, question: str, hits: Sequence[Hit], read_share: float | None
    ) -> tuple[list[Hit], list[list[Span]]]:
        """Return the hits that are read, with the sentences of each that may answer.

        What a hit tells of its sentences is told of these. See ``rank`` for the arguments;
        ``read_share`` is None to read all.
        """
        kept, spans = [], []
        for hit in hits if read_share is None else self._near_best(hits, read_share):
            passage = hit.passage
            found = sentences(passage.text, passage.lang)
            numbers = [n for n, s in enumerate(found) if not is_hollow(s, passage, question)]
            if numbers:
                scores = tuple(hit.sentences[n] for n in numbers) if hit.sentences else ()
                repeated = tuple(hit.repeated[n] for n in numbers) if hit.repeated else ()
                kept.append(dataclasses.replace(hit, sentences=scores, repeated=repeated))
                spans.append([found[n] for n in numbers])
        return kept, spans

    def _near_best(self, hits: Sequence[Hit], read_share: float) -> list[Hit]:
        if not hits:
            return []
        best = hits[0]
        # Cosines compare sentences and know nothing of articles.
        least = best.score * (read_share if self.reader else max(read_share, NEAR_SHARE))
        return [
            hit
            for hit in hits[:READ]
            if hit.passage.article == best.passage.article or hit.score >= least
        ]

    def _near(self, evidence: Sequence[Evidence], vector: Vectors) -> Logits:
        if not evidence:
            return np.zeros(0)
        named = [f"{one.passage.name}: {one.text}" for one in evidence]
        return np.asarray(COSINE_WEIGHT * (self._vectors(named) @ vector), np.float64)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the sentences' vectors, which are asked for again and again."""
        if len(self._known) > KNOWN_SENTENCES:
            self._known = {}
        # Another turn may start a new table meanwhile; this one keeps the table it began with.
        known = self._known
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, self._embedder.encode_passages(new), strict=True))
        return np.stack([known[text] for text in texts])
