"""What runs a packaged generator: ``python -m benchmarks.generators --rows FOLDER``.

Each runtime and precision answers the same development rows of ``tuning.dataset`` in a process of
its own: seconds to the first piece and to the last (medians), memory, and the share of answers that
are right by the rows; "kept" are those that transformers has right as well.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Runtime and precision; transformers takes what the processor computes in.
WAYS = (
    ("transformers", ""), ("openvino", "Q8_0"), ("openvino", "Q4_0"),
    ("llama", "Q8_0"), ("llama", "Q4_0"),
)  # fmt: skip
WARM_UP = 2
COLUMNS = ("runtime", "precision", "first s", "whole s", "memory MB", "right", "kept")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.generators",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.generators --rows var/rows/answers --generator qwen",
    )
    parser.add_argument("--rows", type=Path, required=True, help="a folder with dev.jsonl")
    parser.add_argument("--generator", default="qwen", help="default: %(default)s")
    parser.add_argument("--adapter", type=Path, help="default: the one that ships")
    parser.add_argument("--limit", type=int, default=60, help="rows; default: %(default)s")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--way", nargs=2, metavar=("RUNTIME", "PRECISION"), help="only this one")
    options = parser.parse_args(arguments)
    if options.way:
        print(json.dumps(measure(options, *options.way)))
        return 0
    given = [*(arguments if arguments is not None else sys.argv[1:])]
    found = []
    for way in WAYS:
        print(f"{' '.join(way)} …", file=sys.stderr)
        command = [sys.executable, "-m", "benchmarks.generators", *given, "--way", *way]
        done = subprocess.run(  # noqa: S603  # this program itself
            command, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stderr.splitlines()[-1], file=sys.stderr)
        else:
            found.append(json.loads(done.stdout.splitlines()[-1]))
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    for one in found:
        kept = [a and b for a, b in zip(one["right"], found[0]["right"], strict=True)]
        shares = [sum(one["right"]) / len(one["right"]), sum(kept) / max(1, sum(found[0]["right"]))]
        cells = [one["runtime"], one["precision"], one["first"], one["whole"], one["memory"]]
        print("| " + " | ".join([*map(str, cells), *(f"{share:.0%}" for share in shares)]) + " |")
    return 0


def measure(options: argparse.Namespace, runtime: str, precision: str) -> dict[str, Any]:
    """Return what one runtime does with the rows, and how long it takes."""
    import psutil

    from tuning.sft.generated_answers import declines, is_right

    lines = (options.rows / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[: options.limit]]
    generator = _opened(options, runtime, precision)
    for row in rows[:WARM_UP]:
        list(generator.generate(row["prompt"], adapter=True))
    firsts, wholes, right = [], [], []
    for row in rows:
        start, pieces = time.perf_counter(), []
        for piece in generator.generate(row["prompt"], adapter=True, max_tokens=96):
            if not pieces:
                firsts.append(time.perf_counter() - start)
            pieces.append(piece)
        wholes.append(time.perf_counter() - start)
        expected = row["completion"][0]["content"]
        right.append(is_right("".join(pieces).strip(), expected, declines()))
    return {
        "runtime": runtime,
        "precision": precision or "as computed",
        "first": round(statistics.median(firsts), 2),
        "whole": round(statistics.median(wholes), 2),
        "memory": round(psutil.Process().memory_info().rss / 1e6),
        "right": right,
    }


def _opened(options: argparse.Namespace, runtime: str, precision: str) -> Any:
    from assistant.config import Settings
    from assistant.generators.adapters import serving_adapter
    from assistant.generators.open_generator import CARRIED, PACKED, name_of, open_generator
    from knowledge.models.model_files import packed_generator

    settings = Settings(
        state=options.state, generator=options.generator, runtime=runtime, adapter=options.adapter
    )
    if runtime == "transformers":
        return open_generator(settings)
    carried, name = CARRIED[options.generator], name_of(settings)
    return PACKED[runtime].kind(
        lambda adapter: packed_generator(carried.carrier, adapter, options.state, precision),
        name,
        carried.languages,
        lambda: serving_adapter(settings, name),
    )


if __name__ == "__main__":
    sys.exit(main())
