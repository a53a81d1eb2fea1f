"""What speaks for a sentence as the answer, and for any of them being one; pure functions."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.claims import values
from assistant.grounding import FUNCTION_WORDS
from knowledge.documents import Hit
from knowledge.lexical import LexicalIndex
from knowledge.segmenter import length, words

Table = NDArray[np.float64]
# What a question may ask for, by its wording, and the kinds of values that would answer it.
ASKS = {
    "price": re.compile(
        r"how much|cost|price|fee|charge|pay|expensive|cheap|£|"
        r"多少钱|费用|收费|价格|几块|贵|要钱|免费|扣",
        re.IGNORECASE,
    ),
    "long": re.compile(
        r"how (?:long|soon|quick|fast|many days|many weeks)|takes?\b|wait|多久|几天|多长|多少天|等",
        re.IGNORECASE,
    ),
    "when": re.compile(
        r"\bwhen\b|what time|open|close|hours|what day|today|tomorrow|(?:sun|satur)day|"
        r"几点|什么时候|营业|开门|关门|周末|星期|周[一二三四五六日]",
        re.IGNORECASE,
    ),
    "many": re.compile(
        r"how (?:many|old|big|much|far|often|heavy)|limit|maximum|minimum|most|"
        r"几|多少|最多|最少|限制|多大|上限",
        re.IGNORECASE,
    ),
}
ANSWERS = {
    "price": {"money"},
    "long": {"duration"},
    "when": {"clock", "weekday"},
    "many": {"count", "share", "duration", "money"},
}
_ASKS_HOW = re.compile(r"how (?:do|can|to|should)|where|怎么|如何|哪里|在哪|怎样|咋", re.IGNORECASE)
_TELLS_HOW = re.compile(
    r"\d{3,}[ -]?\d{3,}|@|\bonline\b|\bapp\b|phone|call|电话|网上|公众号|小程序", re.IGNORECASE
)
SENTENCE_FEATURES = (
    "nearness", "query_nearness", "hit", "first_hit", "rank", "words", "words_with_title",
    "opening", "place", "length", *ASKS, "how", "how_opening",
)  # fmt: skip
QUESTION_FEATURES = (
    "best", "probability", "lead", "article_share", "hit", "hit_of_best", "dense", "lexical",
    "unknown_words", "question_words", *(f"best_{name}" for name in SENTENCE_FEATURES),
)  # fmt: skip
# A word more says less and less.
LONGEST = 60


def sentence_features(
    question: str, texts: Sequence[str], places: Sequence[int], hits: Sequence[Hit],
    nearness: Table, lexical: LexicalIndex,
) -> Table:  # fmt: skip
    """Return ``SENTENCE_FEATURES`` of sentences, of shape (sentences, features).

    Args:
        question: What was asked.
        texts: The sentences.
        places: Which sentence of its passage each is, from 0.
        hits: The hit of each; the same object for those of one passage, best hit first.
        nearness: Cosines of each with the question, read as a passage and as a query: of shape
            (sentences, 2).
        lexical: Knows how telling a word is among the company's.
    """
    terms, weights = _weighted(question, lexical)
    asked = {kind: bool(pattern.search(question)) for kind, pattern in ASKS.items()}
    how = bool(_ASKS_HOW.search(question))
    ranks = {key: rank for rank, key in enumerate(dict.fromkeys(map(id, hits)))}
    rows = []
    for text, place, hit, near in zip(texts, places, hits, nearness, strict=True):
        own, titled = set(words(text)), set(words(hit.passage.title))
        rank, held = ranks[id(hit)], _kinds(text)
        rows.append(
            [
                *near,
                math.log(hit.score + 1e-4),
                rank == 0,
                rank,
                sum(w for t, w in zip(terms, weights, strict=True) if t in own),
                sum(w for t, w in zip(terms, weights, strict=True) if t in own | titled),
                place == 0,
                place,
                min(length(text), LONGEST),
                *(asked[kind] and bool(held & ANSWERS[kind]) for kind in ASKS),
                how and bool(_TELLS_HOW.search(text)),
                how and place == 0,
            ]
        )
    return np.array(rows, dtype=np.float64)


def question_features(
    question: str, table: Table, scores: Table, hits: Sequence[Hit], lexical: LexicalIndex
) -> Table:
    """Return ``QUESTION_FEATURES``, of shape (features,).

    Args:
        question: What was asked.
        table: Of ``sentence_features``.
        scores: How well each sentence answers, as logits of shape (sentences,).
        hits: The hit of each sentence.
        lexical: Knows how telling a word is among the company's.
    """
    from scipy.special import softmax

    likely = softmax(scores)
    order = np.argsort(-scores)
    best = order[0]
    shares: dict[str, float] = {}
    for hit, share in zip(hits, likely, strict=True):
        shares[hit.passage.article] = shares.get(hit.passage.article, 0.0) + float(share)
    terms, weights = _weighted(question, lexical)
    row = [
        scores[best],
        math.log(likely[best]),
        likely[best] - (likely[order[1]] if len(order) > 1 else 0.0),
        max(shares.values()),
        _logit(max(hit.score for hit in hits)),
        _logit(hits[best].score),
        max(hit.dense for hit in hits),
        max(hit.lexical for hit in hits),
        sum(w for t, w in zip(terms, weights, strict=True) if not lexical.knows(t)),
        len(terms),
        *table[best],
    ]
    return np.array(row, dtype=np.float64)


def _weighted(question: str, lexical: LexicalIndex) -> tuple[list[str], list[float]]:
    """Return a question's telling words, and what each counts; together they count 1."""
    found = list(dict.fromkeys(words(question)))
    terms = [term for term in found if term not in FUNCTION_WORDS] or found
    weights = [lexical.idf(term) for term in terms]
    total = sum(weights) or 1.0
    return terms, [weight / total for weight in weights]


@lru_cache(maxsize=20_000)
def _kinds(text: str) -> frozenset[str]:
    return frozenset(kind for kind, _, _ in values(text))


def _logit(score: float) -> float:
    return math.log((score + 1e-3) / (1 - score + 1e-3))
