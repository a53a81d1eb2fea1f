"""Chooses the sentences of the hits that answer the question: the extractive answer."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.documents import Hit, Passage
from knowledge.embedder import Embedder, Vectors
from knowledge.segmenter import LEANING, Span, length, sentences
from knowledge.tables import head_of, is_row, read_row

MAX_SENTENCES = 3
MAX_WORDS = {"en": 70, "zh": 130}
# Sentences this far below the best one are left out.
TOLERANCE = 0.12
# Cosines of the embedder lie close together; divided by this they differ as the weights expect.
SPREAD = 0.3
# Sentences whose vectors are kept, 1.5 KB each.
KNOWN_SENTENCES = 20_000
# What is added to a sentence's nearness, which lies in [0, 1]: for its passage's score; where the
# question asks for a figure, for holding one; and where it does not, for opening the article, since
# help centres say first what to do.
HIT_WEIGHT = 0.1
FIGURE = 0.1
OPENING = 0.12
# Hits of other articles count only from this share of the best hit's score upwards, and only if
# they are likelier right than not.
OTHER_ARTICLE = 0.8
LIKELY = 0.5

_ASKS_FIGURE = re.compile(
    r"\b(how (many|much|long|fast|soon|old|quickly|often)|when|cost|price|fee|limit|most|least|"
    r"maximum|minimum|largest|biggest|percent(age)?|charge)\b|多少|几|多久|多长|多快|什么时候|限额|最多|最少|费用|手续费",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage; ``span`` counts in the passage's text."""

    passage: Passage
    span: Span
    score: float

    @property
    def text(self) -> str:
        """The sentence as written; a row of a table as a person would say it."""
        written = self.span.of(self.passage.text)
        if not is_row(written):
            return written
        head = head_of(self.passage.text, self.span.start)
        return read_row(written, head or self.passage.heading.split(" > ")[-1].split(" | "))


def as_hits(chosen: Sequence[Evidence]) -> list[Hit]:
    """Return the chosen sentences as hits, one an article passage: what a generator reads.

    Args:
        chosen: In the order in which they shall be read.
    """
    texts: dict[int, list[str]] = {}
    passages: dict[int, Passage] = {}
    for evidence in chosen:
        passages.setdefault(id(evidence.passage), evidence.passage)
        texts.setdefault(id(evidence.passage), []).append(evidence.text)
    between = {"zh": ""}
    return [
        Hit(dataclasses.replace(passage, text=between.get(passage.lang, " ").join(texts[key])), 1.0)
        for key, passage in passages.items()
    ]


class EvidenceSelector:
    """Ranks the hits' sentences by their nearness to the question."""

    def __init__(self, embedder: Embedder) -> None:
        """Take what measures nearness."""
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}

    def select(self, question: str, lang: str, hits: Sequence[Hit]) -> list[Evidence]:
        """Return one to three sentences, in the order of the article; none without a hit.

        Args:
            question: The customer's question, self-contained.
            lang: Its language.
            hits: Best first.
        """
        if not hits:
            return []
        near = [hit for hit in hits if _counts(hit, hits[0])]
        found = _all_sentences(near)
        chosen = _best(self.ranked(question, lang, near), lang)
        return _in_order(_with_neighbours(chosen, found), chosen[0].passage.article)

    def ranked(self, question: str, lang: str, hits: Sequence[Hit]) -> list[Evidence]:
        """Return all sentences of the hits, the nearest to the question first."""
        scores = {id(hit.passage): hit.score for hit in hits}
        scored = self._scored(question, lang, _all_sentences(hits), scores)
        return sorted(scored, key=lambda evidence: -evidence.score)

    def _scored(
        self, question: str, lang: str, found: Sequence[Evidence], scores: dict[int, float]
    ) -> list[Evidence]:
        texts = [f"{e.passage.name}: {e.text}" for e in found]
        # As a passage, since both are then read alike: better than as a query on our questions.
        asked = self._embedder.encode_passages([question])[0]
        nearness = [float(vector @ asked) / SPREAD for vector in self._vectors(texts)]
        asks_figure = bool(_ASKS_FIGURE.search(question))
        return [
            Evidence(e.passage, e.span, near + _bonus(e, scores[id(e.passage)], asks_figure))
            for e, near in zip(found, nearness, strict=True)
        ]

    def _vectors(self, texts: Sequence[str]) -> list[Vectors]:
        """Return the sentences' vectors; they are asked for again and again."""
        if len(self._known) > KNOWN_SENTENCES:
            self._known.clear()
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.encode_passages(new), strict=True))
        return [self._known[text] for text in texts]


def _all_sentences(hits: Sequence[Hit]) -> list[Evidence]:
    return [
        Evidence(hit.passage, span, 0.0)
        for hit in hits
        for span in sentences(hit.passage.text, hit.passage.lang)
    ]


def _bonus(evidence: Evidence, score: float, asks_figure: bool) -> float:
    if asks_figure:
        fits = FIGURE * any(c.isdigit() for c in evidence.text)
    else:
        fits = OPENING * (evidence.passage.start + evidence.span.start == 0)
    return HIT_WEIGHT * score + fits


def _counts(hit: Hit, best: Hit) -> bool:
    same = hit.passage.article == best.passage.article and hit.passage.lang == best.passage.lang
    return same or hit.score >= max(LIKELY, OTHER_ARTICLE * best.score)


def _best(ranked: Sequence[Evidence], lang: str) -> list[Evidence]:
    chosen: list[Evidence] = []
    words = 0
    for evidence in ranked[:MAX_SENTENCES]:
        words += length(evidence.text)
        far = evidence.score < ranked[0].score - TOLERANCE
        if chosen and (far or words > MAX_WORDS.get(lang, 70)):
            break
        chosen.append(evidence)
    return chosen


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


def _leans(found: Sequence[Evidence], place: int) -> bool:
    if not 0 < place < len(found) or found[place].passage is not found[place - 1].passage:
        return False
    return found[place].text.lower().startswith(LEANING)


def _in_order(chosen: Sequence[Evidence], first: str) -> list[Evidence]:
    """Order as in the articles, the article of the best sentence first."""

    def place(evidence: Evidence) -> tuple[bool, str, int, int]:
        passage = evidence.passage
        return passage.article != first, passage.article, passage.start, evidence.span.start

    return sorted(chosen, key=place)
