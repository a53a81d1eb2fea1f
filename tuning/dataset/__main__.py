"""Makes training rows for the answering model: ``python -m tuning.dataset --out FOLDER``.

Prompt-completion rows come from help centres of many trades (``tuning/data/companies``), from
customers' messages with short answers (``tuning/data/customers``), from rows written by hand
(``tuning/data/worded.*.jsonl``) and, if FRONTDESK_DATA names the public data, from XQuAD and ABCD's
guidelines. The templates of the product
render them. ``train.jsonl`` and ``dev.jsonl`` hold different companies. Rows are left out and
counted if the completion has a figure that is in no passage, if they contain personal data, or if
the same prompt occurs twice.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tuning.dataset.row_files import SKIPPABLE, write_rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the rows and their report; return 2 if they cannot be made."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.dataset",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.dataset --out var/rows",
    )
    parser.add_argument("--out", type=Path, default=Path("var/rows"), help="default: %(default)s")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--languages", nargs="+", choices=("en", "zh"), default=["en", "zh"])
    parser.add_argument(
        "--without", nargs="+", choices=SKIPPABLE, default=[], help="rows to leave out"
    )
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        help="the share of the companies' own questions to use, which take longest; default: 1",
    )
    options = parser.parse_args(arguments)
    if not 0 < options.share <= 1:
        parser.error(
            f"argument --share: expected a number above 0 and up to 1, found {options.share}"
        )
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import open_embedder

    try:
        embedder = open_embedder(None, options.state)
        report = write_rows(
            options.out,
            embedder,
            languages=options.languages,
            without=options.without,
            share=options.share,
        )
    except (KnowledgeError, OSError) as error:
        print(f"dataset: {error}", file=sys.stderr)
        return 2
    for part, facts in report.items():
        print(f"{part}: " + ", ".join(f"{key} {value}" for key, value in facts.items()))
    print(f"Saved the rows and report.json in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
