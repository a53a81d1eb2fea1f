"""Hands conversations over to people, and tells customers what happens."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from assistant.company import Company
from assistant.errors import StoreError
from assistant.messages import Action, Reply
from assistant.store.conversations import Conversations, KeptMessage
from assistant.store.handoff import Handoff
from assistant.store.handoffs import Handoffs
from assistant.store.tables import now

# The customer's messages that a summary holds, from the end.
SUMMED_UP = 6
# Seconds between two looks for customers who have waited too long.
LOOK = 15.0
DAYS: Mapping[str, Sequence[str]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
# Says a fixed sentence: its name, the language, and what fills its gaps.
Saying = Callable[..., str]

logger = logging.getLogger(__name__)


class Handover:
    """Hands conversations over."""

    def __init__(
        self, handoffs: Handoffs, conversations: Conversations, company: Company, saying: Saying
    ) -> None:
        """Take ready parts.

        Args:
            handoffs: Keeps who has which conversation.
            conversations: Keeps what is said.
            company: Says when its people answer; without ``people``, nothing is handed over.
            saying: Says a fixed sentence.
        """
        self.handoffs = handoffs
        self._conversations, self._company, self._saying = conversations, company, saying

    def is_taken(self, conversation: str) -> bool:
        """Return whether a person has a conversation, so that the assistant is silent."""
        handoff = self.handoffs.of(conversation) if self._company.people else None
        return handoff is not None and handoff.state == "taken"

    def hand_over(self, conversation: str, reply: Reply) -> str:
        """Call a person if a reply says so; return what the customer is told, or "".

        Args:
            conversation: The id of the conversation, whose last message the reply answers.
            reply: The reply.
        """
        if not self._company.people or reply.action is not Action.HANDOFF:
            return ""
        summary = summary_of(self._conversations.messages(conversation), reply)
        urgent = reply.urgent
        handoff, is_new = self.handoffs.open(conversation, reply.reason, summary, urgent=urgent)
        # Another system whose people have it says itself when they answer.
        is_ours = handoff.state == "waiting"
        return self._announced(reply.language) if is_new and is_ours else ""

    def give_back(self, handoff: Handoff) -> None:
        """Tell the customer that the assistant answers again."""
        lang = self._language(handoff.conversation)
        self._conversations.say(
            handoff.conversation, self._saying("person_back", lang), "assistant"
        )

    def reply(self, number: int, agent: str, text: str, key: str = "") -> KeptMessage:
        """Take a conversation and send the customer a person's reply.

        Args:
            number: The handoff's number.
            agent: Who replies.
            text: What they say.
            key: The client's idempotency key: with the same key it is sent once; "" for none.

        Raises:
            HandoffError: The handoff does not exist, has ended, or is another agent's.
            StoreError: It cannot be kept.
        """
        handoff = self.handoffs.take(number, agent)
        return self._conversations.say(handoff.conversation, text, "person", agent, key)

    def remind(self) -> list[Handoff]:
        """Tell the customers whom nobody has answered in time; return their handoffs."""
        people, wait = self._company.people, timedelta(0)
        if people:
            wait = timedelta(minutes=people.minutes)
        # Whoever came at night has not waited before the morning.
        if not people or not (people.is_open(now()) and people.is_open(now() - wait)):
            return []
        late = self.handoffs.late(wait)
        for handoff in late:
            text = self._saying("person_late", self._language(handoff.conversation))
            self._conversations.say(handoff.conversation, text, "assistant")
        return late

    def remind_always(self) -> None:
        """Look for customers who have waited too long, again and again, in the background."""

        def work() -> None:
            while True:
                threading.Event().wait(LOOK)
                try:
                    self.remind()
                except StoreError as error:
                    logger.error("nobody could be reminded: %s", error)

        # Who has no people now may get some while the server runs.
        threading.Thread(target=work, daemon=True, name="remind").start()

    def _announced(self, lang: str) -> str:
        people = self._company.people
        assert people  # noqa: S101  # what calls this has looked
        moment = now()
        opening = people.opening(moment)
        if opening and opening > moment:
            day, at = DAYS[lang][opening.weekday()], f"{opening:%H:%M}"
            return self._saying("person_away", lang, day=day, time=at, zone=people.timezone)
        usual = self.handoffs.usual_wait()
        if usual is None:
            return self._saying("person_called", lang)
        minutes = str(max(1, round(usual.total_seconds() / 60)))
        return self._saying("person_called_usual", lang, minutes=minutes)

    def _language(self, conversation: str) -> str:
        replies = [m.reply for m in self._conversations.messages(conversation) if m.reply]
        return replies[-1].language if replies else "en"


def summary_of(messages: Sequence[KeptMessage], reply: Reply) -> dict[str, Any]:
    """Return what a person who takes a conversation over should know first.

    Args:
        messages: The conversation, oldest first.
        reply: The last reply.

    Returns:
        ``wanted``: the customer's last messages; ``tried``: for each answered one what the reply
        did and which articles it showed; ``intent``, ``sentiment`` and ``language`` of the last.
    """
    asked = [message for message in messages if message.role == "user"]
    tried = [
        {"action": str(m.reply.action), "articles": [source.title for source in m.reply.sources]}
        for m in messages
        if m.reply
    ]
    return {
        "wanted": [message.text for message in asked[-SUMMED_UP:]],
        "tried": tried[-SUMMED_UP:],
        "intent": reply.intent,
        "sentiment": reply.sentiment,
        "language": reply.language,
    }
