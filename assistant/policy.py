"""How sure an answer must be: one policy for each of two kinds of company.

What reading and retrieval say together decides: how likely the best sentence answers, and how
likely any does. ``FittedPolicy`` is for a company whose hits have probabilities fitted on its own
questions, ``GeneralPolicy`` for any other. Thresholds are probabilities in [0, 1], chosen on what
``tuning.calibrate`` reports and on what ``tuning.evidence_weights --save`` keeps.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from assistant.config import USUAL_CAUTION
from assistant.evidence.ranked_sentences import RankedSentences
from assistant.intents.classifier import Prediction
from assistant.messages import Action, Weighed
from knowledge.documents import Hit


class Likelihoods(Protocol):
    """What is decided by: ranked sentences, or what a reply keeps of them."""

    @property
    def best(self) -> float | None:
        """The probability that what would be quoted answers; None if nothing was read."""

    @property
    def answerable(self) -> float:
        """The probability that any sentence answers."""

    @property
    def best_article(self) -> float:
        """The probability that the likeliest article answers."""


class Policy:
    """Decides whether to answer, to ask back or to decline."""

    # Above it, an intent decides alone and a hit overrules an out-of-scope score.
    sure: ClassVar[float] = 0.6
    # From here on, a message tells of distress, coercion, a threat or a fraud in progress; and from
    # here on, it wants help with a wrong. To miss a crisis is worse than to call a person in vain.
    crisis: ClassVar[float] = 0.4
    harm: ClassVar[float] = 0.6
    # From here on, harm is refused unread; below, only where no article answers: many ordinary
    # questions look like it, and what the help centre says to everybody helps nobody to do wrong.
    surely_harm: ClassVar[float] = 0.85
    # From here on, an insult is nothing but one; a first message wants a person; no company can
    # answer; and the customer is angry about something that can be helped.
    insult: ClassVar[float] = 0.6
    wish: ClassVar[float] = 0.1
    outside: ClassVar[float]
    # From here on, each of the last two decides alone: also of a later message, of small talk, and
    # however well a hit fits if no intent with an article is sure.
    surely_wished: ClassVar[float] = 0.6
    surely_outside: ClassVar[float]
    angry: ClassVar[float] = 0.5
    # From here on, thanks or a wish for a person in a conversation decide alone; and the same where
    # no article answers.
    surely_aside: ClassVar[float] = 0.8
    likely_aside: ClassVar[float] = 0.4
    # From here on, the customer says that the last reply missed.
    pushback: ClassVar[float] = 0.5
    # From here on, a picked article is quoted without an expression of doubt.
    certain: ClassVar[float] = 0.9
    # From here on, what is quoted answers without a clarifying question; of a later message.
    clear_sentence: ClassVar[float] = 0.45
    clear_later: ClassVar[float] = 0.5
    # Below it, probably no sentence answers: the message is declined.
    floor: ClassVar[float] = 0.7
    # The same of the most likely article, where no network reads sentences; and from here on, it is
    # quoted to a customer who waits for a person.
    clear_article: ClassVar[float] = 0.5
    floor_article: ClassVar[float]
    # Above it, an out-of-scope score leads to a decline unless a hit is sure. One message in seven
    # that the bank's articles answer scores above 0.5.
    strange: ClassVar[float]
    # Passages of other articles are read from this share of the best hit's score on.
    least_share: ClassVar[float]
    # The same where the best hit is the article of a sure intent.
    least_share_expected: ClassVar[float] = 0.8
    # Below it, no sentence answers: the customer is asked, however clear all else is.
    doubtful: ClassVar[float] = 0.5
    # From here on, the likeliest article is named where none answers.
    near: ClassVar[float] = 0.2
    # From here on, only the customer's own account can tell.
    account: ClassVar[float] = 0.7
    # From here on, a question asks for yes or no; and, by language, the first word is given.
    polar: ClassVar[float] = 0.5
    sure_verdict: ClassVar[Mapping[str, float]] = {"en": 0.9, "zh": 0.9}
    # Whether the intent's probability for each article counts in retrieval.
    weighs_intents: ClassVar[bool]

    def __init__(self, caution: float = USUAL_CAUTION) -> None:
        """Take the cost of a wrong answer, in right ones; above zero.

        Answering pays if the odds of being right exceed the cost (Chow 1970, doi
        10.1109/TIT.1970.1054406), so the odds of each threshold grow in proportion to it.
        """
        self.weigh(caution)

    def weigh(self, caution: float) -> None:
        """Take another cost of a wrong answer, for the turns that come."""
        self._times = caution / USUAL_CAUTION

    def is_sure(self, prediction: Prediction) -> bool:
        """Return whether the intent decides alone."""
        return prediction.score >= self.sure

    def read_share(self, is_expected: bool) -> float:  # one obvious argument
        """Return from which share of the best hit's score other articles are read.

        Args:
            is_expected: Whether the best hit is the article of a sure intent.
        """
        return self.least_share_expected if is_expected else self.least_share

    def is_strange(
        self, prediction: Prediction, hits: Sequence[Hit], risks: Mapping[str, float]
    ) -> bool:
        """Return whether the message is out of scope and no sure hit contradicts that."""
        is_odd = prediction.out_of_scope >= self.strange or self.is_outside(risks)
        return is_odd and _best(hits) < self.sure

    def is_outside(self, risks: Mapping[str, float]) -> bool:
        """Return whether the message itself says that no company can answer."""
        return risks["outside"] >= self.outside

    def is_surely_outside(self, risks: Mapping[str, float]) -> bool:
        """Return whether no company can answer, whatever its articles say."""
        return risks["outside"] >= self.surely_outside

    def is_pushback(self, kinds: Mapping[str, float]) -> bool:
        """Return whether a later message says that the last reply missed."""
        return kinds["pushback"] >= self.pushback

    def is_angry(self, risks: Mapping[str, float]) -> bool:
        """Return whether the customer is angry about something."""
        return risks["complaint"] >= self.angry

    def asks_yes_or_no(self, shapes: Mapping[str, float]) -> bool:
        """Return whether an answer may begin with yes or no."""
        return shapes["yes_no"] >= self.polar

    def verdict(self, verdicts: Mapping[str, float], lang: str) -> str:
        """Return "yes", "no" or "depends" where it is sure, else ""."""
        known = {name: likely for name, likely in verdicts.items() if name != "open"}
        likeliest = max(known, key=known.__getitem__)
        return likeliest if known[likeliest] >= self.sure_verdict[lang] else ""

    def is_clear(self, ranked: Likelihoods, *, later: bool = False) -> bool:
        """Return whether what is quoted answers without a clarifying question.

        Args:
            ranked: The hits' sentences.
            later: Whether the message is a later one.
        """
        if ranked.best is None:
            return self.is_about(ranked)
        return ranked.best >= self._raised(self.clear_later if later else self.clear_sentence)

    def is_about(self, ranked: Likelihoods) -> bool:
        """Return whether the most likely article is worth reading until a person comes."""
        return ranked.best_article >= self._raised(self.clear_article)

    def is_near(self, ranked: RankedSentences) -> bool:
        """Return whether the most likely article is worth naming, though it does not answer."""
        return ranked.best_article >= self.near

    def is_doubtful(self, ranked: Likelihoods) -> bool:
        """Return whether probably no sentence answers, however clear all else is."""
        return ranked.answerable < self._raised(self.doubtful)

    def is_certain(self, ranked: RankedSentences) -> bool:
        """Return whether a picked article answers beyond doubt."""
        return ranked.best_article >= self._raised(self.certain)

    def would_answer(self, weighed: Weighed) -> bool:
        """Return whether a message is answered of which these values decide that."""
        is_wanted = weighed.expected or self.is_clear(weighed, later=weighed.later)
        return is_wanted and not self.is_doubtful(weighed)

    def decide(self, ranked: RankedSentences, *, expected: bool, later: bool = False) -> Action:
        """Return ``ANSWER``, ``CLARIFY`` or ``DECLINE``.

        Args:
            ranked: The hits' sentences.
            expected: Whether the best hit is the article of an intent that is sure.
            later: Whether the message is a later one.
        """
        if expected or self.is_clear(ranked, later=later):
            return Action.CLARIFY if self.is_doubtful(ranked) else Action.ANSWER
        floor = self.floor_article if ranked.best is None else self.floor
        return Action.DECLINE if ranked.answerable < floor else Action.CLARIFY

    def _raised(self, threshold: float) -> float:
        odds = self._times * threshold / (1 - threshold)
        return odds / (1 + odds)


class FittedPolicy(Policy):
    """For a company whose hits' scores were fitted on its own questions."""

    strange = 0.7
    outside, surely_outside = 0.2, 0.6
    # Hits far below the best one cost right answers.
    least_share = 0.2
    # Without it no answer of Lantern Bank's question sets changes.
    weighs_intents = False
    floor_article = 0.2


class GeneralPolicy(Policy):
    """For any other company."""

    # Most of these companies have the general intents only.
    strange = 0.5
    # How to wash a down jacket is outside for a bank and not for a laundry: what no company can
    # answer is known only where a company's own intents say what it does.
    outside, surely_outside = 0.8, 0.99
    least_share = 0.0
    # Without it Lantern Bank, treated as any other company, loses 3 points of its right answers.
    weighs_intents = True
    floor_article = 0.55


def _best(hits: Sequence[Hit]) -> float:
    return hits[0].score if hits else 0.0
