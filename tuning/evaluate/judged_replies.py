"""Compares the strategies side by side: ``python -m tuning.evaluate --out FOLDER``.

Question sets with key facts, forbidden facts and the right article go through the whole assistant,
once a strategy: Lantern Bank's, and those of companies that nothing was trained on. So do canned
dialogues. Written to the folder: ``evaluation.json`` and one self-contained page. ``--choose`` also
writes what the strategy ``auto`` means from now on, into the state folder.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.writing.strategies import QUOTED, WORDED

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.messages import Reply
    from tuning.metrics import Verdict
    from tuning.question_sets import QuestionSet

STRATEGIES = (*WORDED, *QUOTED)
DIALOGUES = Path(__file__).parent.parent.parent / "tests" / "dialogues" / "passing"


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """What became of one question under one strategy; seconds since it was asked.

    ``picked`` is what the customer picks where the assistant asks back, "" elsewhere; ``then`` the
    reply to it, and ``then_right`` whether that is right.
    """

    set: str
    company: str
    lang: str
    strategy: str
    bucket: str
    question: str
    expected: str
    reply: str
    action: str
    worded: bool
    answerable: bool
    right: bool
    facts: bool
    right_article: bool
    unsupported: int
    right_language: bool
    first_word: float
    complete: float
    picked: str = ""
    then: str = ""
    then_right: bool = False

    @property
    def outcome(self) -> str:
        """What a reader of the table counts it as.

        A handoff that quotes the key facts from the right article is right too.
        """
        if not self.answerable:
            return "answered wrongly" if self.action == "answer" else "right"
        if self.right:
            return "right"
        if self.action == "answer":
            return "answered wrongly"
        return "asked back" if self.action == "clarify" else "declined wrongly"

    def score(self, caution: float) -> float:
        """Return 1 for a right reply, ``-caution`` for a wrong answer, 0 for any other."""
        return {"right": 1.0, "answered wrongly": -caution}.get(self.outcome, 0.0)


def evaluate(
    questions: "QuestionSet", settings: Any, strategies: Sequence[str], limit: int | None = None
) -> list[JudgedReply]:
    """Return what becomes of a set's questions, once a strategy.

    Args:
        questions: The set.
        settings: Generator, adapter, embedder and state; its folder of articles is not used.
        strategies: Names; those that the generator cannot do become extractive and are left out.
        limit: Only so many questions.
    """
    from tqdm import tqdm

    from assistant.assistant import Assistant

    with questions.knowledge() as folder:
        assistant = Assistant.from_config(settings.model_copy(update={"knowledge": folder}))
        able = [s for s in strategies if is_possible(assistant, s, questions.lang)]
        asked = [(strategy, row) for strategy in able for row in questions.rows[:limit]]
        return [
            judge_one(assistant, questions, strategy, row)
            for strategy, row in tqdm(asked, desc=questions.name, unit="question")
        ]


def is_possible(assistant: "Assistant", strategy: str, lang: str) -> bool:
    """Tell whether an assistant's generator can word answers so, in that language."""
    generator = assistant.generator
    if strategy in ("extractive", "auto"):
        return True
    if generator is None or lang not in generator.languages:
        return False
    return strategy != "tuned" or generator.has_adapter


def judge_one(
    assistant: "Assistant", questions: "QuestionSet", strategy: str, row: dict[str, Any]
) -> JudgedReply:
    """Ask one question and judge the reply."""
    from assistant.messages import Reply
    from tuning.metrics import judge
    from tuning.question_sets import history_of

    begun = time.perf_counter()
    first: float | None = None
    reply: Reply | None = None
    for piece in assistant.stream(row["question"], history_of(row), strategy=strategy):
        first = first or time.perf_counter() - begun
        if isinstance(piece, Reply):
            reply = piece
    complete = time.perf_counter() - begun
    assert reply  # noqa: S101  # the stream's contract
    picked, then = _picked(assistant, row, reply, strategy)
    verdicts = [judge(row, said) for said in (reply, then) if said]
    verdict = verdicts[0]
    return JudgedReply(
        set=questions.name,
        company=questions.company,
        lang=questions.lang,
        strategy=strategy,
        bucket=row["bucket"],
        question=row["question"],
        expected=f"{row['article']}: {', '.join(row['facts'])}" if row["article"] else "nothing",
        reply=_told(reply),
        action=str(reply.action),
        worded=reply.generator is not None,
        answerable=row["article"] is not None,
        right=verdict.right,
        facts=verdict.facts,
        right_article=verdict.right_article,
        unsupported=sum(len(one.unsupported_figures) for one in verdicts),
        right_language=reply.language == questions.lang,
        first_word=round(first or complete, 3),
        complete=round(complete, 3),
        picked=picked,
        then=_told(then) if then else "",
        then_right=then is not None and _is_right(row, then, verdicts[-1]),
    )


def _picked(
    assistant: "Assistant", row: dict[str, Any], reply: "Reply", strategy: str
) -> tuple[str, "Reply | None"]:
    """Return what a customer picks who is asked back, and the reply to it.

    Whoever asks what is answered knows their subject: the first choice that is the right article,
    "none of these" where it is not offered. Whoever asks what nothing answers picks what stands
    first, which is the worst that can happen.
    """
    from assistant.messages import Message
    from tuning.question_sets import history_of

    if not reply.choices:
        return "", None
    right = [
        article.title
        for name in (row["article"] or "").split("|")
        if (article := assistant.article(row["lang"], name))
    ]
    *offered, none = reply.choices
    usual = none if row["article"] else offered[0]
    picked = next((choice for choice in offered if choice in right), usual)
    said = [Message("user", row["question"]), Message("assistant", reply.text)]
    return picked, assistant.reply(picked, [*history_of(row), *said], strategy)


def _is_right(row: dict[str, Any], then: "Reply", verdict: "Verdict") -> bool:
    return verdict.right if row["article"] else then.action != "answer"


def _told(reply: "Reply") -> str:
    cited = ", ".join(dict.fromkeys(citation.article for citation in reply.citations))
    return f"{reply.text} [{cited}]" if cited else reply.text


def as_rows(judged: Sequence[JudgedReply]) -> list[dict[str, Any]]:
    """Return what JSON can hold, each with its outcome."""
    return [{**asdict(entry), "outcome": entry.outcome} for entry in judged]
