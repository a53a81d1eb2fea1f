"""What an editor begins with: a new article, one that is changed, a translation, or a draft."""

from dataclasses import dataclass

from assistant.articles.article_paths import EDITABLE, existing
from assistant.articles.article_text import Fields, fields_of, read_article
from assistant.articles.drafts import DRAFT, Change, Drafts
from assistant.articles.errors import ArticleEditError
from assistant.articles.publishing import current_text
from assistant.reports.question_groups import QuestionGroup, group_with
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from assistant.ui.console.unanswered_groups import articles_of, groups_at
from knowledge.documents import Article


@dataclass(frozen=True, slots=True)
class Begun:
    """What the editor shows first.

    Attributes:
        fields: What is in its fields.
        path: The file in the folder of articles; "" for one that has no name yet.
        draft: The draft that is changed; None before the first save.
        name: What a new article is called, if that is known.
        group: The unanswered questions that it is written for.
        original: The article that it translates.
    """

    fields: Fields
    path: str = ""
    draft: Change | None = None
    name: str = ""
    group: QuestionGroup | None = None
    original: Article | None = None


def begun(frame: Frame, place: Place, author: str) -> Begun:
    """Return what an address asks an editor to begin with.

    Raises:
        ArticleEditError: There is no such draft or article, or it cannot be changed as text.
    """
    drafts = Drafts(frame.desk.conversations.database)
    if place.number("draft"):
        return _of_draft(drafts.get(place.number("draft")))
    if path := place.get("edit"):
        existing(frame.settings.knowledge, path)
        if not path.endswith(EDITABLE):
            raise ArticleEditError(frame.text("knowledge.not_text"))
        mine = [one for one in drafts.open(path) if one.author == author]
        if mine:
            return _of_draft(mine[0])
        return Begun(fields_of(current_text(frame.settings.knowledge, path), path), path)
    return _new(frame, place)


def _of_draft(one: Change) -> Begun:
    if one.state != DRAFT:
        raise ArticleEditError(
            f"Expected a draft, found {one.id}, which is {one.state}.",
            key="no_draft",
            number=one.id,
        )
    return Begun(fields_of(one.after, one.path), one.path, one)


def _new(frame: Frame, place: Place) -> Begun:
    original = _original(frame, place.get("translates"))
    if original:
        lang = "zh" if original.lang == "en" else "en"
        name = original.translation_of or original.id
        fields = Fields("", lang, "", translation_of=name)
        return Begun(fields, name=name, original=original)
    group = group_with(groups_at(frame, place)[0], place.get("group"))
    lang = group.languages[0] if group and group.languages else frame.lang
    return Begun(Fields("", lang if lang in ("en", "zh") else frame.lang, ""), group=group)


def _original(frame: Frame, wanted: str) -> Article | None:
    """Return what is to be translated: the article at a path, or that of a draft's number."""
    if wanted.isdecimal():
        one = Drafts(frame.desk.conversations.database).get(int(wanted[:9]))
        return read_article(one.after, one.path)
    return next((article for article in articles_of(frame) if article.path == wanted), None)
