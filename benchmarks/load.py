"""Answers a minute with 1 to 64 customers at a time: ``python -m benchmarks.load``.

Starts ``frontdesk serve`` on a free port of loopback, with the index of ``--state`` and a database
of its own in a temporary folder. So many clients ask one question after another in streams, each in
a new conversation: training rows of ``tuning/data/customers/bank.en.jsonl`` and ``bank.zh.jsonl``
in turn. A client that is refused comes back when it was told to. Seconds to the first word include
the time that a turn waits for its place.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    from tqdm import tqdm

    from benchmarks.server.clients import Answered

LEVELS = (1, 2, 4, 8, 16, 32, 64)
# Questions that are answered before anything is timed.
WARM_UP = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each number of clients; return 1 if any question failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.load --levels 1 8 64 --seconds 30",
    )
    parser.add_argument(
        "--levels", nargs="+", type=int, default=LEVELS, help="clients at a time; default: 1 to 64"
    )
    parser.add_argument(
        "--seconds", type=float, default=30, help="of each level; default: %(default)g"
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument(
        "--stand-in", action="store_true", help="an answerer without models, to try this command"
    )
    given = parser.parse_args(arguments)
    from benchmarks.server.processes import real_server, running, stand_in

    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        command = stand_in(folder) if given.stand_in else real_server(given.state)
        with running(command, folder) as server:
            _clients(server.url, 1, 0, WARM_UP)
            print("| clients | answers a minute | first word, median s | 95 % | refused | ", end="")
            print("refusal, 95 % s | errors |")
            print("| --- " * 7 + "|", flush=True)
            for number, level in enumerate(given.levels, 1):
                start = time.monotonic()
                results = _clients(server.url, level, number, seconds=given.seconds)
                failed += _print(level, results, time.monotonic() - start)
    return int(failed > 0)


def _clients(
    url: str, count: int, seed: int, most: int | None = None, seconds: float = 600
) -> "list[Answered]":
    """Let clients ask until the time or their questions are used up; return what became of each."""
    import httpx
    from tqdm import tqdm

    from benchmarks.server.clients import PATIENCE
    from benchmarks.server.questions import real_questions

    questions = iter(real_questions(most or 100_000, seed))
    until = time.monotonic() + seconds
    connections = httpx.Limits(max_connections=count)
    with (
        tqdm(desc=f"{count} clients", unit=" questions", leave=False) as bar,
        httpx.Client(base_url=url, timeout=PATIENCE, limits=connections) as client,
        ThreadPoolExecutor(count) as pool,
    ):
        work = [pool.submit(_customer, client, questions, until, bar) for _ in range(count)]
        return [answered for each in work for answered in each.result()]


def _customer(
    client: "httpx.Client", questions: Iterator[str], until: float, bar: "tqdm[Any]"
) -> "list[Answered]":
    from benchmarks.server.clients import ask

    results = []
    while time.monotonic() < until and (question := next(questions, None)):
        answered = ask(client, question)
        results.append(answered)
        bar.update()
        time.sleep(max(0.0, min(answered.retry_after, until - time.monotonic())))
    return results


def _print(level: int, results: "list[Answered]", took: float) -> int:
    """Print a level's row; return how many questions failed."""
    answered = [result for result in results if result.outcome == "answered"]
    refused = [result.whole for result in results if result.outcome == "refused"]
    failed = len(results) - len(answered) - len(refused)
    firsts = [result.first for result in answered]
    print(
        f"| {level} | {60 * len(answered) / took:.0f} | {_middle(firsts)} | {_slow(firsts)} | "
        f"{len(refused)} | {_slow(refused)} | {failed} |",
        flush=True,
    )
    return failed


def _middle(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f}" if seconds else "–"


def _slow(seconds: Sequence[float]) -> str:
    """Return the 95th percentile."""
    if len(seconds) < 2:
        return f"{seconds[0]:.2f}" if seconds else "–"
    return f"{statistics.quantiles(seconds, n=20, method='inclusive')[-1]:.2f}"


if __name__ == "__main__":
    sys.exit(main())
