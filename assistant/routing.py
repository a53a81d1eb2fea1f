"""Decides what the reply does: one table of routes, of which the first that fits wins."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.evidence.ranked_sentences import RankedSentences
from assistant.intents.classifier import Prediction
from assistant.messages import Action
from assistant.policy import Policy
from knowledge.documents import Hit

# After so many replies in a row that did not help, a person should take over.
FAILURES_BEFORE_HANDOFF = 2
# The most choices of a clarifying question; the first ones are the articles most likely to answer.
MAX_CHOICES, MOST_LIKELY = 4, 2
# Intents with these actions decide without a look at any article.
_ALONE = (Action.SMALL_TALK, Action.REFUSE, Action.HANDOFF)


@dataclass(frozen=True, slots=True)
class Route:
    """The action with the name of its reason, which is the name of its saying too."""

    action: Action
    reason: str
    choices: tuple[str, ...] = ()


class Router:
    """Turns what was found out about one message into one route."""

    def __init__(self, policy: Policy) -> None:
        """Take the policy, which says how sure is sure enough."""
        self._policy = policy

    def is_settled(self, prediction: Prediction) -> bool:
        """Return whether the intent alone decides: small talk, an insult, a wish for a person."""
        return prediction.action in _ALONE and self._policy.is_sure(prediction)

    def before_reading(
        self, prediction: Prediction, hits: Sequence[Hit], *, injection: bool, failures: int
    ) -> Route | None:
        """Return the route of a message that needs no passage read; None where one must be read.

        Args:
            prediction: What the classifier says.
            hits: What retrieval found, best first, without a floor.
            injection: Whether the message tries to give the assistant orders.
            failures: How many replies just before this one did not help.
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
    ) -> Route:
        """Return the route of a message that ``before_reading`` leaves open.

        Args:
            prediction: What the classifier says.
            hits: What retrieval found, best first.
            ranked: The hits' sentences.
            failures: How many replies just before this one did not help.
        """
        if not hits:
            return self.unanswered("not_found", failures)
        is_own_article = hits[0].passage.article == prediction.article
        expected = self._policy.is_sure(prediction) and is_own_article
        action = self._policy.decide(hits, ranked, prediction.language, expected=expected)
        if action is Action.DECLINE:
            return self.unanswered("not_found", failures)
        if action is Action.CLARIFY:
            return Route(action, "clarify", _choices(hits, ranked))
        return Route(action, "answer")

    def after_pick(self, ranked: RankedSentences, failures: int) -> Route:
        """Return the route of a question whose article the customer has picked.

        Args:
            ranked: The article's sentences; none where the customer picked none of the choices.
            failures: How many replies just before this one did not help.
        """
        if not ranked.sentences:
            return self.unanswered("not_found", failures)
        return Route(Action.ANSWER, "answer" if self._policy.is_certain(ranked) else "nearest")

    def unanswered(self, reason: str, failures: int) -> Route:
        """Return the route of what nothing answers: a decline, or a person after several."""
        if failures >= FAILURES_BEFORE_HANDOFF:
            return Route(Action.HANDOFF, "repeated_failure")
        return Route(Action.DECLINE, reason)


def _choices(hits: Sequence[Hit], ranked: RankedSentences) -> tuple[str, ...]:
    """Return titles: of the articles most likely to answer, then of those that were found first."""
    titles = {hit.passage.article: hit.passage.title for hit in reversed(hits)}
    likely = [titles[article] for article in list(ranked.articles)[:MOST_LIKELY]]
    return tuple(dict.fromkeys([*likely, *(hit.passage.title for hit in hits)]))[:MAX_CHOICES]
