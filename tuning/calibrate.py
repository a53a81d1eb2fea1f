"""Fits how scores become probabilities: ``python -m tuning.calibrate``.

The weights of the dense score, the lexical score and the intent are fitted by maximum likelihood on
the development questions, none of which any encoder or head was trained on, and on messages that no
article answers: out-of-scope ones (CLINC150, CrossWOZ) and ones that come near.

The bank's weights come from its own questions with its head. Those of any company come from the
development companies and from our questions for the bank without its head, and, where a company
names intents, from all the bank's questions. How good they are is told by halves, each judged by
weights that were fitted on the other: the expected calibration error, and what floors would refuse.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuning.metrics import BINS, calibration_error
from tuning.retrieval.fit_fusion import ScoredQuery, fit

if TYPE_CHECKING:
    from assistant.intents.classifier import IntentClassifier
    from knowledge.models.embedder import Embedder
    from knowledge.retrieval.calibration import Fusion
    from knowledge.retrieval.retriever import Retriever

SEED = 7
CANDIDATES = 60
LANGUAGES = ("en", "zh")
# Of the bank's questions, those that say something of any company.
SHARED = ("ours", "out_of_scope")
FLOORS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
# A bin with fewer questions is left out of the diagram.
FEWEST = 3
DRAWS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, report, and write both calibrations; 2 where the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.calibrate --plot calibration.png",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--plot", type=Path, help="write the reliability diagram there")
    parser.add_argument("--dry-run", action="store_true", help="report and write nothing")
    given = parser.parse_args(arguments)
    from tuning.public_data import is_data_missing

    if is_data_missing("calibrate"):
        return 2
    _calibrate(given.state, given.plot, dry=given.dry_run)
    return 0


def _calibrate(state: Path, plot: Path | None, *, dry: bool) -> None:
    from assistant.intents.classifier import IntentClassifier
    from knowledge.build_index import BANK, build
    from knowledge.models.model_files import open_embedder
    from knowledge.retrieval.calibration import CALIBRATION_FILE, Calibration
    from knowledge.retrieval.query_head import QueryHead
    from knowledge.retrieval.retriever import Retriever

    embedder = open_embedder(None, state)
    snapshot = build(BANK, embedder, state).snapshot
    head = QueryHead.find(BANK, embedder.query_name)
    intents = IntentClassifier.open(BANK, embedder, state)
    # Any company: no head. The bank: its head.
    places = {"any company": CALIBRATION_FILE, "the bank": BANK / "weights" / CALIBRATION_FILE.name}
    reports: dict[str, NDArray[np.float64]] = {}
    for company, file in places.items():
        retriever = Retriever(snapshot, embedder, head if company == "the bank" else None)
        tables: dict[bool, dict[str, Fusion]] = {False: {}, True: {}}
        judged = {
            lang: _judged(_questions(BANK, lang), lang, retriever, embedder, intents)
            for lang in LANGUAGES
        }
        for helped in (False, True):
            for lang, bank in judged.items():
                rows = bank
                if company == "any company" and not helped:
                    rows = _of_companies(lang, embedder) + [r for r in bank if r.kind in SHARED]
                tables[helped][lang] = fit(rows, helped=helped)
                name = f"{company}, {lang}, {'with' if helped else 'without'} the intent"
                # Each half is judged by weights that were fitted on the other.
                halves = [(rows[n::2], fit(rows[1 - n :: 2], helped=helped)) for n in (0, 1)]
                reports[name] = _report(name, halves, tables[helped][lang])
        if not dry:
            own = company == "the bank"
            Calibration(embedder.name, tables[False], tables[True], own).save(file)
    if plot:
        _plot(reports, plot)


def _questions(folder: Path, lang: str) -> "list[tuple[str, str | None, str]]":
    """Return (text, right article, kind), sorted by kind and shuffled within each."""
    from tuning.public_data import out_of_scope
    from tuning.retrieval.asked_questions import banking77, ours

    asked: list[tuple[str, str | None, str]] = []
    if lang == "en":
        asked += [(q.question, q.article, "banking77") for q in banking77(folder, "dev")]
    asked += [(q.question, q.article, "ours") for q in ours(f"retrieval_dev.{lang}", lang)]
    strange = out_of_scope(lang, "dev")
    asked += [(text, None, "out_of_scope") for text in random.Random(SEED).sample(strange, 100)]
    random.Random(SEED).shuffle(asked)
    return sorted(asked, key=lambda row: row[2])


def _of_companies(lang: str, embedder: "Embedder") -> list[ScoredQuery]:
    """Return the questions of the development companies, each searched in its own documents."""
    from tuning.companies import load_companies
    from tuning.retrieval.asked_questions import retriever_of

    judged = []
    for company in load_companies("dev"):
        if company.lang == lang:
            asked = [
                (pair.question, pair.article or None, "companies" if pair.article else "near")
                for pair in company.pairs
            ]
            retriever = retriever_of(company.articles, embedder)
            judged += _judged(asked, lang, retriever, embedder, None)
    return judged


def _judged(
    questions: "Sequence[tuple[str, str | None, str]]",
    lang: str,
    retriever: "Retriever",
    embedder: "Embedder",
    intents: "IntentClassifier | None",
) -> list[ScoredQuery]:
    from tqdm import tqdm

    vectors = embedder.encode_queries([text for text, _, _ in questions])
    judged = []
    for (text, right, kind), vector in tqdm(
        zip(questions, vectors, strict=True), total=len(questions), desc=lang
    ):
        prior = (intents.predict(text, vector).articles or {}) if intents else {}
        hits = retriever.retrieve({text: vector}, lang, top_k=CANDIDATES, prior=prior)
        articles = tuple(hit.passage.article for hit in hits)
        columns = [
            np.array(values, dtype=np.float32)
            for values in (
                [hit.dense for hit in hits],
                [hit.lexical for hit in hits],
                [prior.get(article, 0.0) for article in articles],
            )
        ]
        judged.append(ScoredQuery(kind, right, articles, *columns))
    return judged


def _by_article(row: ScoredQuery, fusion: "Fusion") -> dict[str, float]:
    scores = fusion.probabilities(row.dense, row.lexical, row.prior, row.articles)
    best: dict[str, float] = {}
    for article, score in zip(row.articles, scores, strict=True):
        best[article] = max(best.get(article, 0.0), float(score))
    return best


def _report(
    name: str, halves: "Sequence[tuple[Sequence[ScoredQuery], Fusion]]", fusion: "Fusion"
) -> NDArray[np.float64]:
    """Print what the fit is worth on questions it has not seen; return (score, right, known)."""
    best = []
    for judged, unseen in halves:
        for row in judged:
            article, score = max(_by_article(row, unseen).items(), key=lambda pair: pair[1])
            best.append((score, float(article == row.right), float(row.right is not None)))
    table = np.array(best)
    known = table[table[:, 2] == 1]
    print(f"\n{name}: {fusion}")
    print(f"  first article right {known[:, 1].mean():.3f} of {len(known)}")
    print(f"  expected calibration error {calibration_error(table[:, 0], table[:, 1]):.3f}")
    noise = np.mean([calibration_error(table[:, 0], drawn) for drawn in _as_if_true(table[:, 0])])
    print(f"  … of scores that come true to the letter, drawn {DRAWS} times, {noise:.3f}")
    right, strange = known[known[:, 1] == 1], table[table[:, 2] == 0]
    for floor in FLOORS:
        band = table[(table[:, 0] >= floor) & (table[:, 0] < floor + 0.1)]
        share = band[:, 1].mean() if len(band) else 0.0
        print(
            f"  floor {floor:.2f}: right ones refused {(right[:, 0] < floor).mean():.3f}, "
            f"out of scope passed {(strange[:, 0] >= floor).mean():.3f}; "
            f"right in [{floor:.2f}, {floor + 0.1:.2f}): {share:.2f} of {len(band)}"
        )
    return table


def _as_if_true(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw what would be right if each score were the probability that it claims to be."""
    random = np.random.default_rng(SEED)
    return (random.random((DRAWS, len(scores))) < scores).astype(np.float64)


def _plot(reports: dict[str, NDArray[np.float64]], file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes: Any = figure.subplots(1, 2, sharey=True)
    for axis, lang in zip(axes, LANGUAGES, strict=True):
        axis.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
        # As each mostly serves: the bank knows intents, another company need not.
        for name in (
            f"the bank, {lang}, with the intent",
            f"any company, {lang}, without the intent",
        ):
            table = reports[name]
            bins = np.minimum((table[:, 0] * BINS).astype(int), BINS - 1)
            filled = [n for n in range(BINS) if (bins == n).sum() >= FEWEST]
            means = [table[bins == n, :2].mean(axis=0) for n in filled]
            error = calibration_error(table[:, 0], table[:, 1])
            label = f"{name.split(', ')[0]} (ECE {error:.3f})"
            axis.plot(*zip(*means, strict=True), "o-", label=label)
        axis.set(xlabel="score of the best hit", title={"en": "English", "zh": "Chinese"}[lang])
        axis.legend(loc="upper left")
    axes[0].set_ylabel("share of right articles")
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
