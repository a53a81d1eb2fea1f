"""Decides what the reply does: applies the table of ``rules.py``, top to bottom."""

from collections.abc import Mapping, Sequence

from assistant.evidence.ranked_sentences import RankedSentences
from assistant.intents.classifier import Prediction
from assistant.intents.risks import ORDINARY
from assistant.messages import Action
from assistant.policy import Policy
from assistant.routing.route import (
    ACCOUNT,
    ACCOUNT_UNREAD,
    COMPLAINT,
    CRISIS_REASONS,
    PERSON,
    SORRY,
    Route,
)
from knowledge.documents import Hit

# After this many replies in a row that did not help, a person takes over.
FAILURES_BEFORE_HANDOFF = 2
# The fewest and the most choices of a clarifying question. An article is one of them from this part
# of the likeliest one's probability on.
MIN_CHOICES, MAX_CHOICES, NEAR_CHOICE = 2, 4, 0.1
# Intents with these actions decide without a look at any article.
_ALONE = (Action.SMALL_TALK, Action.REFUSE, Action.HANDOFF)
# Kinds of later messages that ask for no article, with what they get and by which rule.
ASIDES = (
    ("person", Action.HANDOFF, PERSON, "person"),
    ("closing", Action.SMALL_TALK, "thanks", "aside"),
)


