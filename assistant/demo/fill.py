"""Puts the invented conversations into a database as a whole, and takes them out again."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from assistant.demo.answers import Answering, answered
from assistant.demo.messages import Messages
from assistant.demo.plan import drawn
from assistant.demo.rows import Rows
from assistant.reports.evaluations import DEMO
from assistant.store.database import Database
from assistant.store.quotes import forget_unquoted
from assistant.store.tables import ConversationRow, now
from assistant.store.team_tables import RunRow
from knowledge.documents import Article

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# The figures of the invented runs: right and wrong of the question sets, by week.
WEEKS = ((0.86, 0.09), (0.88, 0.08), (0.9, 0.07), (0.91, 0.07))


@dataclass(frozen=True, slots=True)
class Demo:
    """How the demo is to be.

    Attributes:
        seed: The same seed gives the same conversations.
        count: How many conversations.
        days: In how many days until now.
        distinct: How many different first questions are answered, at most.
        zone: The time zone of the customers' days.
    """

    seed: int = 1
    count: int = 300
    days: int = 14
    distinct: int = 60
    zone: str = "Europe/London"


class DemoAssistant(Answering, Protocol):
    """What answers, and knows the articles."""

    def article(self, lang: str, article: str) -> Article | None:
        """Return a currently valid article, or None."""

    def versions(self) -> dict[str, str]:
        """Return the versions of what makes a reply."""


def fill(
    database: Database,
    assistant: DemoAssistant,
    messages: Mapping[str, Messages],
    demo: Demo,
    tell: Callable[[int, int], object] = lambda *_: None,
    until: datetime | None = None,
) -> int:
    """Invent conversations instead of those that were invented before; return how many.

    All of them are kept at the end, or none.

    Args:
        database: An open database.
        assistant: Answers what is asked.
        messages: What is said, by language.
        demo: How the demo is to be.
        tell: Is told how many messages of how many are answered.
        until: The end of the days; None for now.

    Raises:
        StoreError: They cannot be kept.
    """
    chance, until = random.Random(demo.seed), until or now()  # noqa: S311  # nothing is secret
    how: dict[str, Any] = {"count": demo.count, "days": demo.days, "distinct": demo.distinct}
    plans = drawn(messages, chance, until, demo.zone, **how)
    answers = answered(assistant, plans, tell)
    versions = assistant.versions()
    with database.write() as session:
        _remove(session)
        rows = Rows(session, messages, answers, assistant.article, versions, chance, until)
        for plan in plans:
            rows.add(plan)
        session.add_all(_runs(until))
    return len(plans)


def remove(database: Database) -> int:
    """Take everything out that was invented; return how many conversations that were.

    Raises:
        StoreError: It cannot be deleted.
    """
    with database.write() as session:
        return _remove(session)


def _remove(session: "Session") -> int:
    from sqlalchemy import delete

    # Nobody has a token of theirs, so no id must be remembered.
    gone = delete(ConversationRow).where(ConversationRow.is_demo).returning(ConversationRow.id)
    count = len(session.scalars(gone).all())
    forget_unquoted(session)
    session.execute(delete(RunRow).where(RunRow.kind.startswith(DEMO)))
    return count


def _runs(until: datetime) -> Sequence[RunRow]:
    found = []
    for place, (right, wrong) in enumerate(WEEKS):
        at = until - timedelta(days=3 * (len(WEEKS) - place))
        sets = [_set(lang, right + more, wrong) for lang, more in (("en", 0.0), ("zh", 0.04))]
        dialogues = [
            {"dialogues": f"{lang} (40)", "passed": passed, "interval": "", "critical failed": 0}
            for lang, passed in (("en", 0.92 + 0.02 * place), ("zh", 0.9 + 0.02 * place))
        ]
        found.append(_run("questions", at, {"summary": sets}))
        found.append(_run("dialogues", at, {"dialogues": dialogues}))
    return found


def _set(lang: str, right: float, wrong: float) -> dict[str, Any]:
    shares = {"right": right, "answered wrongly": wrong, "unanswerable declined": 1.0}
    interval = f"{right - 0.08:.0%}–{min(1, right + 0.06):.0%}"
    return {"set": f"demo {lang}", "strategy": "auto", "interval": interval, **shares}


def _run(kind: str, at: datetime, result: dict[str, Any]) -> RunRow:
    return RunRow(
        kind=f"{DEMO}{kind}", on="", state="passed", author="demo", worker="", created=at,
        ended=at + timedelta(minutes=3), result=result,
    )  # fmt: skip
