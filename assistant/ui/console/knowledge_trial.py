"""Tries a question with a draft, and without it."""

from dataclasses import dataclass

from assistant.articles.drafts import Change
from assistant.articles.trial_folder import trial_folder
from assistant.errors import AssistantError
from assistant.messages import Reply
from assistant.ui.console.frame import Frame
from knowledge.models.model_files import EMBEDDER_NAME


@dataclass(frozen=True, slots=True)
class Tried:
    """What is replied before or after a change: the action, the text, and what it cites."""

    when: str
    action: str
    text: str
    titles: tuple[str, ...]


def tried(frame: Frame, one: Change, question: str) -> list[Tried]:
    """Return what is replied now, and what is with a draft; nothing of it is kept.

    Args:
        frame: The console.
        one: The draft.
        question: What is asked.

    Raises:
        KnowledgeError: The articles cannot be used with the draft.
    """
    serving, settings = frame.desk.assistant, frame.settings
    embedder = settings.embedder or EMBEDDER_NAME
    texts = {one.path: one.after}
    try:
        before = _tried("before", serving.reply(question))
        with trial_folder(settings.knowledge, texts, settings.state, embedder) as copy:
            return [before, _tried("after", serving.answering_from(copy).reply(question))]
    except AssistantError as error:
        return [Tried("before", "error", str(error), ())]


def _tried(when: str, reply: Reply) -> Tried:
    titles = tuple(source.title for source in reply.sources)
    return Tried(when, str(reply.action), reply.text, titles)
