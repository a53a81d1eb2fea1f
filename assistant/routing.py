"""Decides what the reply does; the one table of routes and thresholds."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.config import USUAL_CAUTION
from assistant.evidence.ranked_sentences import RankedSentences
from assistant.intents.classifier import Prediction
from assistant.messages import Action
from knowledge.documents import Hit


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities in [0, 1], read off ``tuning.calibrate`` and ``tuning.evidence_model``.

    ``clear_any`` is worth nearly most on the development companies, in both languages, if a wrong
    answer costs three times what a right one gains. ``strange`` refuses one in a hundred answerable
    development questions more than the floor does, and catches eight in a hundred of CLINC150's
    out-of-scope ones that pass it.
    """

    floor: float  # a hit below it is never shown: at most 2 % of right answers lie there
    clear: float  # a hit below it is wrong more often than not: ask back rather than answer
    floor_any: float  # the same two where retrieval was not fitted on the company's own questions:
    clear_any: float  # that any sentence answers, and that those of the likeliest article do
    doubtful: float  # where it was, a hit is asked about below this, however sure it is
    certain: float  # what the customer has picked is said without a word of doubt
    sure: float  # an intent above it decides alone
    strange: float  # an out-of-scope score above it declines what no sure hit answers …
    strange_any: float  # … of such a company, whose intents are the general ones

    def with_caution(self, caution: float) -> "Thresholds":
        """Return what answering needs where a wrong answer costs so much, in right ones.

        Whoever maximises what answers are worth answers from the probability on whose odds are that
        cost (Chow 1970, doi 10.1109/TIT.1970.1054406), so that the odds grow in proportion.
        """
        times = caution / USUAL_CAUTION
        raised = {name: _with_odds(getattr(self, name), times) for name in _OF_ANSWERS}
        return dataclasses.replace(self, **raised)


_OF_ANSWERS = ("clear", "clear_any", "doubtful", "certain")


THRESHOLDS = {
    "en": Thresholds(
        floor=0.25,
        clear=0.5,
        floor_any=0.4,
        clear_any=0.7,
        doubtful=0.33,
        certain=0.9,
        sure=0.6,
        strange=0.5,
        strange_any=0.25,
    ),
    "zh": Thresholds(
        floor=0.3,
        clear=0.55,
        floor_any=0.45,
        clear_any=0.7,
        doubtful=0.33,
        certain=0.9,
        sure=0.6,
        strange=0.5,
        strange_any=0.25,
    ),
}
# After so many replies in a row that did not help, a person should take over.
FAILURES_BEFORE_HANDOFF = 2
# What a question back offers; the first ones are the articles that answer likeliest.
MAX_CHOICES, LIKELIEST = 4, 2


@dataclass(frozen=True, slots=True)
class Route:
    """The action with the name of its reason, which is the name of its saying too."""

    action: Action
    reason: str
    choices: tuple[str, ...] = ()


class Router:
    """One message's findings in, one route out; the first rule that fits wins."""

    def __init__(self, caution: float = USUAL_CAUTION) -> None:
        """Take what a wrong answer costs, in right ones; above zero."""
        self._thresholds = {lang: at.with_caution(caution) for lang, at in THRESHOLDS.items()}

    def is_settled(self, prediction: Prediction) -> bool:
        """Tell whether the intent alone decides: small talk, an insult, a wish for a person."""
        alone = (Action.SMALL_TALK, Action.REFUSE, Action.HANDOFF)
        return prediction.action in alone and self.is_sure(prediction)

    def is_sure(self, prediction: Prediction) -> bool:
        """Tell whether the intent's score is above its threshold."""
        return prediction.score >= self._of(prediction.language).sure

    def is_clear(self, ranking: RankedSentences, lang: str) -> bool:
        """Tell whether what was read answers surely enough to be said unasked."""
        return ranking.sure >= self._of(lang).clear_any

    def before_reading(
        self,
        prediction: Prediction,
        hits: Sequence[Hit],
        *,
        injection: bool,
        failures: int,
        own: bool,
    ) -> Route | None:
        """Return the route of a message that is decided without a look at the hits' sentences.

        Args:
            prediction: What the classifier says.
            hits: What retrieval found, best first, without a floor.
            injection: Whether the message tries to give orders.
            failures: How many replies just before this one did not help.
            own: Whether the hits' scores were fitted on this company's questions.
        """
        at = self._of(prediction.language)
        if injection:
            return Route(Action.REFUSE, "injection")
        if prediction.language == "other":
            return Route(Action.DECLINE, "other_language")
        if self.is_settled(prediction):
            return Route(prediction.action, prediction.intent)
        hit = hits[0].score if hits else 0.0
        if prediction.out_of_scope >= (at.strange if own else at.strange_any) and hit < at.sure:
            return self.unanswered("out_of_scope", failures)
        return None

    def after_reading(
        self,
        prediction: Prediction,
        hits: Sequence[Hit],
        ranking: RankedSentences,
        *,
        failures: int,
        own: bool,
    ) -> Route:
        """Return the route of a message that ``before_reading`` leaves open.

        Where the hits' scores were fitted on the company's own questions they decide; where what
        was read disagrees with them, the customer is asked. ``ranking`` holds the hits' sentences;
        the other arguments are those of ``before_reading``.
        """
        at, clear = self._of(prediction.language), self.is_clear(ranking, prediction.language)
        low = ranking.answerable < at.floor_any
        if own and hits:
            hit = hits[0].score
            low, clear = hit < at.floor and not clear, hit >= at.clear
        if low or not hits:
            return self.unanswered("not_found", failures)
        expected = self.is_sure(prediction) and hits[0].passage.article == prediction.article
        if ranking.answerable < at.doubtful or not (clear or expected):
            return Route(Action.CLARIFY, "clarify", _choices(hits, ranking))
        return Route(Action.ANSWER, "answer")

    def after_pick(self, ranking: RankedSentences, lang: str, failures: int) -> Route:
        """Return the route of a question whose article the customer has picked.

        Args:
            ranking: The article's sentences; none where none of the choices was picked.
            lang: The language of the question.
            failures: How many replies just before this one did not help.
        """
        if not ranking.sentences:
            return self.unanswered("not_found", failures)
        certain = ranking.sure >= self._of(lang).certain
        return Route(Action.ANSWER, "answer" if certain else "nearest")

    def unanswered(self, reason: str, failures: int) -> Route:
        """Return the route of what nothing answers: a decline, or a person after several."""
        if failures >= FAILURES_BEFORE_HANDOFF:
            return Route(Action.HANDOFF, "repeated_failure")
        return Route(Action.DECLINE, reason)

    def _of(self, lang: str) -> Thresholds:
        return self._thresholds.get(lang, self._thresholds["en"])


def _with_odds(probability: float, times: float) -> float:
    odds = times * probability / (1 - probability)
    return odds / (1 + odds)


def _choices(hits: Sequence[Hit], ranking: RankedSentences) -> tuple[str, ...]:
    """Return titles: of the articles that answer likeliest, then of those that were found first."""
    titles = {hit.passage.article: hit.passage.title for hit in reversed(hits)}
    likeliest = [titles[article] for article in list(ranking.articles)[:LIKELIEST]]
    return tuple(dict.fromkeys([*likeliest, *(hit.passage.title for hit in hits)]))[:MAX_CHOICES]
