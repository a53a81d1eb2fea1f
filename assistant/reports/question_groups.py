"""Questions without an answer, grouped by meaning, with what was missing to answer them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assistant.articles.listing import counterpart
from assistant.messages import Action, Nearest
from assistant.reports.likeness import Likeness
from assistant.store.unanswered import Unanswered
from knowledge.documents import Article

Missing = Literal["article", "sentence", "two", "wrong"]
# How likely the search must be right about an article for it to count as found.
FOUND = 0.3
# How much likelier one of two articles must be for them not to be alike.
ALIKE = 0.2
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class QuestionGroup:
    """Questions that mean the same.

    Attributes:
        questions: They, the latest first.
        middle: The one that is most like all others.
        missing: What was missing: an article, a sentence in the article that was found, a reason to
            prefer one of two articles; or the answer was judged wrong.
        nearest: What came nearest; None where nothing did.
        second: The other article, where two are alike.
    """

    questions: tuple[Unanswered, ...]
    middle: Unanswered
    missing: Missing
    nearest: Nearest | None
    second: Nearest | None = None

    @property
    def name(self) -> str:
        """What it is called in an address: its first question's conversation and number."""
        return name_of(self.questions[-1])

    @property
    def first(self) -> datetime:
        """When it was asked first."""
        return min(question.created for question in self.questions)

    @property
    def last(self) -> datetime:
        """When it was asked last."""
        return max(question.created for question in self.questions)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that it was asked in."""
        return tuple(sorted({question.lang for question in self.questions if question.lang}))

    @property
    def texts(self) -> tuple[str, ...]:
        """Its different wordings, the most frequent first."""
        counted = Counter(question.question for question in self.questions)
        return tuple(text for text, _ in counted.most_common())


def name_of(question: Unanswered) -> str:
    """Return what a question is called in an address."""
    return f"{question.conversation}.{question.number}"


def question_groups(questions: Sequence[Unanswered], likeness: Likeness) -> list[QuestionGroup]:
    """Return questions grouped by meaning, the largest group first.

    Args:
        questions: The questions, the latest first, as ``unanswered`` returns them.
        likeness: Has read them; what it has not is grouped by its words.
    """
    groups = likeness.groups([question.question for question in questions])
    return [_group([questions[n] for n in sorted(of)], questions[of[0]]) for of in groups]


def group_with(groups: Sequence[QuestionGroup], name: str) -> QuestionGroup | None:
    """Return the group that a question is in, by ``name_of``; None if there is none."""
    return next((g for g in groups for q in g.questions if name_of(q) == name), None)


def languages_of(near: Nearest, articles: Sequence[Article]) -> tuple[list[str], list[str]]:
    """Return the languages that have an article, and those that do not."""
    found = [a for a in articles if (a.id, a.lang) == (near.article, near.lang)]
    have = {near.lang}
    if found and (other := counterpart(found[0], articles)):
        have.add(other.lang)
    return sorted(have), [lang for lang in LANGUAGES if lang not in have]


def _group(questions: Sequence[Unanswered], middle: Unanswered) -> QuestionGroup:
    missing, _ = Counter(_missing(question) for question in questions).most_common(1)[0]
    alike = [question for question in questions if _missing(question) == missing]
    best = max(alike, key=_nearness)
    nearest = sorted(best.nearest, key=lambda near: (near.answers, near.found), reverse=True)
    second = nearest[1] if missing == "two" else None
    return QuestionGroup(tuple(questions), middle, missing, nearest[0] if nearest else None, second)


def _nearness(question: Unanswered) -> float:
    return max((near.answers + near.found for near in question.nearest), default=0.0)


def _missing(question: Unanswered) -> Missing:
    if question.action not in (Action.DECLINE, Action.CLARIFY):
        return "wrong"
    found = sorted((near.found for near in question.nearest), reverse=True)
    if not found or found[0] < FOUND:
        return "article"
    are_two = len(found) > 1 and found[0] - found[1] < ALIKE and found[1] >= FOUND
    return "two" if question.action == Action.CLARIFY and are_two else "sentence"
