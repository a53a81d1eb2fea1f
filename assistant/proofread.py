"""Shows the figures of a text that no article supports: ``frontdesk proofread``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.grounding.known_figures import Doubt
    from knowledge.documents import Article

EPILOG = """examples:
  %(prog)s "A new card costs £15"
  %(prog)s --knowledge ./help-centre "退货期是 45 天"
"""


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m assistant.proofread"
) -> int:
    """Print each figure in doubt; return 1 if there is one, 2 if the folder cannot be used."""
    from assistant.config import BANK

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show the amounts, shares, times, dates and numbers of a text that no article "
        "supports, as people see them in the inbox while they write.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", help="what somebody is about to send")
    parser.add_argument(
        "--knowledge", type=Path, default=BANK, metavar="FOLDER", help="default: Lantern Bank's"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    given = parser.parse_args(arguments)
    from knowledge.errors import KnowledgeError

    try:
        doubts = _doubts(given.text, given.knowledge)
    except (KnowledgeError, OSError) as error:
        print(f"proofread: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps([_json(doubt) for doubt in doubts], ensure_ascii=False, indent=2))
    else:
        print("\n".join(map(_line, doubts)) or "Every figure is supported by an article.")
    return 1 if doubts else 0


class _Folder:
    """The articles of a folder, without an index."""

    def __init__(self, articles: "list[Article]") -> None:
        self._articles = articles

    def versions(self) -> dict[str, str]:
        return {"index": "folder"}

    def valid_articles(self) -> "list[Article]":
        return self._articles


def _doubts(text: str, folder: Path) -> "list[Doubt]":
    from assistant.grounding.known_figures import KnownFigures
    from knowledge.build_index import current_articles

    return KnownFigures(_Folder(current_articles(folder))).doubts(text)


def _line(doubt: "Doubt") -> str:
    figure, nearest = doubt.figure.text, doubt.nearest
    if nearest is None:
        return f"{figure} stands in no article."
    where = f"{nearest.sentence} ({nearest.title})"
    return f"{figure} stands in no article about this. Nearest: {where}"


def _json(doubt: "Doubt") -> dict[str, object]:
    nearest = doubt.nearest and dataclasses.asdict(doubt.nearest)
    if nearest:
        del nearest["words"]
    return {"figure": doubt.figure.text, "value": doubt.figure.value, "nearest": nearest}


if __name__ == "__main__":
    sys.exit(main())
