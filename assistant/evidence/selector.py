"""Chooses the sentences of the hits that answer the question: the extractive answer."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Self

import numpy as np

from assistant.evidence.evidence_model import Logits
from assistant.evidence.ranked_sentences import Evidence, RankedSentences
from assistant.evidence.reader import EvidenceReader
from assistant.generators.generator import Generator
from assistant.grounding.claims import values
from knowledge.documents import Hit
from knowledge.models.embedder import Embedder, Vectors
from knowledge.segmenter import LEANING, length, sentences

# Passages whose sentences are read; on the development companies more found no more.
READ = 6
MAX_SENTENCES = 3
_ANNOUNCES = re.compile(r"[:：]$|\bsteps\b|as follows|步骤|如下|以下", re.IGNORECASE)
MAX_WORDS = {"en": 70, "zh": 130}
# Without a network that reads, passages of other articles count from this share of the best hit's
# score upwards.
NEAR_SHARE = 0.3
# A sentence is said beside the best one if it is so likely, measured by the best; one of another
# article must be likelier. Chosen on the development companies.
BESIDE, BESIDE_OTHER = 0.3, 0.5
# Two prices of one article are said together sooner: whoever reads both sees which one is theirs.
BESIDE_PRICE = 0.04
# Sentences whose vectors are kept, 1.5 KB each.
KNOWN_SENTENCES = 20_000
# What nearness is worth with an embedder that nothing was fitted for.
PLAIN = 15.0


class EvidenceSelector:
    """Ranks the hits' sentences and selects those that an answer holds."""

    def __init__(self, embedder: Embedder, reader: EvidenceReader | None = None) -> None:
        """Take the parts.

        Args:
            embedder: Compares questions and sentences where nothing reads them.
            reader: Reads questions and passages together; None where nothing was trained for
                the models in use.
        """
        self._embedder = embedder
        self._reader = reader
        self._known: dict[str, Vectors] = {}

    @classmethod
    def open(
        cls,
        embedder: Embedder,
        generator: Generator | None = None,
        reading: Embedder | None = None,
    ) -> Self:
        """Load what was trained to read for these models, if anything was.

        Args:
            embedder: The one that made the index.
            generator: Its network reads too.
            reading: Whose network reads; None for the embedder's.

        Raises:
            AssistantError: The weights are damaged.
        """
        return cls(embedder, EvidenceReader.open(reading or embedder, generator))

    def rank(
        self, question: str, hits: Sequence[Hit], vector: Vectors, read_share: float = 0.0
    ) -> RankedSentences:
        """Return the sentences of the best hits, likeliest first.

        Args:
            question: The customer's question, self-contained.
            hits: Best first.
            vector: The question's, of shape (dimension,), as retrieval uses it.
            read_share: From which share of the best hit's score on, in [0, 1], passages of other
                articles are read.
        """
        from scipy.special import softmax

        kept = self._kept(hits, read_share)
        cut = [sentences(hit.passage.text, hit.passage.lang) for hit in kept]
        if not any(cut):
            return RankedSentences((), 0.0)
        found = [
            [Evidence(hit.passage, span, 0.0) for span in spans]
            for hit, spans in zip(kept, cut, strict=True)
        ]
        if self._reader:
            reading = self._reader.read(question, kept, cut)
            scored, answerable = reading.logits, reading.answerable
        else:
            scored, answerable = [self._nearness(one, vector) for one in found], hits[0].score
        read = [n for n, logits in enumerate(scored) if logits is not None]
        listed = [evidence for n in read for evidence in found[n]]
        scores = np.concatenate([scored[n] for n in read])
        likely = softmax(scores)
        ranked = [
            dataclasses.replace(listed[row], score=float(likely[row]))
            for row in np.argsort(-scores)
        ]
        return RankedSentences(ranked, answerable, read=self._reader is not None)

    def _kept(self, hits: Sequence[Hit], read_share: float) -> list[Hit]:
        if not hits:
            return []
        best = hits[0]
        # Nearness compares sentences and knows nothing of articles.
        least = best.score * (read_share if self._reader else max(read_share, NEAR_SHARE))
        return [
            hit
            for hit in hits[:READ]
            if hit.passage.article == best.passage.article or hit.score >= least
        ]

    def select(self, ranking: RankedSentences, lang: str) -> list[Evidence]:
        """Return one to three sentences, in the order of the article; none without a hit.

        Steps come all together, however many they are.
        """
        if not ranking.sentences:
            return []
        chosen = _best(ranking.sentences, lang)
        found = sorted(ranking.sentences, key=lambda e: e.place)
        kept = _with_steps(_with_neighbours(chosen, found), found)
        return _in_order(kept, chosen[0].passage.article)

    def _nearness(self, found: Sequence[Evidence], vector: Vectors) -> Logits:
        if not found:
            return np.zeros(0)
        named = [f"{evidence.passage.name}: {evidence.text}" for evidence in found]
        return np.asarray(PLAIN * (self._vectors(named) @ vector), np.float64)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the sentences' vectors; they are asked for again and again."""
        if len(self._known) > KNOWN_SENTENCES:
            self._known = {}
        # Another turn may begin a new table meanwhile; this one goes on with what it began with.
        known = self._known
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, self._embedder.encode_passages(new), strict=True))
        return np.stack([known[text] for text in texts])


