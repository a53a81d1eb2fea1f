"""Finds problems in a knowledge folder: ``python -m knowledge.check FOLDER``.

Near-duplicate articles, contradicting figures, broken links, missing translations, translations
with other figures, expired articles, and articles that no question retrieves.
"""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.article_checks import Finding, broken_links, expired, twins
from knowledge.build_index import BANK
from knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from knowledge.documents import Article
    from knowledge.models.embedder import Embedder

# Kinds of findings that need no fixing.
NOTES = frozenset({"expired", "not yet valid"})


def main(arguments: Sequence[str] | None = None, prog: str = "python -m knowledge.check") -> int:
    """Print the findings; return 1 if any needs fixing, 2 if the input cannot be read."""
    given = _arguments(arguments, prog)
    from knowledge.folder import read_folder
    from knowledge.models.model_files import open_embedder

    try:
        questions = _questions(given.questions) if given.questions else []
        reading = read_folder(given.folder, progress=not given.json)
        embedder = open_embedder(given.embedder, given.state)
        findings = [Finding("unread", (s.path,), s.reason) for s in reading.skipped]
        findings += check(reading.articles, given.folder, embedder)
        if questions:
            findings += unreached(given.folder, questions, embedder, given.state)
    except (KnowledgeError, OSError, ValueError) as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for finding in findings:
        line = json.dumps(asdict(finding), ensure_ascii=False)
        print(
            line if given.json else f"{finding.kind}: {', '.join(finding.paths)}: {finding.message}"
        )
    if not given.json:
        print(f"{len(reading.articles)} articles, {len(findings)} findings")
    return 1 if any(finding.kind not in NOTES for finding in findings) else 0


def _arguments(arguments: Sequence[str] | None, prog: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: %(prog)s ./help-centre --questions asked.jsonl",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=BANK, help="default: Lantern Bank's articles"
    )
    parser.add_argument(
        "--questions", type=Path, metavar="FILE", help='JSON lines {"question": …}; default: none'
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help="the folder of indexes and prepared models; default: %(default)s",
    )
    parser.add_argument("--embedder", help="a folder or hub name; default: the one that ships")
    return parser.parse_args(arguments)


def check(
    articles: "Sequence[Article]",
    folder: Path,
    embedder: "Embedder",
    today: dt.date | None = None,
) -> list[Finding]:
    """Return the problems of a folder's articles, expired ones first.

    Args:
        articles: The articles, valid or not.
        folder: The folder that they were read from.
        embedder: Compares articles.
        today: The day to use instead of the current one.
    """
    from knowledge.contradiction_checks import contradictions
    from knowledge.similarity_checks import duplicates

    day = today or dt.date.today()
    valid = [article for article in articles if article.is_valid(day)]
    return [
        *expired(articles, day),
        *broken_links(valid, folder),
        *twins(valid),
        *duplicates(valid, embedder),
        *contradictions(valid),
    ]


def unreached(
    folder: Path, questions: Sequence[str], embedder: "Embedder", state: Path, top_k: int = 3
) -> list[Finding]:
    """Return the articles that are among the first ``top_k`` hits for none of the questions."""
    from knowledge.knowledge_base import KnowledgeBase
    from knowledge.segmenter import language_of

    retriever = KnowledgeBase.open(folder, embedder, state).current()
    reached = set()
    for question in questions:
        hits = retriever.retrieve(question, language_of(question), top_k)
        reached |= {(hit.passage.lang, hit.passage.article) for hit in hits}
    languages = {language_of(question) for question in questions}
    expected = {(p.lang, p.article) for p in retriever.passages if p.lang in languages}
    message = f"it is not among the first {top_k} hits for any of {len(questions)} questions"
    missed = sorted(expected - reached)
    return [Finding("unreached", (f"{lang}/{name}",), message) for lang, name in missed]


def _questions(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    try:
        return [str(json.loads(line)["question"]) for line in lines if line]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f'Expected lines {{"question": "…"}} in {file}, found others.') from None


if __name__ == "__main__":
    sys.exit(main())