class Router:
    """Chooses the route of a message."""

    def __init__(self, policy: Policy) -> None:
        """Take the policy, which sets the thresholds."""
        self._policy = policy

    def of_risk(self, risks: Mapping[str, float]) -> Route | None:
        """Return the route of a message that is no question to a company; None for any other.

        Decided before anything else, orders to the assistant among it: a cry for help may hold one.

        Args:
            risks: The probability of each of ``RISKS``.
        """
        crises = {risk: risks[risk] for risk in CRISIS_REASONS}
        if sum(crises.values()) >= self._policy.crisis:
            kind = max(crises, key=crises.__getitem__)
            return Route(Action.HANDOFF, CRISIS_REASONS[kind], "crisis", urgent=True)
        if risks["harm"] >= self._policy.harm:
            return Route(Action.REFUSE, "harm", "harm")
        if risks["insult"] >= max(self._policy.insult, risks["person"]):
            return Route(Action.SMALL_TALK, "abuse", "insult")
        return None

    def is_doubtful(self, route: Route, risks: Mapping[str, float]) -> bool:
        """Return whether a route of ``of_risk`` holds only where no article answers."""
        return route.action is Action.REFUSE and risks["harm"] < self._policy.surely_harm

    def is_settled(self, prediction: Prediction) -> bool:
        """Return whether the intent alone decides: small talk, an insult, a wish for a person."""
        return prediction.action in _ALONE and self._policy.is_sure(prediction)

    def is_expected(self, prediction: Prediction, hits: Sequence[Hit]) -> bool:
        """Return whether the best hit is the article of an intent that is sure."""
        is_own = bool(hits) and hits[0].passage.article == prediction.article
        return is_own and self._policy.is_sure(prediction)

    def before_reading(
        self,
        prediction: Prediction,
        hits: Sequence[Hit],
        *,
        injection: bool,
        failures: int,
        kinds: Mapping[str, float] | None = None,
        risks: Mapping[str, float] = ORDINARY,
    ) -> Route | None:
        """Return the route of a message that needs no reading; None if passages must be read.

        In a conversation, neither intent nor out-of-scope score alone ends a message that an
        article may answer.

        Args:
            prediction: What the classifier says.
            hits: What retrieval found, best first, without a floor.
            injection: Whether the message tries to give the assistant orders.
            failures: How many of the last replies in a row did not help.
            kinds: The probability of each kind of a later message; None for a first one.
            risks: The probability of each of ``RISKS``.
        """
        if injection:
            return Route(Action.REFUSE, "injection", "order")
        if prediction.language == "other":
            return Route(Action.DECLINE, "other_language", "language")
        if risks["person"] >= self._policy.surely_wished:
            return Route(Action.HANDOFF, PERSON, "person")
        if kinds is None:
            route = self._settled(prediction, risks)
        else:
            route = self.aside(prediction, kinds, self._policy.surely_aside)
        if route:
            return route
        is_strange = kinds is None and self._policy.is_strange(prediction, hits, risks)
        # What the company's own intents know is not foreign.
        is_known = bool(prediction.article) and self._policy.is_sure(prediction)
        if is_strange or (self._policy.is_surely_outside(risks) and not is_known):
            return unanswered("out_of_scope", "outside", failures)
        return None

    def _settled(self, prediction: Prediction, risks: Mapping[str, float]) -> Route | None:
        """Return the route of a first message that wants no article; None for any other."""
        settled = self.is_settled(prediction)
        # "Are you a person?" is no wish for one.
        is_chat = settled and prediction.action is Action.SMALL_TALK
        if risks["person"] >= self._policy.wish and not is_chat:
            return Route(Action.HANDOFF, PERSON, "person")
        # An article may help with what a complaint is about.
        is_helped = self._policy.is_angry(risks) and prediction.intent == COMPLAINT
        if settled and not is_helped:
            return Route(prediction.action, prediction.intent, "intent")
        return None

    def after_reading(
        self,
        prediction: Prediction,
        hits: Sequence[Hit],
        ranked: RankedSentences,
        *,
        failures: int,
        says_little: bool = False,
        expected: bool = False,
        kinds: Mapping[str, float] | None = None,
        asked_back: bool = False,
        risks: Mapping[str, float] = ORDINARY,
        said_sorry: bool = False,
        account: float = 0.0,
    ) -> Route:
        """Return the route of a message that ``before_reading`` left open.

        Args:
            prediction: What the classifier says.
            hits: What retrieval found, best first.
            ranked: The hits' sentences.
            failures: How many of the last replies in a row did not help.
            says_little: Whether the message is a word or two: only a sure intent answers it.
            expected: Whether the best hit is the article of an intent that is sure.
            kinds: The probability of each kind of a later message; None for a first one.
            asked_back: Whether the last reply was a clarifying question: one in a row is enough.
            risks: The probability of each of ``RISKS``.
            said_sorry: Whether anger was acknowledged before in this conversation.
            account: The probability that only the customer's own account can tell.
        """
        angry = self._policy.is_angry(risks)
        later = kinds is not None
        action = Action.DECLINE
        if hits:
            action = self._policy.decide(ranked, expected=expected, later=later)
        in_vain = later and self._policy.is_doubtful(ranked)
        if in_vain or (action is Action.CLARIFY and self._policy.is_outside(risks)):
            # In a conversation, asking back is a last resort; out of scope, it leads nowhere.
            action = Action.DECLINE
        instead = None if action is Action.ANSWER else self._instead(prediction, kinds, angry=angry)
        if instead:
            return instead
        if account >= self._policy.account:
            return self._of_account(action, ranked)
        if action is Action.DECLINE or (action is Action.CLARIFY and asked_back):
            is_strange = later and self._policy.is_strange(prediction, hits, risks)
            if action is Action.DECLINE and (is_strange or self._policy.is_outside(risks)):
                return unanswered("out_of_scope", "outside", failures)
            return unanswered("not_found", "unread", failures, self._near(ranked))
        if action is Action.CLARIFY or (says_little and not expected):
            return Route(Action.CLARIFY, "clarify", "unclear", _choices(hits, ranked))
        return Route(action, SORRY[said_sorry] if angry else "answer", "clear")

    def _of_account(self, action: Action, ranked: RankedSentences) -> Route:
        """Return the route of a message of which only the customer's account can tell."""
        if action is Action.ANSWER:
            return Route(action, ACCOUNT, "account")
        return Route(Action.DECLINE, ACCOUNT_UNREAD, "account", near=self._near(ranked))

    def _instead(
        self, prediction: Prediction, kinds: Mapping[str, float] | None, *, angry: bool
    ) -> Route | None:
        """Return the route of a message that no article answers, if it wants something else."""
        if kinds is not None:
            if aside := self.aside(prediction, kinds, self._policy.likely_aside):
                return aside
            if self._policy.is_pushback(kinds):
                return Route(Action.HANDOFF, "repeated_failure", "pushback")
        if angry and self.is_settled(prediction):
            return Route(prediction.action, prediction.intent, "intent")
        return None

    def aside(
        self, prediction: Prediction, kinds: Mapping[str, float], least: float
    ) -> Route | None:
        """Return the route of a later message that is no question; None for any other.

        Args:
            prediction: What the classifier says of the message alone.
            kinds: The probability of each kind of message.
            least: The least probability of such a kind.
        """
        for kind, action, reason, rule in ASIDES:
            if kinds[kind] >= least:
                named = prediction.action is action and self._policy.is_sure(prediction)
                return Route(action, prediction.intent if named else reason, rule)
        settled = self.is_settled(prediction) and kinds["asks"] < least
        return Route(prediction.action, prediction.intent, "intent") if settled else None

    def after_pick(self, ranked: RankedSentences, failures: int) -> Route:
        """Return the route of a question whose article the customer has picked.

        Args:
            ranked: The article's sentences; empty if the customer picked "none of these".
            failures: How many of the last replies in a row did not help.
        """
        if not ranked.sentences:
            return unanswered("not_found", "pick", failures)
        reason = "answer" if self._policy.is_certain(ranked) else "nearest"
        return Route(Action.ANSWER, reason, "pick")

    def _near(self, ranked: RankedSentences) -> str:
        if not self._policy.is_near(ranked):
            return ""
        likeliest = next(iter(ranked.articles))
        passages = (evidence.passage for evidence in ranked.sentences)
        return next(passage.title for passage in passages if passage.article == likeliest)


def unanswered(reason: str, rule: str, failures: int, near: str = "") -> Route:
    """Return a decline, in other words the second time, and then a handoff.

    Args:
        reason: "not_found" or "out_of_scope".
        rule: The rule that decided.
        failures: How many of the last replies in a row did not help.
        near: The title of the nearest article; "" for none.
    """
    if failures >= FAILURES_BEFORE_HANDOFF:
        return Route(Action.HANDOFF, "repeated_failure", rule)
    return Route(Action.DECLINE, f"{reason}_again" if failures else reason, rule, near=near)


def _choices(hits: Sequence[Hit], ranked: RankedSentences) -> tuple[str, ...]:
    """Return titles of the articles that may answer, the most likely first."""
    titles = {hit.passage.article: hit.passage.title for hit in reversed(hits)}
    shares = ranked.articles
    least = NEAR_CHOICE * max(shares.values(), default=0.0)
    near = dict.fromkeys(titles[name] for name, share in shares.items() if share >= least)
    # One choice is none; the best hits join it.
    filled = dict.fromkeys([*near, *(hit.passage.title for hit in hits)])
    return tuple(filled)[: min(max(len(near), MIN_CHOICES), MAX_CHOICES)]
