"""The whole text of an article's file: front matter and body, changed field by field."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assistant.articles.errors import ArticleEditError
from knowledge.documents import Article, to_article
from knowledge.errors import ArticleError
from knowledge.readers.document import Document

LONGEST = 200_000
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)(?:^|\n)---[ \t]*\n?", flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fields:
    """What an editor changes of an article.

    Attributes:
        title: Its title.
        lang: en or zh.
        body: Its text as Markdown, without front matter.
        valid_from: The first day on which it may be shown, as 2026-01-31; "" for no limit.
        valid_to: The last one, likewise.
        questions: What customers type when it answers, one a line.
        translation_of: The id of the article that it translates; "" for none.
    """

    title: str
    lang: str
    body: str
    valid_from: str = ""
    valid_to: str = ""
    questions: str = ""
    translation_of: str = ""


def read_article(text: str, path: str) -> Article:
    """Return the article that a file's text is.

    Raises:
        ArticleEditError: Its front matter is wrong, or there is no text.
    """
    try:
        return to_article(Document(text), Path(PurePosixPath(path)))
    except ArticleError as error:
        raise ArticleEditError(f"The article at {path} cannot be read: {error}") from None


def fields_of(text: str, path: str) -> Fields:
    """Return what an editor changes of a file's text; what cannot be read is all body."""
    try:
        article = read_article(text, path)
    except ArticleEditError:
        return Fields("", "en", text)
    return Fields(
        article.title,
        article.lang,
        _parts(text)[1].strip("\n"),
        str(article.valid_from or ""),
        str(article.valid_to or ""),
        "\n".join(article.questions),
        article.translation_of or "",
    )


def with_fields(text: str, path: str, fields: Fields) -> str:
    """Return a file's text with changed fields; what did not change stays as it was written.

    Args:
        text: The file as it is; "" for a new one.
        path: Its path in the folder of articles.
        fields: What it is to say.

    Raises:
        ArticleEditError: A day is none, a title or a text is missing, or it is too long.
    """
    _check(fields)
    front, body = _parts(text)
    before = fields_of(text, path) if text else Fields("", "", "")
    name = PurePosixPath(path).name.split(".")[0]
    new: dict[str, object] = {"id": name} if not text else {}
    wanted: Mapping[str, object] = {
        **new,
        "title": fields.title.strip(),
        "lang": fields.lang,
        "translation_of": fields.translation_of or None,
        "valid_from": fields.valid_from,
        "valid_to": fields.valid_to,
        "questions": [line.strip() for line in fields.questions.splitlines() if line.strip()],
    }
    known = {**{f: getattr(before, f) or None for f in wanted if f != "id"}, "id": None}
    known["questions"] = before.questions.splitlines() or None
    for key, value in wanted.items():
        if (value or None) != known[key]:
            front = _set(front, key, value)
    body = body if fields.body.strip() == before.body.strip() and text else fields.body.strip()
    return (f"---\n{front}---\n\n" if front else "") + body.strip("\n") + "\n"


def _check(fields: Fields) -> None:
    if not fields.title.strip() or not fields.body.strip():
        raise ArticleEditError(
            "Expected a title and a text, found one of them empty.", key="no_text"
        )
    if len(fields.body) > LONGEST:
        raise ArticleEditError(
            f"Expected at most {LONGEST:,} characters, found {len(fields.body):,}. Make several "
            f"articles of it.",
            key="too_long",
            most=f"{LONGEST:,}",
            found=f"{len(fields.body):,}",
        )
    days = []
    for day in (fields.valid_from, fields.valid_to):
        try:
            days.append(dt.date.fromisoformat(day) if day else None)
        except ValueError:
            raise ArticleEditError(
                f"Expected a day such as 2026-01-31, found {day[:40]!r}.", key="day", found=day[:40]
            ) from None
    if days[0] and days[1] and days[0] > days[1]:
        raise ArticleEditError(
            "Expected the first day before the last one, found it later.", key="days"
        )


def _parts(text: str) -> tuple[str, str]:
    """Return front matter, with its last line's end, and body."""
    found = _FRONT.match(text.replace("\r\n", "\n"))
    if not found:
        return "", text.replace("\r\n", "\n")
    front = found.group(1)
    return (front if not front or front.endswith("\n") else f"{front}\n"), text.replace(
        "\r\n", "\n"
    )[found.end() :]


def _set(front: str, key: str, value: object) -> str:
    """Return front matter with one key changed, whatever stands around it."""
    line = "" if not value else f"{key}: {_yaml(value)}\n"
    # The key's own line, and the lines that continue it: indented ones and items of a list.
    old = re.compile(rf"^{key}:.*\n(?:(?:[ \t]+|- ?).*\n|[ \t]*\n(?=[ \t]))*", flags=re.MULTILINE)
    if old.search(front):
        return old.sub(lambda _: line, front, count=1)
    return front + line


def _yaml(value: object) -> str:
    # A JSON string is a YAML string, whatever is in it.
    if isinstance(value, list):
        return "".join(f"\n  - {json.dumps(one, ensure_ascii=False)}" for one in value)
    text = str(value)
    is_plain = re.fullmatch(r"[a-z]{2}|[a-z0-9]+(-[a-z]+)+|\d{4}-\d\d-\d\d", text)
    return text if is_plain and text not in ("no", "on") else json.dumps(text, ensure_ascii=False)