def _best(ranked: Sequence[Evidence], lang: str) -> list[Evidence]:
    first, *others = ranked
    chosen, words = [first], length(first.text)
    for evidence in others:
        if evidence.score < first.score * _least(evidence, first):
            continue
        words += length(evidence.text)
        if len(chosen) == MAX_SENTENCES or words > MAX_WORDS.get(lang, 70):
            break
        chosen.append(evidence)
    return chosen


def _least(evidence: Evidence, first: Evidence) -> float:
    """Return from which share of the best sentence's likelihood on another one is said."""
    if evidence.passage.article != first.passage.article:
        return BESIDE_OTHER
    priced = all(
        {"money", "share"} & {kind for kind, *_ in values(e.text)} for e in (evidence, first)
    )
    return BESIDE_PRICE if priced else BESIDE


def _with_neighbours(chosen: Sequence[Evidence], found: Sequence[Evidence]) -> list[Evidence]:
    """Add the sentence that a chosen one leans on, and the one that leans on a chosen one.

    "Above that we charge 2 %" says nothing alone, and "free up to £200" is half the truth.
    """
    places = {(id(e.passage), e.span.start): n for n, e in enumerate(found)}
    kept = {places[id(e.passage), e.span.start] for e in chosen}
    for place in sorted(kept):
        if _leans(found, place):
            kept.add(place - 1)
        if _leans(found, place + 1):
            kept.add(place + 1)
    return [found[place] for place in kept]


def _with_steps(chosen: Sequence[Evidence], found: Sequence[Evidence]) -> list[Evidence]:
    """Add the other steps where one is chosen, or the sentence that announces them.

    Half of a list of steps leads nowhere, and "work through these steps" without them even less.
    """
    runs: list[list[Evidence]] = []
    announced: list[Evidence | None] = []
    for before, evidence in zip([None, *found], found, strict=False):
        if runs and before is runs[-1][-1] and (evidence.step or evidence.continues(before)):
            runs[-1].append(evidence)
        elif evidence.step:
            runs.append([evidence])
            announced.append(before)
    kept = list(chosen)
    for run, before in zip(runs, announced, strict=True):
        wanted = before in chosen and _ANNOUNCES.search(before.text) if before else None
        if wanted or any(evidence in chosen for evidence in run):
            kept += [evidence for evidence in run if evidence not in chosen]
    return kept


def _leans(found: Sequence[Evidence], place: int) -> bool:
    if not 0 < place < len(found) or found[place].passage is not found[place - 1].passage:
        return False
    return found[place].text.lower().startswith(LEANING)


def _in_order(chosen: Sequence[Evidence], first: str) -> list[Evidence]:
    """Order as in the articles, the article of the best sentence first."""
    return sorted(chosen, key=lambda e: (e.passage.article != first, e.place))
