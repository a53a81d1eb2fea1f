"""Decides what the reply does. In the table of routes, the first rule that applies wins."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.evidence.ranked_sentences import RankedSentences
from assistant.intents.classifier import Prediction
from assistant.messages import Action
from assistant.policy import Policy
from knowledge.documents import Hit

# After this many replies in a row that did not help, a person takes over.
FAILURES_BEFORE_HANDOFF = 2
# The most choices of a clarifying question; the first ones are the articles most likely to answer.
MAX_CHOICES, MOST_LIKELY = 4, 2
# Intents with these actions decide without a look at any article.
_ALONE = (Action.SMALL_TALK, Action.REFUSE, Action.HANDOFF)


@dataclass(frozen=True, slots=True)
class Route:
    """An action and its reason, which is also the name of its saying."""

    action: Action
    reason: str
    choices: tuple[str, ...] = ()


class Router:
    """Chooses the route of a message."""

    def __init__(self, policy: Policy) -> None:
        """Take the policy, which sets the thresholds."""
        self._policy = policy

    def is_settled(self, prediction: Prediction) -> bool:
        """Return whether the intent alone decides: small talk, an insult, a wish for a person."""
        return prediction.action in _ALONE and self._policy.is_sure(prediction)

    def is_expected(self, prediction: Prediction, hits: Sequence[Hit]) -> bool:
        """Return whether the best hit is the article of an intent that is sure."""
        is_own = bool(hits) and hits[0].passage.article == prediction.article
        return is_own and self._policy.is_sure(prediction)

    def before_reading(
        self, prediction: Prediction, hits: Sequence[Hit], *, injection: bool, failures: int
    ) -> Route | None:
        """Return the route of a message that needs no reading; None if passages must be read.

        Args:
            prediction: What the classifier says.
            hits: What retrieval found, best first, without a floor.
            injection: Whether the message tries to give the assistant orders.
            failures: How many of the last replies in a row did not help.
        """
        if injection:
            return Route(Action.REFUSE, "injection")
        if prediction.language == "other":
            return Route(Action.DECLINE, "other_language")
        if self.is_settled(prediction):
            return Route(prediction.action, prediction.intent)
        if self._policy.is_strange(prediction, hits):
            return self.unanswered("out_of_scope", failures)
        return None

    def after_reading(
        self,
        prediction: Prediction,
        hits: Sequence[Hit],
        ranked: RankedSentences,
        *,
        failures: int,
        says_little: bool = False,
    ) -> Route:
        """Return the route of a message that ``before_reading`` left open.

        Args:
            prediction: What the classifier says.
            hits: What retrieval found, best first.
            ranked: The hits' sentences.
            failures: How many of the last replies in a row did not help.
            says_little: Whether the message is a word or two: only a sure intent answers it.
        """
        if not hits:
            return self.unanswered("not_found", failures)
        expected = self.is_expected(prediction, hits)
        action = self._policy.decide(ranked, expected=expected)
        if action is Action.DECLINE:
            return self.unanswered("not_found", failures)
        if action is Action.CLARIFY or (says_little and not expected):
            return Route(Action.CLARIFY, "clarify", _choices(hits, ranked))
        return Route(action, "answer")

    def after_pick(self, ranked: RankedSentences, failures: int) -> Route:
        """Return the route of a question whose article the customer has picked.

        Args:
            ranked: The article's sentences; empty if the customer picked "none of these".
            failures: How many of the last replies in a row did not help.
        """
        if not ranked.sentences:
            return self.unanswered("not_found", failures)
        return Route(Action.ANSWER, "answer" if self._policy.is_certain(ranked) else "nearest")

    def unanswered(self, reason: str, failures: int) -> Route:
        """Return a decline, or a handoff after several replies that did not help."""
        if failures >= FAILURES_BEFORE_HANDOFF:
            return Route(Action.HANDOFF, "repeated_failure")
        return Route(Action.DECLINE, reason)


def _choices(hits: Sequence[Hit], ranked: RankedSentences) -> tuple[str, ...]:
    """Return titles: first of the articles most likely to answer, then of the best hits."""
    titles = {hit.passage.article: hit.passage.title for hit in reversed(hits)}
    likely = [titles[article] for article in list(ranked.articles)[:MOST_LIKELY]]
    return tuple(dict.fromkeys([*likely, *(hit.passage.title for hit in hits)]))[:MAX_CHOICES]
