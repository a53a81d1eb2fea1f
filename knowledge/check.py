"""Finds what is wrong in a knowledge folder: ``python -m knowledge.check FOLDER``.

Near-duplicate articles, figures that contradict each other, broken links, missing twins, twins with
other figures, expired articles, and articles that no question reaches.
"""

import argparse
import datetime as dt
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.build_index import BANK
from knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from knowledge.documents import Article
    from knowledge.models.embedder import Embedder, Vectors

# Cosines of whole articles, and of sentences without their figures, of one language.
SAME_ARTICLE = 0.985
SAME_SENTENCE = 0.965
# What is worth knowing and nothing to mend.
NOTES = frozenset({"expired", "not yet valid"})
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
_FIGURE = re.compile(r"(?P<money>[£$€¥]\s?)?(?P<number>\d[\d,.:]*\d|\d)\s?(?P<unit>[^\W\d_]+|%)?")
# "4 月 5 日" is 5 April, whose month is no figure in English.
_MONTH = re.compile(r"\d{1,2}\s?月(?=\s?\d{1,2}\s?日)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: what kind, in which files, and what was found."""

    kind: str
    paths: tuple[str, ...]
    message: str


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
    parser.add_argument("folder", nargs="?", type=Path, default=BANK, help="default: Lantern Bank")
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
    """Return what is wrong with the articles of a folder, expired ones first."""
    day = today or dt.date.today()
    valid = [article for article in articles if article.is_valid(day)]
    return [
        *_expired(articles, day),
        *_broken_links(valid, folder),
        *_twins(valid),
        *_duplicates(valid, embedder),
        *_contradictions(valid, embedder),
    ]


def unreached(
    folder: Path, questions: Sequence[str], embedder: "Embedder", state: Path, top_k: int = 3
) -> list[Finding]:
    """Return the articles that are among the first three for none of the questions."""
    from knowledge.knowledge_base import KnowledgeBase
    from knowledge.segmenter import language_of

    retriever = KnowledgeBase.open(folder, embedder, state).current()
    reached = set()
    for question in questions:
        hits = retriever.retrieve(question, language_of(question), top_k)
        reached |= {(hit.passage.lang, hit.passage.article) for hit in hits}
    asked = {language_of(question) for question in questions}
    found = {(p.lang, p.article) for p in retriever.passages if p.lang in asked} - reached
    message = f"none of {len(questions)} questions finds it among the first {top_k}"
    return [Finding("unreached", (f"{lang}/{name}",), message) for lang, name in sorted(found)]


def figures_of(text: str) -> set[str]:
    """Return the numbers of a text as they are written; a Chinese date's month is none."""
    return {match["number"] for match in _FIGURE.finditer(_MONTH.sub("", text))}


def _questions(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    try:
        return [str(json.loads(line)["question"]) for line in lines if line]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f'Expected lines {{"question": "…"}} in {file}, found others.') from None


def _expired(articles: "Sequence[Article]", day: dt.date) -> Iterator[Finding]:
    for article in articles:
        if article.valid_to and article.valid_to < day:
            yield Finding("expired", (article.path,), f"valid until {article.valid_to}")
        elif article.valid_from and article.valid_from > day:
            yield Finding("not yet valid", (article.path,), f"valid from {article.valid_from}")


def _broken_links(articles: "Sequence[Article]", folder: Path) -> Iterator[Finding]:
    from knowledge.folder import articles_root

    root = articles_root(folder)
    ids = {article.id for article in articles}
    for article in articles:
        for target in _LINK.findall(article.text):
            if re.match(r"[a-z][a-z+.-]*:|#", target):  # elsewhere, or within the page
                continue
            path = target.split("#")[0]
            there = (root / article.path).parent / path
            if path not in ids and Path(path).stem not in ids and not there.exists():
                yield Finding("broken link", (article.path,), f"{target} is not there")


def _twins(articles: "Sequence[Article]") -> Iterator[Finding]:
    by_place = {(article.lang, article.id): article for article in articles}
    translated = {(a.lang, a.translation_of) for a in articles if a.translation_of}
    languages = {article.lang for article in articles if article.translation_of}
    for article in articles:
        if article.translation_of:
            originals = [a for (_, name), a in by_place.items() if name == article.translation_of]
            original = next((a for a in originals if a.lang != article.lang), None)
            if original is None:
                message = f"{article.translation_of}, which it translates, is not there"
                yield Finding("missing twin", (article.path,), message)
                continue
            differing = figures_of(article.text) ^ figures_of(original.text)
            if differing:
                message = f"only one of them has {', '.join(sorted(differing))}"
                yield Finding("twins differ", (original.path, article.path), message)
        else:
            for lang in sorted(languages - {article.lang}):
                if (lang, article.id) not in translated:
                    yield Finding("missing twin", (article.path,), f"it has no version in {lang}")


def _duplicates(articles: "Sequence[Article]", embedder: "Embedder") -> Iterator[Finding]:
    for some in _by_language(articles):
        vectors = embedder.encode_passages([f"{a.title}. {a.text[:2000]}" for a in some])
        for first, second, cosine in _near(vectors, SAME_ARTICLE):
            paths = (some[first].path, some[second].path)
            yield Finding("near-duplicate", paths, f"they are alike to {cosine:.3f}")


def _contradictions(articles: "Sequence[Article]", embedder: "Embedder") -> Iterator[Finding]:
    """Yield pairs of sentences that say the same of a thing with other figures of one unit."""
    from knowledge.markdown_tables import is_row
    from knowledge.segmenter import sentences

    for some in _by_language(articles):
        said = [
            (article, span.of(article.text))
            for article in some
            for span in sentences(article.text, article.lang)
            # A table's row means nothing without the table's head.
            if _FIGURE.search(written := span.of(article.text)) and not is_row(written)
        ]
        if not said:
            continue
        # "We check it within 5 days" says nothing without its article's title.
        named = [f"{article.title}: {_FIGURE.sub('#', text)}" for article, text in said]
        vectors = embedder.encode_passages(named)
        for first, second, _ in _near(vectors, SAME_SENTENCE):
            (one, text), (other, again) = said[first], said[second]
            if one.path != other.path and _contradict(text, again):
                message = f"“{text}” against “{again}”"
                yield Finding("contradiction", (one.path, other.path), message)


def _contradict(text: str, again: str) -> bool:
    """Tell whether two sentences have figures of the same units, and other ones."""
    one, other = (
        {
            ((m["money"] or m["unit"] or "").strip().lower(), m["number"])
            for m in _FIGURE.finditer(t)
        }
        for t in (text, again)
    )
    return {unit for unit, _ in one} == {unit for unit, _ in other} and one.isdisjoint(other)


def _by_language(articles: "Sequence[Article]") -> "Iterator[list[Article]]":
    for lang in sorted({str(article.lang) for article in articles}):
        yield [article for article in articles if article.lang == lang]


def _near(vectors: "Vectors", least: float) -> Iterator[tuple[int, int, float]]:
    cosines = vectors @ vectors.T
    for first in range(len(vectors)):
        for second in range(first + 1, len(vectors)):
            if cosines[first, second] >= least:
                yield first, second, float(cosines[first, second])


if __name__ == "__main__":
    sys.exit(main())
