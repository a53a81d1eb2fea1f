"""Understands a message in its conversation, before anything is searched."""

import dataclasses
from collections.abc import Mapping, Sequence

from assistant.findings import Stopwatch, Understood
from assistant.intents.classifier import IntentClassifier
from assistant.intents.emoji import with_emoji_read
from assistant.intents.question_reader import QuestionReader, ReadQuestion, unread
from assistant.intents.risks import ORDINARY, RiskClassifier
from assistant.intents.turn_kinds import ASKS, TurnKinds
from assistant.message import safety
from assistant.message.context import Asked, EarlierTurn, turns_before
from assistant.message.courtesies import without_courtesies
from assistant.messages import Message
from assistant.routing import CRISIS_REASONS
from knowledge.models.embedder import Embedder, Vectors


class Listener:
    """Tells what a message wants, with what risk, and what it asks."""

    def __init__(
        self,
        *,
        embedder: Embedder,
        intents: IntentClassifier,
        risks: RiskClassifier | None = None,
        kinds: TurnKinds | None = None,
        questions: QuestionReader | None = None,
    ) -> None:
        """Take ready parts.

        Args:
            embedder: The one that made the index.
            intents: Predicts what a message wants.
            risks: Predicts which messages tell of distress, harm or anger; without it, none does.
            kinds: Predicts what a later message does; without it, each one asks.
            questions: Tells what a message asks; without it, each asks one thing.
        """
        self.embedder = embedder
        self.intents = intents
        self._risks = risks
        self._kinds = kinds
        self._questions = questions

    def understand(
        self, asked: Asked, failures: int, max_characters: int, clock: Stopwatch
    ) -> Understood:
        """Return what is known of a message.

        Args:
            asked: The message, with the conversation before it.
            failures: How many of the replies just before it did not help.
            max_characters: Its maximum length.
            clock: Measures the steps.

        Raises:
            InvalidMessageError: The message is empty, too long or unreadable.
        """
        text = safety.check(asked.question, max_characters)
        injection = safety.is_injection(text)
        clock.lap("safety")
        bared = _bared(text)
        # Who asks the same again hears the same: the message says all that is needed.
        earlier = [turn for turn in turns_before(asked.history) if turn.question != text]
        last = _readable(earlier[0]) if earlier else None
        is_emoji = safety.is_emoji_alone(bared)
        vectors = self._readings(bared, last)
        prediction = with_emoji_read(
            self.intents.predict(bared, vectors[bared]), bared, asked.history
        )
        message = Understood(
            text=text,
            bared=bared,
            asked=self._asked(bared),
            earlier=earlier,
            last=last,
            history=asked.history,
            picked=asked.picked,
            failures=failures,
            vectors=vectors,
            prediction=prediction,
            kinds=self._kinds_of(bared, vectors[bared]) if last and not is_emoji else None,
            risks=self._risks_of(text, asked.history),
            injection=injection,
        )
        clock.lap("intents")
        return message

    def part_of(
        self, message: Understood, question: str, last: EarlierTurn | None, name: str = ""
    ) -> Understood:
        """Return one question of a message.

        Args:
            message: The message.
            question: The question.
            last: The question before it, or the turn before the message.
            name: What the reply calls it; "" for its own words.
        """
        vectors = self._readings(question, last)
        return dataclasses.replace(
            message,
            text=name or question,
            bared=question,
            asked=self._asked(question),
            last=last,
            vectors=vectors,
            prediction=self.intents.predict(question, vectors[question]),
            kinds=ASKS if last else None,
        )

    def _asked(self, text: str) -> ReadQuestion:
        is_read = self._questions and not safety.is_emoji_alone(text)
        return self._questions.read(text) if self._questions and is_read else unread(text)

    def _risks_of(self, text: str, history: Sequence[Message]) -> Mapping[str, float]:
        if not self._risks or safety.is_emoji_alone(text):
            return ORDINARY
        before = (message.text for message in reversed(history) if message.role == "user")
        reasons = (message.reason for message in reversed(history) if message.role == "assistant")
        # A crisis was met; the question after it is read by itself.
        is_met = next(reasons, "") in CRISIS_REASONS.values()
        earlier = "" if is_met else next(before, "")
        said = [safety.without_personal_data(one) for one in (text, earlier)]
        return self._risks.predict(*said)

    def _kinds_of(self, text: str, vector: Vectors) -> Mapping[str, float]:
        return self._kinds.predict(text, vector) if self._kinds else ASKS

    def _readings(self, text: str, last: EarlierTurn | None) -> dict[str, Vectors]:
        """Return the message alone and, if there is a turn before it, after that one's question."""
        readings = [text, f"{last.question} {text}"] if last else [text]
        return dict(zip(readings, self.embedder.encode_queries(readings), strict=True))


def _bared(text: str) -> str:
    """Return a customer's message as it is searched and read."""
    return without_courtesies(safety.without_personal_data(text))


def _readable(turn: EarlierTurn) -> EarlierTurn:
    return dataclasses.replace(turn, question=_bared(turn.question))
