"""Conversations whose replies keep what was weighed, as a script says, and what was thought of them."""

import dataclasses
from collections.abc import Mapping
from types import SimpleNamespace

from assistant.messages import Action, Reply, Weighed
from assistant.policy import Policy
from assistant.store.feedback import Feedback
from tests.page_server import Answerer


class WeighingAnswerer(Answerer):
    """Answers what a policy answers by what a script weighs; an unknown message is not weighed."""

    def __init__(self, caution: float = 3.0) -> None:
        super().__init__()
        self.script: dict[str, Weighed | None] = {}
        # What a change of the setting is told.
        self.finder = SimpleNamespace(policy=Policy(caution))

    def _reply(self, words: str, lang: str) -> Reply:
        reply = super()._reply(words, lang)
        weighed = self.script.get(words)
        if weighed is None:
            return reply
        answers = weighed.decides == "nothing" or self.finder.policy.would_answer(weighed)
        action = Action.ANSWER if answers else Action.DECLINE
        return dataclasses.replace(reply, action=action, weighed=weighed)


def talk(desk, said: Mapping[str, tuple[Weighed | None, int]]) -> dict[str, str]:
    """Ask each message in a conversation of its own, and judge its reply.

    Args:
        desk: A desk whose assistant is a ``WeighingAnswerer``.
        said: By message, in lower case: what is weighed, and the thumb: 1, -1, or 0 for none.

    Returns:
        The conversation of each message.
    """
    feedback, held = Feedback(desk.conversations.database), {}
    for text, (weighed, thumb) in said.items():
        desk.assistant.script[text] = weighed
        held[text] = desk.begin(text, "page")
        *_, reply = desk.serve(held[text], text)
        if thumb:
            feedback.judge(held[text], reply.number, thumb)
    return held


def sentences(best: float, *, answerable: float = 0.99, **more) -> Weighed:
    """Return what is weighed of a message whose sentences were read."""
    return Weighed(best, answerable, best / 2, decides="answer", **more)
