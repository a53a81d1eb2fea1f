"""Keeps what a reply quotes, with the article's text as it was."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.messages import Reply
from assistant.store.database import Database
from assistant.store.tables import ArticleVersionRow, CitationRow, MessageRow, now
from knowledge.documents import Article

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Returns the current article of a language and an id.
Find = Callable[[str, str], Article | None]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote of a reply, with the article's text and version as they were."""

    number: int
    article: str
    lang: str
    title: str
    text: str
    start: int
    end: int
    version: str


def keep_quotes(session: "Session", message: int, reply: Reply, article: Find) -> None:
    """Keep the quotes of a reply, and the articles that they stand in.

    Args:
        session: A session to write in.
        message: The id of the reply's message.
        reply: The reply.
        article: Returns the current article of a language and an id.
    """
    for citation in reply.citations:
        current = article(citation.lang, citation.article)
        if current is None:  # it expired while it was quoted
            continue
        version = version_of(current)
        _keep_version(session, version, current)
        place = {"start": citation.start, "end": citation.end}
        session.add(
            CitationRow(message_id=message, number=citation.number, version=version, **place)
        )


def _keep_version(session: "Session", version: str, article: Article) -> None:
    """Keep an article's text once, whoever else keeps it at the same time."""
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    texts = {"title": article.title, "text": article.text}
    values = {"article": article.id, "lang": str(article.lang), "created": now(), **texts}
    add = dialect.insert(ArticleVersionRow).values(hash=version, **values)
    # Changing a row that is there keeps others from deleting it until it is quoted.
    changed = {"created": add.excluded.created}
    session.execute(add.on_conflict_do_update(index_elements=["hash"], set_=changed))


def quoted(database: Database, conversation: str, number: int) -> list[Quoted]:
    """Return the quotes of a reply with their articles as they were.

    Args:
        database: An open database.
        conversation: The id of the conversation.
        number: The reply's number in it.
    """
    from sqlalchemy import select

    with database.read() as session:
        rows = session.execute(
            select(CitationRow, ArticleVersionRow)
            .join(ArticleVersionRow, ArticleVersionRow.hash == CitationRow.version)
            .join(MessageRow, MessageRow.id == CitationRow.message_id)
            .where(MessageRow.conversation_id == conversation, MessageRow.number == number)
            .order_by(CitationRow.number)
        ).all()
    return [
        Quoted(
            cited.number, version.article, version.lang, version.title, version.text,
            cited.start, cited.end, version.hash,
        )
        for cited, version in rows
    ]  # fmt: skip


def forget_unquoted(session: "Session") -> None:
    """Delete the articles that nothing quotes any more."""
    from sqlalchemy import delete, select

    cited = select(CitationRow.version)
    session.execute(delete(ArticleVersionRow).where(ArticleVersionRow.hash.not_in(cited)))


def version_of(article: Article) -> str:
    """Return the hash of what a customer sees of an article."""
    seen = "\n".join((article.id, str(article.lang), article.title, article.text))
    return hashlib.sha256(seen.encode()).hexdigest()
