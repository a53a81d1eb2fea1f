"""The groups of unanswered questions, as the pages Unanswered and Knowledge show them."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

from assistant.articles.listing import ArticleFolder
from assistant.reports.likeness import Encoder, Likeness
from assistant.reports.question_groups import QuestionGroup, languages_of, question_groups
from assistant.store.tables import now
from assistant.store.unanswered import unanswered
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from knowledge.documents import Article
from knowledge.errors import KnowledgeError

# What an address may ask for: the days that are looked at.
DAYS = ("7", "30", "90")


def groups_at(frame: Frame, place: Place) -> tuple[list[QuestionGroup], int]:
    """Return the groups that an address asks for, and how many questions are not read yet."""
    days = int(place.one_of("days", DAYS, "30"))
    since, demo = now() - timedelta(days=days), place.get("demo") == "1"
    questions = unanswered(frame.desk.conversations.database, since, demo=demo)
    likeness = _likeness(frame.desk.assistant.listener.embedder)
    left = likeness.read_in_background([question.question for question in questions])
    return question_groups(questions, likeness), left if questions else 0


def gap(frame: Frame, group: QuestionGroup) -> str:
    """Return in a sentence what was missing to answer a group."""
    if group.nearest is None or group.missing == "article":
        return frame.text("unanswered.missing_article")
    titles = {"title": group.nearest.title, "second": group.second.title if group.second else ""}
    return frame.text(f"unanswered.missing_{group.missing}", **titles)


def languages(frame: Frame, group: QuestionGroup, articles: Sequence[Article]) -> str:
    """Return in a sentence which language has the article, and which does not."""
    if group.nearest is None or group.missing == "article":
        return frame.text("unanswered.in_none")
    have, lack = languages_of(group.nearest, articles)
    names = {key: named(frame, langs) for key, langs in (("have", have), ("lack", lack))}
    return frame.text("unanswered.in_some" if lack else "unanswered.in_both", **names)


def named(frame: Frame, langs: Sequence[str]) -> str:
    """Return the names of languages."""
    known = [frame.text(f"unanswered.lang_{lang}") for lang in langs if lang in ("en", "zh")]
    return frame.text("unanswered.and").join(known)


def articles_of(frame: Frame) -> Sequence[Article]:
    """Return the articles of the folder; none where it cannot be read."""
    try:
        return article_folder(frame).articles()
    except KnowledgeError:
        return ()


def article_folder(frame: Frame) -> ArticleFolder:
    """Return the folder of articles; what did not change is not read again."""
    return _folder(frame.settings.knowledge.resolve())


@cache
def _folder(folder: Path) -> ArticleFolder:
    return ArticleFolder(folder)


# One for each encoder and all pages: what it has read it need not read again.
_likenesses: WeakKeyDictionary[Encoder, Likeness] = WeakKeyDictionary()


def _likeness(encoder: Encoder) -> Likeness:
    return _likenesses.setdefault(encoder, Likeness(encoder))
