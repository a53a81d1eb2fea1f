"""Lists, writes and publishes articles: ``frontdesk articles``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.articles.gate import Verdict
    from assistant.config import Settings
    from assistant.store.database import Database

EPILOG = """examples:
  %(prog)s list
  %(prog)s draft en/card-delivery.md --file new.md     prints the draft's number
  %(prog)s check 12
  %(prog)s publish 12 13     together: an article and its translation
  %(prog)s history en/card-delivery.md
  %(prog)s rollback 12
"""
# Who uses this command, if nobody else is named.
WHO = "terminal"


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.articles") -> int:
    """Do what the command line says; return 1 if drafts do not pass, 2 if it cannot be done."""
    given = _parser(prog).parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        return _do(given)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"articles: {error}", file=sys.stderr)
        told: dict[str, object] = {"stage": "draft", "reasons": [str(error)]}
        if isinstance(error, AssistantError) and error.key:
            told |= {"key": error.key, "values": {n: str(v) for n, v in error.values.items()}}
        _keep(getattr(given, "result", None), told)
        return 2


def _parser(prog: str) -> argparse.ArgumentParser:
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="The articles of the knowledge folder: drafts are checked, then published.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    listed = verbs.add_parser("list", help="show articles, their translations and drafts")
    shown = verbs.add_parser("show", help="print an article's file, or a draft with --draft")
    shown.add_argument("path", help="the file in the folder of articles, or a draft's number")
    draft = verbs.add_parser("draft", help="keep a new text of an article, which is not live yet")
    draft.add_argument("path", help="the file in the folder of articles")
    draft.add_argument("--file", type=Path, required=True, help="the document with the new text")
    check = verbs.add_parser("check", help="try drafts: the check and the canned dialogues")
    publish = verbs.add_parser("publish", help="put drafts into the folder, if they pass")
    for verb in (check, publish):
        verb.add_argument("drafts", nargs="+", type=int, help="their numbers")
        verb.add_argument("--result", type=Path, metavar="FILE", help="write the verdict as JSON")
    publish.add_argument("--author", default=WHO, help="who publishes; default: %(default)s")
    history = verbs.add_parser("history", help="show what was published of an article")
    history.add_argument("path", help="the file in the folder of articles")
    rollback = verbs.add_parser("rollback", help="make a draft of an earlier version")
    rollback.add_argument("change", type=int, help="the number of the change whose text is wanted")
    for verb in (listed, shown, draft, check, publish, history, rollback):
        add_arguments(verb)
    return parser


def _do(given: argparse.Namespace) -> int:
    from assistant.config import settings_of
    from assistant.store.database import Database

    settings = settings_of(given)
    database = Database.open(settings.database_url)
    if given.verb in ("check", "publish"):
        return _judge(given, settings, database)
    if given.verb == "list":
        print(_list(settings, database))
    elif given.verb == "show":
        print(_show(given.path, settings, database), end="")
    elif given.verb == "history":
        print(_history(given.path, database))
    else:
        print(_draft(given, settings, database))
    return 0


def _judge(given: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from assistant.articles.publishing import Publishing

    publishing = Publishing(database, settings)
    paths: tuple[str, ...] = ()
    if given.verb == "check":
        verdict = publishing.judge(given.drafts)
    else:
        published = publishing.publish(given.drafts, given.author)
        verdict, paths = published.verdict, published.paths
    told = {"stage": verdict.stage, "reasons": verdict.reasons, "found": verdict.found}
    _keep(given.result, {**told, "paths": paths})
    print(_said(verdict, paths))
    return 0 if verdict.passed else 1


def _said(verdict: "Verdict", paths: Sequence[str]) -> str:
    if not verdict.passed:
        return "\n".join([f"Nothing was published: the {verdict.stage} found", *verdict.reasons])
    return f"Published: {', '.join(paths)}" if paths else "It would be published."


def _keep(file: Path | None, told: dict[str, object]) -> None:
    if file:
        file.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _list(settings: "Settings", database: "Database") -> str:
    from assistant.articles.drafts import Drafts
    from assistant.articles.listing import ArticleFolder, citations, listed

    rows = listed(ArticleFolder(settings.knowledge).articles(), citations(database))
    lines = [
        f"{row.article.path}: {row.article.title} ({row.article.lang}, {row.state}, "
        f"other language: {row.counterpart or 'missing'}, cited {row.cited} times)"
        for row in rows
    ]
    lines += [
        f"draft {one.id} of {one.path}, {one.author}, {one.updated:%Y-%m-%d %H:%M}"
        for one in Drafts(database).open()
    ]
    return "\n".join(lines)


def _show(wanted: str, settings: "Settings", database: "Database") -> str:
    from assistant.articles.article_paths import existing
    from assistant.articles.drafts import Drafts

    if wanted.isdigit():
        return Drafts(database).get(int(wanted)).after
    return existing(settings.knowledge, wanted).read_text(encoding="utf-8", errors="replace")


def _history(path: str, database: "Database") -> str:
    from assistant.articles.difference import as_text, difference
    from assistant.articles.drafts import Drafts

    told = [
        f"{one.id}, {one.published:%Y-%m-%d %H:%M}, {one.author}\n"
        f"{as_text(difference(one.before, one.after))}"
        for one in Drafts(database).history(path)
    ]
    return "\n\n".join(told) or f"Nothing was published of {path} with this command or console."


def _draft(given: argparse.Namespace, settings: "Settings", database: "Database") -> str:
    from assistant.articles.article_paths import inside, slug_of
    from assistant.articles.article_text import read_article
    from assistant.articles.drafts import Drafts
    from assistant.articles.publishing import current_text
    from assistant.articles.uploads import read_upload

    drafts = Drafts(database)
    if given.verb == "rollback":
        earlier = drafts.get(given.change)
        path, text = earlier.path, earlier.after
    else:
        path = given.path
        text = read_upload(given.file, slug_of(path)).text
        inside(settings.knowledge, path)
    before = current_text(settings.knowledge, path)
    number = drafts.begin(path, read_article(text, path).lang, before, text, WHO)
    return f"Draft {number} of {path}. Publish it with: frontdesk articles publish {number}"


if __name__ == "__main__":
    sys.exit(main())
