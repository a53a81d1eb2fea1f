"""Asks the questions of a question set and judges the replies, once per strategy."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from assistant.writing.strategies import QUOTED, WORDED

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.config import Settings
    from assistant.messages import Message, Reply
    from tuning.metrics import Verdict
    from tuning.question_sets import QuestionSet

STRATEGIES = (*WORDED, *QUOTED)


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """The reply to one question under one strategy, with what is true of it.

    ``first_word`` and ``complete`` are seconds since the question. ``words`` counts the reply's,
    and ``copied`` is the share of them, in [0, 1], that its quotes have in the same order. ``pick``
    is the choice that the customer makes after a clarifying question, "" if there was none;
    ``reply_after_pick`` is the reply to it, and ``right_after_pick`` whether that reply is right.
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
    words: int = 0
    copied: float = 1.0
    pick: str = ""
    reply_after_pick: str = ""
    right_after_pick: bool = False

    @property
    def outcome(self) -> str:
        """The column of the table that counts the reply.

        A handoff that quotes the key facts from the right article is right, too.
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
        return score_of(self.outcome, caution)


def score_of(outcome: str, caution: float) -> float:
    """Return 1 for a right reply, ``-caution`` for a wrong answer, 0 for any other outcome."""
    return {"right": 1.0, "answered wrongly": -caution}.get(outcome, 0.0)


def evaluate(
    questions: "QuestionSet",
    settings: "Settings",
    strategies: Sequence[str],
    limit: int | None = None,
) -> list[JudgedReply]:
    """Ask a set's questions once per strategy and judge the replies.

    Args:
        questions: The set; its articles replace the settings' ``knowledge``.
        settings: Of the assistant.
        strategies: Names; those that the generator does not support in the set's language are
            left out.
        limit: The maximum number of questions.
    """
    from tqdm import tqdm

    from assistant.assistant import Assistant

    with questions.knowledge() as folder:
        assistant = Assistant.from_config(settings.model_copy(update={"knowledge": folder}))
        possible = [s for s in strategies if is_possible(assistant, s, questions.lang)]
        pairs = [(strategy, row) for strategy in possible for row in questions.rows[:limit]]
        return [
            ask_and_judge(assistant, questions, strategy, row)
            for strategy, row in tqdm(pairs, desc=questions.name, unit="question")
        ]


def is_possible(assistant: "Assistant", strategy: str, lang: str) -> bool:
    """Return whether an assistant supports a strategy in a language."""
    generator = assistant.responder.generator
    if strategy in ("extractive", "auto"):
        return True
    if generator is None or lang not in generator.languages:
        return False
    return strategy != "tuned" or generator.has_adapter


def ask_and_judge(
    assistant: "Assistant", questions: "QuestionSet", strategy: str, row: dict[str, Any]
) -> JudgedReply:
    """Ask one question and judge the reply."""
    from knowledge.segmenter import length
    from tuning.metrics import copied_share, judge_reply
    from tuning.question_sets import history_of

    history = history_of(row)
    reply, first_word, complete = timed_reply(assistant, row["question"], history, strategy)
    pick = _pick(assistant, row, reply)
    after = _reply_to_pick(assistant, row, reply, pick, strategy) if pick else None
    verdicts = [judge_reply(row, said) for said in (reply, after) if said]
    verdict = verdicts[0]
    return JudgedReply(
        set=questions.name,
        company=questions.company,
        lang=questions.lang,
        strategy=strategy,
        bucket=row["bucket"],
        question=row["question"],
        expected=f"{row['article']}: {', '.join(row['facts'])}" if row["article"] else "nothing",
        reply=with_sources(reply),
        action=str(reply.action),
        worded=reply.generator is not None,
        answerable=row["article"] is not None,
        right=verdict.right,
        facts=verdict.facts,
        right_article=verdict.right_article,
        unsupported=sum(len(v.unsupported_figures) for v in verdicts),
        right_language=reply.language == questions.lang,
        first_word=first_word,
        complete=complete,
        words=length(reply.text),
        copied=copied_share(reply.text, [citation.quote for citation in reply.citations]),
        pick=pick,
        reply_after_pick=with_sources(after) if after else "",
        right_after_pick=after is not None and _is_right_after_pick(row, after, verdicts[-1]),
    )


def timed_reply(
    assistant: "Assistant", question: str, history: "Sequence[Message]", strategy: str
) -> tuple["Reply", float, float]:
    """Return the reply, the seconds to its first piece, and the seconds to its end."""
    from assistant.messages import Reply

    begun = time.perf_counter()
    first: float | None = None
    reply: Reply | None = None
    for piece in assistant.stream(question, history, strategy=strategy):
        first = first or time.perf_counter() - begun
        if isinstance(piece, Reply):
            reply = piece
    complete = time.perf_counter() - begun
    assert reply  # noqa: S101  # the stream's contract
    return reply, round(first or complete, 3), round(complete, 3)


def _pick(assistant: "Assistant", row: dict[str, Any], reply: "Reply") -> str:
    """Return the choice that a customer makes after a clarifying question, "" without one.

    A customer whose question has an answer knows their subject: they pick the right article, or
    "none of these" if it is not offered. If nothing answers the question, they pick the first
    choice, which is the worst case.
    """
    if not reply.choices:
        return ""
    right = [
        article.title
        for name in (row["article"] or "").split("|")
        if (article := assistant.article(row["lang"], name))
    ]
    *offered, none_of_these = reply.choices
    usual = none_of_these if row["article"] else offered[0]
    return next((choice for choice in offered if choice in right), usual)


def _reply_to_pick(
    assistant: "Assistant", row: dict[str, Any], reply: "Reply", pick: str, strategy: str
) -> "Reply":
    from assistant.messages import Message
    from tuning.question_sets import history_of

    history = [*history_of(row), Message("user", row["question"]), reply.message()]
    return assistant.reply(pick, history, strategy)


def _is_right_after_pick(row: dict[str, Any], reply: "Reply", verdict: "Verdict") -> bool:
    return verdict.right if row["article"] else reply.action != "answer"


def with_sources(reply: "Reply") -> str:
    """Return a reply's text with the articles that it cites."""
    cited = ", ".join(dict.fromkeys(citation.article for citation in reply.citations))
    return f"{reply.text} [{cited}]" if cited else reply.text


def as_rows(judged: Sequence[JudgedReply]) -> list[dict[str, Any]]:
    """Return the replies as JSON can hold them, each with its outcome."""
    return [{**asdict(entry), "outcome": entry.outcome} for entry in judged]
