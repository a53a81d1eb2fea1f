"""Fits how retrieval's scores become probabilities: ``python -m tuning.calibrate``.

Fits the weights of dense score, lexical score, intent and span embedder by maximum likelihood on
the development questions and customers' messages, which no encoder or query head was trained on,
and on messages that no article answers: out-of-scope ones (CLINC150, CrossWOZ) and those near a
company's articles.

The bank's weights are fitted on its own questions, with its query head and without the intent, on
which none of its answers depends. The weights for any company are fitted without a query head: on
the development companies and this project's questions for the bank, and, for companies that name
intents, on all of the bank's questions. The report measures halves of the questions with weights
fitted on the other half: the expected calibration error, and what a floor would refuse.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuning.metrics import calibration_error
from tuning.retrieval.fit_fusion import ScoredQuery, fit

if TYPE_CHECKING:
    from knowledge.retrieval.calibration import Fusion

ANY, THE_BANK = "any company", "the bank"
LANGUAGES = {"en": "English", "zh": "Chinese"}
# The bank's questions that also tell something about any company.
SHARED = ("development", "out_of_scope")
# Whether the intent counts, and whether the span embedder does.
KINDS = ((False, False), (True, False), (False, True), (True, True))
FLOORS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
# Bins with fewer questions are left out of the diagram.
FEWEST = 3
SEED, DRAWS = 7, 200

# The score of the best hit, whether it is right, and whether any article answers: a row per query.
Table = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, report, and write both calibrations.

    Returns:
        2 if the public data is missing, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tuning.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.calibrate --plot calibration.png",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--plot", type=Path, help="file for a reliability diagram")
    parser.add_argument("--dry-run", action="store_true", help="report, but write no weights")
    options = parser.parse_args(arguments)
    from tuning.public_data import is_data_missing

    if is_data_missing("calibrate"):
        return 2
    _calibrate(options.state, options.plot, write=not options.dry_run)
    return 0


def _calibrate(state: Path, plot: Path | None, *, write: bool) -> None:
    from assistant.intents.classifier import IntentClassifier
    from knowledge.build_index import BANK, build
    from knowledge.models.model_files import open_embedder, open_span_embedders
    from knowledge.retrieval.calibration import CALIBRATION_FILE, Calibration, key
    from knowledge.retrieval.query_head import QueryHead
    from knowledge.retrieval.retriever import Retriever
    from knowledge.retrieval.snapshot_store import SnapshotStore
    from knowledge.retrieval.span_store import open_span_indexes
    from tuning.retrieval.scored_queries import bank_questions, company_queries, score

    embedder = open_embedder(None, state)
    spans = open_span_embedders(embedder, state, small=False)
    snapshot = build(BANK, embedder, state).snapshot
    indexes = open_span_indexes(snapshot, spans, SnapshotStore.of(BANK, embedder.name, state).spans)
    intents = IntentClassifier.open(BANK, embedder, state)
    files = {ANY: CALIBRATION_FILE, THE_BANK: BANK / "weights" / CALIBRATION_FILE.name}
    tables: dict[str, Table] = {}
    for company, file in files.items():
        is_any = company == ANY
        head = None if is_any else QueryHead.find(BANK, embedder.query_name)
        retriever = Retriever(snapshot, embedder, head, spans=indexes)
        fusions: dict[str, Fusion] = {}
        for lang in LANGUAGES:
            bank = score(bank_questions(BANK, lang), lang, retriever, embedder, intents)
            queries, companies = bank, []
            if is_any:
                shared = [query for query in bank if query.kind in SHARED]
                companies = company_queries(lang, embedder, spans)
                queries = companies + shared
            for intent, with_spans in KINDS:
                if is_any or not intent:
                    name = key(lang, intent=intent, spans=with_spans)
                    # The span embedder knows the bank's articles, and not other companies'.
                    asked = bank + companies * with_spans if intent else queries
                    fusions[name], tables[f"{company}, {name}"] = _fit(
                        f"{company}, {name}", asked, intent=intent, spans=with_spans
                    )
        if write:
            Calibration(embedder.name, fusions, own=not is_any).save(file)
    if plot:
        _plot(tables, plot)


def _fit(
    name: str, queries: Sequence[ScoredQuery], *, intent: bool, spans: bool
) -> "tuple[Fusion, Table]":
    """Fit the weights on all queries; report on halves, and return both."""
    fusion = fit(queries, with_intent=intent, with_spans=spans)
    print(f"\n{name}: {fusion}")
    table = _table(queries, intent=intent, spans=spans)
    _report(table)
    return fusion, table


def _table(queries: Sequence[ScoredQuery], *, intent: bool, spans: bool) -> Table:
    """Return the best hit of each query, by weights that were fitted on the other half."""
    rows = []
    for half in (0, 1):
        fusion = fit(queries[1 - half :: 2], with_intent=intent, with_spans=spans)
        for query in queries[half::2]:
            scores = fusion.probabilities(
                query.dense,
                query.lexical,
                query.prior,
                query.near,
                query.asked,
                query.articles,
            )
            best = int(scores.argmax())
            right = query.articles[best] in (query.right or "").split("|")
            rows.append((scores[best], float(right), float(query.right is not None)))
    return np.array(rows)


def _report(table: Table) -> None:
    """Print how well the scores of unseen questions come true, and what floors would refuse."""
    scores, right, answered = table.T
    known = table[answered == 1]
    print(f"  first article right {known[:, 1].mean():.3f} of {len(known)}")
    print(f"  expected calibration error {calibration_error(scores, right):.3f}")
    noise = np.mean([calibration_error(scores, drawn) for drawn in _perfect(scores)])
    print(f"  … of perfect scores, drawn {DRAWS} times, {noise:.3f}")
    correct, strange = known[known[:, 1] == 1], table[answered == 0]
    for floor in FLOORS:
        band = table[(scores >= floor) & (scores < floor + 0.1)]
        share = band[:, 1].mean() if len(band) else 0.0
        print(
            f"  floor {floor:.2f}: right ones refused {(correct[:, 0] < floor).mean():.3f}, "
            f"out of scope passed {(strange[:, 0] >= floor).mean():.3f}; "
            f"right in [{floor:.2f}, {floor + 0.1:.2f}): {share:.2f} of {len(band)}"
        )


def _perfect(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw what would be right if each score were the true probability; one row per draw."""
    random = np.random.default_rng(SEED)
    return (random.random((DRAWS, len(scores))) < scores).astype(np.float64)


def _plot(tables: dict[str, Table], file: Path) -> None:
    from matplotlib.figure import Figure

    from knowledge.retrieval.calibration import key
    from tuning.reliability import draw_diagonal, draw_reliability

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes: Any = figure.subplots(1, 2, sharey=True)
    for axis, (lang, title) in zip(axes, LANGUAGES.items(), strict=True):
        draw_diagonal(axis)
        # As they mostly serve: a company need not name intents.
        for company in (THE_BANK, ANY):
            name = key(lang, intent=False, spans=True)
            scores, right, _ = tables[f"{company}, {name}"].T
            error = calibration_error(scores, right)
            label = f"{company} (ECE {error:.3f})"
            draw_reliability(axis, scores, right, fewest=FEWEST, label=label)
        axis.set(xlabel="score of the best hit", title=title)
        axis.legend(loc="upper left")
    axes[0].set_ylabel("share of right articles")
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
