"""What stands beside the editor: the questions, the other language, and what changed meanwhile."""

from markupsafe import Markup

from assistant.articles.article_text import read_article
from assistant.articles.difference import difference
from assistant.articles.drafts import Change
from assistant.articles.errors import ArticleEditError
from assistant.articles.listing import counterpart
from assistant.articles.publishing import current_text
from assistant.ui.console.frame import Frame
from assistant.ui.console.knowledge_begun import Begun
from assistant.ui.console.unanswered_groups import articles_of, gap
from assistant.web.article_page import rendered
from knowledge.documents import Article


def beside(frame: Frame, what: Begun) -> str:
    """Return the questions that an article is written for, and its other language, as HTML."""
    other = what.original or _other(frame, what)
    one = what.draft
    lines = difference(one.before, one.after) if one else []
    return frame.html(
        "knowledge_beside.jinja",
        group=what.group,
        gap=gap(frame, what.group) if what.group else "",
        other=other,
        body=Markup(rendered(other.text)) if other else "",  # noqa: S704  # it escapes HTML
        draft=one,
        preview=Markup(rendered(what.fields.body)),  # noqa: S704  # likewise
        lines=lines,
    )


def changed_meanwhile(frame: Frame, one: Change) -> str:
    """Return what changed in an article since its draft was begun, as HTML; "" for nothing."""
    current = current_text(frame.settings.knowledge, one.path)
    if current == one.before:
        return ""
    lines = difference(one.before, current)
    return frame.html("knowledge_changed.jinja", one=one, lines=lines)


def lacks_translation(frame: Frame, one: Change) -> bool:
    """Return whether a draft's article is in one language of a folder that has both."""
    articles = articles_of(frame)
    try:
        this = read_article(one.after, one.path)
    except ArticleEditError:
        return False
    return any(a.lang != this.lang for a in articles) and counterpart(this, articles) is None


def _other(frame: Frame, what: Begun) -> Article | None:
    if not what.path:
        return None
    text = what.draft.after if what.draft else current_text(frame.settings.knowledge, what.path)
    try:
        return counterpart(read_article(text, what.path), articles_of(frame))
    except ArticleEditError:
        return None
