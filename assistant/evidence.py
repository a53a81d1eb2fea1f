"""Chooses the sentences of the hits that answer the question: the extractive answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.documents import Hit, Passage
from knowledge.embedder import Embedder
from knowledge.lexical import LexicalIndex
from knowledge.segmenter import Span, length, sentences

MAX_SENTENCES = 3
MAX_WORDS = {"en": 70, "zh": 130}
# Sentences this far below the best one are left out.
TOLERANCE = 0.12
# Hits of other articles count only from this share of the best hit's score upwards.
OTHER_ARTICLE = 0.8
# A sentence that opens with one of these leans on the one before it.
LEANING = (
    "it ", "its ", "they ", "this ", "these ", "that ", "then ", "after that", "until then",
    "otherwise", "above that", "if it ", "each ", "such ", "such",
    "它", "这", "那", "之后", "否则", "期间", "超出部分", "此", "其", "该",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage; ``span`` counts in the passage's text."""

    passage: Passage
    span: Span
    score: float

    @property
    def text(self) -> str:
        """The sentence as written."""
        return self.span.of(self.passage.text)


class EvidenceSelector:
    """Ranks the hits' sentences by their nearness to the question."""

    def __init__(self, embedder: Embedder, lexical: LexicalIndex) -> None:
        """Take what measures nearness in meaning and in words."""
        self._embedder = embedder
        self._lexical = lexical

    def select(self, question: str, lang: str, hits: Sequence[Hit]) -> list[Evidence]:
        """Return one to three sentences, in the order of the article; none without a hit.

        Args:
            question: The customer's question, self-contained.
            lang: Its language.
            hits: Best first.
        """
        if not hits:
            return []
        best = hits[0]
        near = [hit for hit in hits if _counts(hit, best)]
        found = [
            Evidence(hit.passage, span, 0.0)
            for hit in near
            for span in sentences(hit.passage.text, hit.passage.lang)
        ]
        scored = self._scored(question, lang, found, {id(hit.passage): hit.score for hit in near})
        return _in_order(_with_lead_in(_best(scored, lang), found), found)

    def _scored(
        self, question: str, lang: str, found: Sequence[Evidence], scores: dict[int, float]
    ) -> list[Evidence]:
        texts = [f"{e.passage.name}: {e.text}" for e in found]
        if lang in self._embedder.languages:
            vectors = self._embedder.encode([question, *texts])
            nearness = [float(v) for v in vectors[1:] @ vectors[0]]
        else:
            nearness = [self._lexical.overlap(question, text) for text in texts]
        return [
            Evidence(e.passage, e.span, near + 0.2 * scores[id(e.passage)])
            for e, near in zip(found, nearness, strict=True)
        ]


def _counts(hit: Hit, best: Hit) -> bool:
    same = hit.passage.article == best.passage.article and hit.passage.lang == best.passage.lang
    return same or hit.score >= OTHER_ARTICLE * best.score


def _best(scored: Sequence[Evidence], lang: str) -> list[Evidence]:
    ranked = sorted(scored, key=lambda e: -e.score)
    chosen: list[Evidence] = []
    words = 0
    for evidence in ranked[:MAX_SENTENCES]:
        words += length(evidence.text)
        far = evidence.score < ranked[0].score - TOLERANCE
        if chosen and (far or words > MAX_WORDS.get(lang, 70)):
            break
        chosen.append(evidence)
    return chosen


def _with_lead_in(chosen: Sequence[Evidence], found: Sequence[Evidence]) -> list[Evidence]:
    """Add, before each sentence that leans on the one before it, that sentence."""
    by_place = {(id(e.passage), e.span.start): n for n, e in enumerate(found)}
    kept = list(chosen)
    held = {by_place[id(e.passage), e.span.start] for e in chosen}
    for evidence in chosen:
        place = by_place[id(evidence.passage), evidence.span.start]
        leans = evidence.text.lower().startswith(LEANING)
        if leans and place - 1 not in held and place:
            before = found[place - 1]
            if before.passage is evidence.passage:
                kept.append(before)
    return kept


def _in_order(chosen: Sequence[Evidence], found: Sequence[Evidence]) -> list[Evidence]:
    """Order as in the articles, the article of the best sentence first."""
    first = chosen[0].passage.article
    return sorted(
        chosen, key=lambda e: (e.passage.article != first, e.passage.article, e.passage.start, e.span.start)
    )
