"""Turns plans and their replies into rows, with the times that they would have had."""

import dataclasses
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from assistant.demo.answers import Answers, keys_of
from assistant.demo.messages import Messages
from assistant.demo.plan import Plan
from assistant.message.safety import mask
from assistant.messages import Action, Reply
from assistant.store.handoffs import OUTCOMES
from assistant.store.quotes import Find, keep_quotes
from assistant.store.tables import ConversationRow, FeedbackRow, HandoffRow, MessageRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

AGENTS = ("Maya", "Tom", "Lin")
# The share of answers that customers judge, and of conversations that they rate.
JUDGED, RATED = 0.35, 0.2
# The last hours in which somebody may still wait, and the share of them that do.
WAITING, STILL = timedelta(hours=20), 0.6


class Rows:
    """Adds the rows of one conversation after the other."""

    def __init__(
        self,
        session: "Session",
        messages: Mapping[str, Messages],
        answers: Answers,
        find: Find,
        versions: Mapping[str, Any],
        chance: random.Random,
        until: datetime,
    ) -> None:
        """Take what is said, what answers it, and the end of the two weeks."""
        self._session, self._messages, self._answers = session, messages, answers
        self._find, self._versions, self._chance = find, dict(versions), chance
        self._until = until

    def add(self, plan: Plan) -> None:
        """Add a conversation with all that belongs to it."""
        row = ConversationRow(
            id=plan.id, channel=plan.channel, customer=plan.customer, created=plan.begins,
            updated=plan.begins, language=plan.lang, is_demo=True,
        )  # fmt: skip
        self._session.add(row)
        self._session.flush()
        talk = _Talk(self, row, plan)
        for text, key in zip(plan.said, keys_of(plan), strict=True):
            if plan.way == "open":
                talk.say("user", text, state="interrupted")
                continue
            talk.answer(text, self._answers[key])
        row.updated = talk.now
        row.rating = talk.rating()
        self._session.flush()


class _Talk:
    """One conversation while it is written."""

    def __init__(self, rows: Rows, row: ConversationRow, plan: Plan) -> None:
        self._rows, self._row, self._plan = rows, row, plan
        self._chance, self._session = rows._chance, rows._session
        self.now, self._number = plan.begins, 0
        self._wanted: list[str] = []
        self._tried: list[dict[str, Any]] = []

    def say(self, role: str, text: str, state: str = "said", author: str = "") -> MessageRow:
        """Add a message at its time."""
        self._number += 1
        said = MessageRow(
            conversation_id=self._row.id, number=self._number, role=role, author=author,
            text=mask(text), created=self.now, state=state, action="",
        )  # fmt: skip
        self._session.add(said)
        self._session.flush()
        return said

    def answer(self, text: str, reply: Reply) -> None:
        """Add a customer's message and its reply, and call a person where the reply does."""
        asked = self.say("user", text, state="answered")
        self._wanted.append(asked.text)
        self.now += timedelta(seconds=0.4 + self._chance.random())
        said = self.say("assistant", reply.text)
        reply = dataclasses.replace(reply, asked=asked.number)
        data = reply.to_dict()
        del data["text"], data["number"]
        said.reply, said.versions, said.answers = data, self._rows._versions, asked.id
        said.action = str(reply.action)
        self._session.flush()
        keep_quotes(self._session, said.id, reply, self._rows._find)
        self._tried.append(
            {"action": str(reply.action), "articles": [s.title for s in reply.sources]}
        )
        self._judge(said, reply)
        self.now += timedelta(seconds=self._chance.randrange(15, 150))
        if reply.action is Action.HANDOFF:
            self._hand_over(reply)

    def rating(self) -> int | None:
        """Return what the customer gives at the end, from 1 to 5; None for nothing."""
        if self._chance.random() > RATED:
            return None
        good = {"unhappy": (1, 2, 3), "unanswered": (2, 3, 4)}.get(self._plan.way, (3, 4, 5, 5))
        return self._chance.choice(good)

    def _judge(self, said: MessageRow, reply: Reply) -> None:
        """Add a thumb: the likelier the answer, the likelier it points up."""
        unhappy = self._plan.way == "unhappy"
        if reply.action is not Action.ANSWER or self._chance.random() > JUDGED:
            return
        likely = max((one.answers for one in reply.nearest), default=0.8)
        # Most answers of a low probability are right, too, where the customer is content.
        is_right = self._chance.random() < (likely * 0.4 if unhappy else 0.3 + 0.7 * likely)
        wrong = self._rows._messages[self._plan.lang].more["wrong"]
        reason = "" if is_right else self._chance.choice(wrong)
        self._session.add(
            FeedbackRow(
                message_id=said.id, thumb=1 if is_right else -1, reason=reason, correction="",
                created=self.now,
            )
        )  # fmt: skip

    def _hand_over(self, reply: Reply) -> None:
        row = HandoffRow(
            conversation_id=self._row.id, state="waiting", reason=reply.reason,
            urgent=reply.urgent, summary=self._summary(reply), created=self.now, agent="",
        )  # fmt: skip
        self._session.add(row)
        is_late = self._rows._until - self.now < WAITING
        if is_late and self._chance.random() < STILL:
            return
        self.now += timedelta(minutes=self._chance.expovariate(1 / 6) + 0.5)
        row.state, row.agent, row.taken = "closed", self._chance.choice(AGENTS), self.now
        self._speak(row)
        if self._chance.random() < 0.25:  # noqa: PLR2004  # the rest is closed
            row.state = "returned"
        else:
            row.outcome = self._chance.choices(OUTCOMES, (70, 12, 14, 4))[0]
        row.ended = self.now

    def _speak(self, row: HandoffRow) -> None:
        """Add what a person and the customer say to each other."""
        more = self._rows._messages[self._plan.lang].more
        if self._chance.random() < 0.3:  # noqa: PLR2004  # some write a note
            self.say("note", self._chance.choice(more["note"]), author=row.agent)
        for text in self._chance.sample(list(more["agent"]), 2):
            self.say("person", text, author=row.agent)
            self.now += timedelta(seconds=self._chance.randrange(40, 240))
        self.say("user", self._chance.choice(more["after_person"]))
        self.now += timedelta(seconds=self._chance.randrange(20, 90))

    def _summary(self, reply: Reply) -> dict[str, Any]:
        return {
            "wanted": list(self._wanted),
            "tried": list(self._tried),
            "intent": reply.intent,
            "sentiment": reply.sentiment,
            "language": reply.language,
        }
