"""What keeping conversations costs a turn: ``python -m benchmarks.store_cost``.

Asks the same real questions with the store (``Desk.serve``, SQLite in a temporary folder) and
without it (``Assistant.stream``), each pair in turn the one or the other first, in one process.
The questions are training rows of ``tuning/data/customers``. Prints the medians, and the median of
the differences with its paired 95 % interval (bootstrap).
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.desk import Desk

WARM_UP, RESAMPLES = 5, 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.store_cost",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.store_cost --pairs 20 --strategy extractive",
    )
    parser.add_argument("--pairs", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--strategy", default="auto", help="default: %(default)s")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument(
        "--stand-in", action="store_true", help="an answerer without models, to try this command"
    )
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        desk = _desk(given, f"sqlite:///{folder}/frontdesk.db")
        pairs = _pairs(desk, given.pairs)
        desk.conversations.database.close()
    _print(pairs)
    return 0


def _desk(given: argparse.Namespace, database: str) -> "Desk":
    from assistant.assistant import Assistant
    from assistant.config import load_settings
    from assistant.desk import Desk
    from assistant.store.conversations import Conversations
    from assistant.store.database import Database
    from benchmarks.server.answerer import Answerer

    answerer: Any = Answerer()
    if not given.stand_in:
        settings = load_settings(state=given.state, strategy=given.strategy)
        answerer = Assistant.from_config(settings)
    return Desk(answerer, Conversations(Database.open(database)))


def _pairs(desk: "Desk", count: int) -> list[tuple[float, float]]:
    """Return for each question the milliseconds with the store and without."""
    from tqdm import tqdm

    from benchmarks.server.questions import real_questions

    def kept(question: str) -> None:
        list(desk.serve(desk.begin(question, "api"), question))

    def not_kept(question: str) -> None:
        list(desk.assistant.stream(question))

    for question in real_questions(WARM_UP):
        kept(question)
    pairs = []
    for number, question in enumerate(tqdm(real_questions(count, seed=1), leave=False)):
        if number % 2:
            without, with_store = _ms(not_kept, question), _ms(kept, question)
        else:
            with_store, without = _ms(kept, question), _ms(not_kept, question)
        pairs.append((with_store, without))
    return pairs


def _ms(turn: Callable[[str], None], question: str) -> float:
    start = time.perf_counter()
    turn(question)
    return 1000 * (time.perf_counter() - start)


def _print(pairs: Sequence[tuple[float, float]]) -> None:
    import numpy as np

    with_store, without = zip(*pairs, strict=True)
    costs = np.asarray(with_store) - np.asarray(without)
    drawn = np.random.default_rng(0).choice(costs, (RESAMPLES, len(costs)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    print("| questions | with the store, median ms | without | difference, ms | 95 % interval |")
    print("| --- " * 5 + "|")
    print(
        f"| {len(pairs)} | {statistics.median(with_store):.1f} | {statistics.median(without):.1f} "
        f"| {np.median(costs):+.1f} | {low:+.1f} to {high:+.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
