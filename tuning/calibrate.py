"""Fits how scores become probabilities: ``python -m tuning.calibrate``.

English is fitted on BANKING77's training rows (the right article is the one that our intents file
names for the row's intent) and CLINC150's out-of-scope training rows; Chinese on the examples of
the intents files, each scored by a classifier that has not seen it, and CrossWOZ requests.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.intents import Intent
    from knowledge.calibration import Platt
    from knowledge.documents import Hit
    from knowledge.embedder import Embedder

SEED = 7
# How much a certain intent adds to a passage's log odds. From 2 to 12 were tried: more helps
# questions that are an intent (BANKING77) and hurts those for one detail (our own question set).
INTENT_WEIGHT = {"en": 8.0, "zh": 4.0}


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its right article (None: nothing answers it) and the intent's prior."""

    text: str
    article: str | None
    prior: dict[str, float]


def main() -> int:
    """Fit, print how the ranking does, and write the calibration."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.calibrate --rows 3000",
    )
    parser.add_argument(
        "--rows", type=int, default=3000, help="BANKING77 rows; default %(default)s"
    )
    parser.add_argument("--state", type=Path, default=Path("var"))
    parser.add_argument("--out", type=Path, help="default: the file that the product reads")
    given = parser.parse_args()
    from tuning.public_data import data_folder

    try:
        data_folder()
    except FileNotFoundError as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 2
    _calibrate(given.rows, given.state, given.out)
    return 0


def _calibrate(rows: int, state: Path, out: Path | None) -> None:
    from assistant.config import BANK
    from assistant.intents import load_intents
    from knowledge.build_index import current_articles, open_index
    from knowledge.calibration import CALIBRATION_FILE, Calibration
    from knowledge.model_files import open_embedder
    from knowledge.retriever import Retriever

    embedder = open_embedder(None, state)
    index = open_index(current_articles(BANK), embedder, state)
    calibration = Calibration.load()
    fitted: dict[str, Any] = {"embedder": embedder.name, "alone": {}, "with_intent": {}}
    for lang, queries in (
        ("en", _english(load_intents(BANK, "en"), embedder, rows)),
        ("zh", _chinese(load_intents(BANK, "zh"))),
    ):
        retriever = Retriever(index, embedder, calibration)
        found = _retrieved(retriever, embedder, queries, lang)
        alone = _fit_alone(queries, found)
        helped = _fit_with_intent(queries, found, alone, INTENT_WEIGHT[lang])
        for name, platt in (("alone", alone), ("with_intent", helped)):
            fitted[name][lang] = asdict(platt)
            _report(f"{lang} {name}", queries, found, platt)
    (out or CALIBRATION_FILE).write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


def _english(intents: Sequence["Intent"], embedder: "Embedder", rows: int) -> list[Query]:
    from assistant.intents import Head
    from tuning.public_data import banking77, out_of_scope

    article = {intent.name: intent.article for intent in intents}
    sample = random.Random(SEED).sample(banking77("train"), rows)
    asked = [(text, article[label]) for text, label in sample]
    asked += [(text, None) for text in out_of_scope("en", "train")]
    head = Head.fit(intents, embedder)
    vectors = embedder.encode([text for text, _ in asked])
    return [
        Query(text, right, _prior(head.labels, head.predict_proba(text, vector), article))
        for (text, right), vector in zip(asked, vectors, strict=True)
    ]


def _chinese(intents: Sequence["Intent"]) -> list[Query]:
    from dataclasses import replace

    import numpy as np

    from assistant.intents import Head
    from tuning.public_data import out_of_scope

    article = {intent.name: intent.article for intent in intents}
    blank = np.zeros(1, dtype=np.float32)
    queries = []
    folds = 5
    for fold in range(folds):
        seen = [
            replace(i, examples=tuple(e for n, e in enumerate(i.examples) if n % folds != fold))
            for i in intents
        ]
        head = Head.fit(seen, None)
        for intent in intents:
            if not intent.article:
                continue
            for example in intent.examples[fold::folds]:
                prior = _prior(head.labels, head.predict_proba(example, blank), article)
                queries.append(Query(example, intent.article, prior))
    head = Head.fit(intents, None)
    strange = random.Random(SEED).sample(out_of_scope("zh", "train"), 200)
    return queries + [
        Query(text, None, _prior(head.labels, head.predict_proba(text, blank), article))
        for text in strange
    ]


def _prior(labels: Sequence[str], scores: Any, article: dict[str, str | None]) -> dict[str, float]:
    prior: dict[str, float] = {}
    for label, score in zip(labels, scores, strict=True):
        name = article[label]
        if name:
            prior[name] = prior.get(name, 0.0) + float(score)
    return prior


def _retrieved(
    retriever: Any, embedder: "Embedder", queries: Sequence[Query], lang: str
) -> list[list["Hit"]]:
    from tqdm import tqdm

    vectors = embedder.encode([query.text for query in queries])
    return [
        retriever.retrieve({query.text: vector}, lang, top_k=40, prior=query.prior)
        for query, vector in tqdm(zip(queries, vectors, strict=True), total=len(queries), desc=lang)
    ]


def _fit_alone(queries: Sequence[Query], found: Sequence[Sequence["Hit"]]) -> "Platt":
    from sklearn.linear_model import LogisticRegression

    from knowledge.calibration import Platt

    features = [[hit.dense, hit.lexical] for hits in found for hit in hits]
    model = LogisticRegression(C=100.0, max_iter=1000).fit(features, _right(queries, found))
    dense, lexical = (round(float(w), 4) for w in model.coef_[0])
    return Platt(dense, lexical, 0.0, round(float(model.intercept_[0]), 4))


def _fit_with_intent(
    queries: Sequence[Query], found: Sequence[Sequence["Hit"]], alone: "Platt", weight: float
) -> "Platt":
    """Add the intent at a given weight, and fit only the scale and the bias of the sum.

    Fitted freely on such questions the intent would drown the passages' own scores, and questions
    for one detail, which have no intent of their own, would lose what retrieval knows.
    """
    from sklearn.linear_model import LogisticRegression

    from knowledge.calibration import Platt

    sums = [
        [
            alone.dense * hit.dense
            + alone.lexical * hit.lexical
            + weight * query.prior.get(hit.passage.article, 0.0)
        ]
        for query, hits in zip(queries, found, strict=True)
        for hit in hits
    ]
    model = LogisticRegression(C=100.0, max_iter=1000).fit(sums, _right(queries, found))
    scale, bias = float(model.coef_[0][0]), float(model.intercept_[0])
    scaled = (alone.dense * scale, alone.lexical * scale, weight * scale, bias)
    return Platt(*(round(value, 4) for value in scaled))


def _right(queries: Sequence[Query], found: Sequence[Sequence["Hit"]]) -> list[bool]:
    return [
        hit.passage.article == query.article
        for query, hits in zip(queries, found, strict=True)
        for hit in hits
    ]


def _report(
    name: str, queries: Sequence[Query], found: Sequence[Sequence["Hit"]], platt: "Platt"
) -> None:
    best = []
    for query, hits in zip(queries, found, strict=True):
        scored = [
            (platt.probability(h.dense, h.lexical, query.prior.get(h.passage.article, 0.0)), h)
            for h in hits
        ]
        score, hit = max(scored, key=lambda pair: pair[0])
        best.append((score, hit.passage.article == query.article, query.article is not None))
    asked = [right for _, right, known in best if known]
    print(f"{name}: {platt}\n  first article right: {sum(asked) / len(asked):.3f}")
    for low in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        band = [r for s, r, _ in best if low <= s < low + 0.1]
        refused = sum(s < low for s, r, k in best if r and k)
        passed = sum(s >= low for s, _, k in best if not k) / max(1, sum(not k for *_, k in best))
        print(
            f"  floor {low:.2f}: right ones refused {refused / max(1, sum(asked)):.3f}, "
            f"out of scope passed {passed:.3f}; right in [{low:.2f}, {low + 0.1:.2f}): "
            f"{sum(band) / len(band) if band else 0:.2f} of {len(band)}"
        )


if __name__ == "__main__":
    sys.exit(main())
