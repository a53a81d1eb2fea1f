"""Makes training rows for the answering model: ``python -m tuning.dataset --out FOLDER``.

Help centres of many trades (``tuning/data/companies``) and, from the public data in FRONTDESK_DATA,
XQuAD and ABCD's guidelines become prompt-completion rows, rendered by the templates that serve.
``train.jsonl`` and ``dev.jsonl`` hold different companies. Rows that fail a check are left out and
counted: a figure in the completion that was not read, personal data, a prompt that stands twice or
in both parts.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tuning.dataset.row_files import LEAVABLE, MISSING, write_rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the rows and their report; 2 where they cannot be made."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.dataset",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.dataset --out var/rows",
    )
    parser.add_argument("--out", type=Path, default=Path("var/rows"), help="default: %(default)s")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--languages", nargs="+", choices=("en", "zh"), default=["en", "zh"])
    parser.add_argument("--xquad", type=int, default=300, help="XQuAD rows a language")
    parser.add_argument(
        "--without", nargs="+", choices=LEAVABLE, default=[], help="leave out, to see its worth"
    )
    parser.add_argument(
        "--missing",
        type=float,
        default=MISSING,
        metavar="SHARE",
        help="of answered questions, asked once more without their article; default: %(default)s",
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    given = parser.parse_args(arguments)
    if not 0 <= given.missing <= 1:
        parser.error(f"--missing: expected a share from 0 to 1, found {given.missing}")
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import open_embedder

    try:
        embedder = open_embedder(None, given.state)
        report = write_rows(given, embedder)
    except (KnowledgeError, OSError) as error:
        print(f"dataset: {error}", file=sys.stderr)
        return 2
    _print(report)
    print(f"rows and report.json in {given.out}")
    return 0


def _print(report: dict[str, dict[str, object]]) -> None:
    for part, found in report.items():
        print(f"{part}: " + ", ".join(f"{key} {value}" for key, value in found.items()))


if __name__ == "__main__":
    sys.exit(main())
