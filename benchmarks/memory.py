"""Whether a server's memory, threads and open files stay level: ``python -m benchmarks.memory``.

Starts a server on a free port of loopback with a database of its own, plays conversations of ten
turns over HTTP and looks at the process after every 500 turns. After the first fifth of the turns,
which warms it up, a line is fitted to what was seen (Theil and Sen): it is level if its slope is
small or may be nought. The answerer says what it was asked; ``--real N`` plays N turns with the
real models instead, of training rows of ``tuning/data/customers``.
"""

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx
    import psutil

# Turns of one conversation, and the clients that talk at the same time.
TALK, CLIENTS = 10, 8
WARM_UP = 0.2
# Slopes per 1,000 turns that count as level: MB of memory, threads and files.
SMALL = {"MB of memory": 1.0, "threads": 0.5, "open files": 0.5}


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process had after some turns."""

    turns: int
    seen: dict[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each thing that was watched; return 1 if one is not level."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.memory --turns 2000 --every 100",
    )
    parser.add_argument("--turns", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--every", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--real", type=int, metavar="N", help="N turns with the real models")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    from benchmarks.server.processes import real_server, running, stand_in

    turns = given.real or given.turns
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        command = real_server(given.state) if given.real else stand_in(folder)
        with running(command, folder) as server:
            samples = list(_watched(server.url, server.process, turns, given.every))
    return _print(samples, turns)


def _watched(url: str, process: int, turns: int, every: int) -> Iterator[Sample]:
    """Play the turns and yield what the process has before them and after every so many."""
    import httpx
    import psutil
    from tqdm import tqdm

    from benchmarks.server.clients import PATIENCE
    from benchmarks.server.questions import real_questions

    watched = psutil.Process(process)
    questions = real_questions(turns)
    yield _seen(watched, 0)
    with (
        tqdm(total=turns, unit=" turns", leave=False) as bar,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        for start in range(0, turns, every):
            asked = questions[start : start + every]
            talks = [asked[n : n + TALK] for n in range(0, len(asked), TALK)]
            for count in pool.map(_talk, itertools.repeat(client), talks):
                bar.update(count)
            yield _seen(watched, start + len(asked))


def _talk(client: "httpx.Client", questions: Sequence[str]) -> int:
    from benchmarks.server.clients import ask

    conversation = None
    for question in questions:
        answered = ask(client, question, conversation)
        if answered.outcome != "answered":
            raise RuntimeError(f"Expected an answer to {question!r}, found: {answered.outcome}")
        conversation = answered.conversation
    return len(questions)


def _seen(process: "psutil.Process", turns: int) -> Sample:
    memory = process.memory_info().rss / 1e6
    counts = (memory, process.num_threads(), process.num_fds())
    return Sample(turns, dict(zip(SMALL, counts, strict=True)))


def _print(samples: Sequence[Sample], turns: int) -> int:
    """Print the table; return 1 if anything is not level."""
    warm = [sample for sample in samples if sample.turns >= WARM_UP * turns]
    print(f"| of {turns:,} turns | at the start | warm | at the end | slope per 1,000 | 95 % | |")
    print("| --- " * 7 + "|")
    is_level = True
    for name, small in SMALL.items():
        slope, low, high = _slope([s.turns for s in warm], [s.seen[name] for s in warm])
        level = low <= 0 <= high or abs(slope) <= small
        is_level &= level
        first, start, end = (f"{s.seen[name]:.0f}" for s in (samples[0], warm[0], warm[-1]))
        print(
            f"| {name} | {first} | {start} | {end} | {slope:+.2f} | {low:+.2f} to {high:+.2f} | "
            f"{'level' if level else 'not level'} |"
        )
    return int(not is_level)


def _slope(turns: Sequence[int], values: Sequence[float]) -> tuple[float, float, float]:
    """Return the slope per 1,000 turns with its 95 % interval."""
    from scipy.stats import theilslopes

    slope, _, low, high = theilslopes(values, turns, 0.95)
    return float(1000 * slope), float(1000 * low), float(1000 * high)


if __name__ == "__main__":
    sys.exit(main())
