"""Fits what supports a sentence in another language: ``python -m tuning.across``.

Claims are the answers across languages of ``tuning/data/worded.*.jsonl`` and the sentences of the
bank's articles, which are in both languages; each has one sentence that says it, the nearest with
its values, and many that do not. The threshold is the lowest from which at least ``PRECISION`` of
the development claims' supports are right.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from assistant.grounding.across import AcrossWeights
    from knowledge.models.embedder import Embedder

PRECISION = 0.98
# Sentences beside the one that supports a claim, at most.
OTHERS = 12
# Of the bank's articles every fourth is for development.
EVERY = 4


class Case(NamedTuple):
    """A claim with sentences in the other language; ``right`` is the number of its support."""

    claim: str
    texts: tuple[str, ...]
    right: int
    is_dev: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and write the weights; print how they do on development claims."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.across",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.across",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    from assistant.grounding.across import WEIGHTS_FILE
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import open_embedder
    from tuning.atomic_files import write_json

    try:
        embedder = open_embedder(None, options.state)
    except KnowledgeError as error:
        print(f"across: {error}", file=sys.stderr)
        return 1
    cases = [*written_cases(), *bank_cases(embedder)]
    weights, report = fit(cases, embedder)
    print(report)
    if not options.dry_run:
        write_json(WEIGHTS_FILE, weights.model_dump())
    return 0


def written_cases() -> Iterator[Case]:
    """Yield a case for each answer across languages that has one sentence."""
    from knowledge.segmenter import sentences
    from tuning.companies import DEV
    from tuning.dataset.written_rows import load_written_rows

    for lang in ("en", "zh"):
        for part in ("train", "dev"):
            for row in load_written_rows(lang, part):
                if row.kind != "across" or len(sentences(row.answer, lang)) != 1:
                    continue
                texts = tuple(" ".join(s.text.split()) for s in row.sentences)
                # Which of them supports it is told by the values, or by being alone.
                if (right := _only(row.answer, texts)) is not None:
                    yield Case(row.answer, texts, right, row.company in DEV or part == "dev")


def _only(claim: str, texts: Sequence[str]) -> int | None:
    from assistant.grounding.across import holds
    from assistant.grounding.claims import values

    possible = [number for number, text in enumerate(texts) if holds(text, claim)]
    if len(texts) == 1 and possible:
        return 0
    return possible[0] if len(possible) == 1 and values(claim) else None


def bank_cases(embedder: "Embedder") -> Iterator[Case]:
    """Yield a case for each sentence of the bank whose translation the values tell.

    Args:
        embedder: Says which of several sentences with the same values is the translation.
    """
    from assistant.grounding.across import holds
    from assistant.grounding.claims import values
    from knowledge.build_index import BANK, current_articles
    from knowledge.segmenter import sentences

    articles = list(current_articles(BANK))
    other = {(article.id, article.lang): article for article in articles}
    for article in articles:
        theirs = other.get((article.id, "zh" if article.lang == "en" else "en"))
        if not theirs:
            continue
        texts = [span.of(theirs.text) for span in sentences(theirs.text, theirs.lang)]
        for span in sentences(article.text, article.lang):
            claim = span.of(article.text)
            possible = [n for n, text in enumerate(texts) if holds(text, claim)]
            mutual = [n for n in possible if values(texts[n]) == values(claim)]
            if not values(claim) or len(mutual) != 1:
                continue
            kept = _beside(texts, mutual[0])
            is_dev = hash_of(article.id) % EVERY == 0
            yield Case(claim, tuple(texts[n] for n in kept), kept.index(mutual[0]), is_dev)


def hash_of(name: str) -> int:
    """Return a number that is the same on every machine, for both languages of an article."""
    import hashlib

    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)


def _beside(texts: Sequence[str], right: int) -> list[int]:
    """Return the numbers of a sentence and of its neighbours."""
    first = max(0, min(right - OTHERS // 2, len(texts) - OTHERS))
    return list(range(first, min(len(texts), first + OTHERS + 1)))


def fit(cases: Sequence[Case], embedder: "Embedder") -> tuple["AcrossWeights", str]:
    """Return the weights and what they reach.

    Args:
        cases: Claims of training and development.
        embedder: Encodes them.
    """
    from sklearn.linear_model import LogisticRegression
    from tqdm import tqdm

    from assistant.grounding.across import AcrossWeights, features

    found = [(case, features(case.claim, case.texts, embedder)) for case in tqdm(cases)]
    rows, labels = _stacked([one for one in found if not one[0].is_dev])
    model = LogisticRegression(class_weight="balanced", C=10.0, max_iter=1000).fit(rows, labels)
    dev = [one for one in found if one[0].is_dev]
    scores, is_right = _supports(dev, model)
    least = _least(scores, is_right)
    shown = scores >= least
    names = ("cosine", "margin", "length", "negation")
    values = {name: round(float(w), 4) for name, w in zip(names, model.coef_[0], strict=True)}
    weights = AcrossWeights(
        embedder=embedder.name, bias=round(float(model.intercept_[0]), 4), least=least, **values
    )
    have, right = is_right[shown].sum() / len(dev), is_right[shown].mean()
    report = (
        f"{len(found) - len(dev)} claims to train on, {len(dev)} for development: from {least:.3f} "
        f"on {have:.0%} have their support, and {right:.1%} of all supports that are found, also "
        "where there is none, are right"
    )
    return weights, report


def _stacked(
    found: Sequence[tuple[Case, NDArray[np.float64]]],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rows = np.concatenate([features for _, features in found])
    labels = np.concatenate([np.arange(len(f)) == case.right for case, f in found])
    return rows, labels


def _supports(
    found: Sequence[tuple[Case, NDArray[np.float64]]], model: object
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the score of each claim's support, and whether it is right.

    Each claim is asked twice: with all sentences that hold its values, and without the one that
    supports it but with all others, whatever values they hold, where any support is wrong.
    """
    from assistant.grounding.across import holds

    scores, right = [], []
    for case, rows in found:
        probabilities = model.predict_proba(rows)[:, 1]  # type: ignore[attr-defined]
        may = np.array([holds(text, case.claim) for text in case.texts])
        for without in (False, True):
            allowed = np.ones_like(may) if without else may
            allowed[case.right] &= not without
            if allowed.any():
                best = int(np.argmax(np.where(allowed, probabilities, -1)))
                scores.append(float(probabilities[best]))
                right.append(best == case.right)
    return np.array(scores), np.array(right, dtype=np.bool_)


def _least(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the lowest score from which ``PRECISION`` of the supports are right."""
    for score in np.unique(scores):
        if right[scores >= score].mean() >= PRECISION:
            return round(float(score), 4)
    return 1.0


if __name__ == "__main__":
    sys.exit(main())
