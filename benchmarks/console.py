"""How fast the console's pages answer with many conversations: ``python -m benchmarks.console``.

Fills a temporary database with invented conversations, then prints for each page the seconds of
what its handler does from the request to the HTML: the first time, and the median of the times
after that, with the seconds for which the processor was busy, which others on the machine do not
change.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.store.database import Database

# The addresses that are opened: a page's name, and what is asked of it.
PLACES = (
    ("", "days=7"),
    ("", "days=90"),
    ("conversations", ""),
    ("conversations", "text=card"),
    ("conversations", "text=nothingholdsthis&from=2000-01-01"),
    ("conversations", "outcome=unhappy&sentiment=negative&sort=-turns"),
    ("conversations", "page=900"),
    ("conversations", "id={first}"),
    ("inbox", ""),
)
TIMES, AT_ONCE, REPLIES = 3, 2000, 1000
DAYS = 180
WORDS = (
    *("card", "fee", "account", "letter", "transfer", "limit", "abroad", "refund", "app", "lost"),
    *("branch", "payment", "salary", "loan", "银行卡", "费用", "账户", "转账", "丢失", "付款"),
)
ACTIONS = ("answer", "answer", "answer", "answer", "clarify", "decline", "handoff", "small_talk")
REASONS = {"answer": "answer", "clarify": "clarify", "decline": "not_found",
           "handoff": "talk_to_a_person", "small_talk": "thanks"}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.console",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.console --conversations 50000",
    )
    parser.add_argument("--conversations", type=int, default=50_000, help="default: %(default)s")
    parser.add_argument("--turns", type=int, default=3, help="of each; default: %(default)s")
    parser.add_argument("--only", help="the name of a page; home for the first; default: all")
    given = parser.parse_args(arguments)
    from assistant.store.database import Database

    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/frontdesk.db")
        fill(database, given.conversations, given.turns)
        _summarise(database)
        loads = _loads(database, Path(folder))
        print("| page | address | first, s | median, s | of the processor, s |")
        print("| --- " * 5 + "|")
        for page, query in PLACES:
            if given.only not in (None, page or "home"):
                continue
            asked = query.format(first=_id(0))
            times = [_seconds(loads, page, asked) for _ in range(1 + TIMES)]
            whole, busy = (statistics.median(each) for each in zip(*times[1:], strict=True))
            row = f"{times[0][0]:.2f} | {whole:.2f} | {busy:.2f}"
            print(f"| {page or 'home'} | {asked} | {row} |", flush=True)
        database.close()
    return 0


def fill(database: "Database", conversations: int, turns: int = 3) -> None:
    """Fill an empty database with invented conversations, the latest first.

    Args:
        database: An empty database.
        conversations: How many.
        turns: How many questions each has.
    """
    from sqlalchemy import insert

    from assistant.store.tables import ConversationRow, FeedbackRow, HandoffRow, MessageRow

    draw, begun = random.Random(0), time.perf_counter()
    replies = [_reply(draw.choice(ACTIONS), draw) for _ in range(REPLIES)]
    for start in range(0, conversations, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, conversations))
        rows = list(_conversations(numbers, conversations))
        messages = [m for row in rows for m in _messages(row, turns, draw, replies)]
        thumbs = [
            {"message_id": m["id"], "thumb": draw.choice((-1, 1)), "reason": "", "correction": "",
             "created": m["created"]}
            for m in messages
            if m["role"] == "assistant" and draw.random() < 0.05
        ]  # fmt: skip
        handoffs = [_handoff(m) for m in messages if m["action"] == "handoff"]
        with database.write() as session:
            session.execute(insert(ConversationRow), rows)
            session.execute(insert(MessageRow), messages)
            session.execute(insert(FeedbackRow), thumbs)
            session.execute(insert(HandoffRow), handoffs)
    print(f"{conversations:,} conversations in {time.perf_counter() - begun:.0f} s", flush=True)


def _id(number: int) -> str:
    return f"{number:032x}"


def _conversations(numbers: range, all_of_them: int) -> Iterator[dict[str, Any]]:
    from assistant.store.tables import now

    moment = now()
    for number in numbers:
        created = moment - timedelta(days=DAYS) * (number / all_of_them)
        yield {
            "id": _id(number), "channel": ("page", "api")[number % 2], "created": created,
            "updated": created + timedelta(minutes=5), "language": ("en", "zh")[number % 3 == 0],
            "customer": f"customer-{number // 5}" if number % 4 == 0 else "", "is_demo": False,
        }  # fmt: skip


def _messages(
    row: dict[str, Any], turns: int, draw: random.Random, replies: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    own = int(row["id"], 16) * turns * 2 + 1
    for number in range(0, 2 * turns, 2):
        text = " ".join(draw.choices(WORDS, k=8)) + "?"
        reply = draw.choice(replies)
        created = row["created"] + timedelta(seconds=number)
        common = {"conversation_id": row["id"], "author": "", "after": None, "key": None,
                  "worker": None, "created": created}  # fmt: skip
        yield {**common, "id": own + number, "number": number + 1, "role": "user", "text": text,
               "state": "answered", "answers": None, "action": "", "reply": None,
               "versions": None}  # fmt: skip
        yield {**common, "id": own + number + 1, "number": number + 2, "role": "assistant",
               "text": " ".join(draw.choices(WORDS, k=30)), "state": "said",
               "answers": own + number, "action": reply["action"], "reply": reply,
               "versions": {"index": "invented"}}  # fmt: skip


def _reply(action: str, draw: random.Random) -> dict[str, Any]:
    """Return what a turn decides, about as long as real ones are."""
    near = [
        {"article": f"article-{n}", "lang": "en", "title": " ".join(draw.choices(WORDS, k=4)),
         "found": draw.random(), "sentence": " ".join(draw.choices(WORDS, k=20)),
         "answers": draw.random()}
        for n in draw.sample(range(70), 8)
    ]  # fmt: skip
    return {
        "action": action, "reason": REASONS[action], "language": draw.choice(("en", "zh")),
        "intent": draw.choice(WORDS[:10]), "intent_score": draw.random(),
        "out_of_scope": draw.random(), "sentiment": draw.choice(("neutral", "neutral", "negative")),
        "sentiment_score": draw.random(), "citations": [], "sources": [], "choices": [],
        "support": [{"sentence": " ".join(draw.choices(WORDS, k=15)), "citation": None}] * 2,
        "urgent": False, "nearest": near, "suggestions": [" ".join(draw.choices(WORDS, k=4))] * 3,
        "strategy": "extractive", "template": None, "generator": None, "asked": 1, "rule": "clear",
        "timings_ms": {"total": 900.0, "first_word": draw.lognormvariate(6, 0.6)},
    }  # fmt: skip


def _handoff(message: dict[str, Any]) -> dict[str, Any]:
    taken = message["created"] + timedelta(minutes=int(message["id"]) % 90)
    return {
        "conversation_id": message["conversation_id"], "state": "closed", "urgent": False,
        "reason": "talk_to_a_person", "summary": {}, "created": message["created"],
        "taken": taken, "agent": "ann", "ended": taken + timedelta(minutes=5), "outcome": "",
    }  # fmt: skip


def _summarise(database: "Database") -> None:
    from assistant.store.summaries import refresh

    begun = time.perf_counter()
    count = refresh(database)
    print(f"{count:,} of them read once in {time.perf_counter() - begun:.0f} s\n", flush=True)


def _loads(database: "Database", folder: Path) -> Callable[[str, str], Any]:
    """Return what opens a page of the console: its name and its query go in."""
    import warnings

    import gradio as gr
    from fastapi import Request

    from assistant.config import Settings
    from assistant.desk import Desk
    from assistant.live_settings import LiveSettings
    from assistant.store.conversations import Conversations
    from assistant.store.kept_settings import KeptSettings
    from assistant.ui.console.console import build_console
    from assistant.ui.console.frame import Frame
    from assistant.web.access import Access
    from assistant.web.tokens import Tokens
    from benchmarks.server.answerer import Answerer

    warnings.filterwarnings("ignore", category=UserWarning)
    answerer: Any = Answerer(people=True)
    desk = Desk(answerer, Conversations(database))
    access = Access.open(database, Tokens("secret", 1), "secret")
    settings = Settings(state=folder)
    live = LiveSettings(settings, KeptSettings(database))
    console = build_console(Frame("en", desk, access, settings, live))

    def load(page: str, query: str) -> Any:
        scope = {"type": "http", "method": "GET", "path": f"/console/en/{page}", "scheme": "http",
                 "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": None,
                 "headers": [(b"host", b"localhost")]}  # fmt: skip
        request = gr.Request(request=Request(scope))
        return [
            block.fn(request)
            for block in console.fns.values()
            if block.page == page and block.fn and ("load" in {event for _, event in block.targets})
        ]

    return load


def _seconds(work: Callable[..., Any], *arguments: str) -> tuple[float, float]:
    """Return the seconds that something takes, and those of the processor."""
    begun, busy = time.perf_counter(), time.process_time()
    work(*arguments)
    return time.perf_counter() - begun, time.process_time() - busy


if __name__ == "__main__":
    sys.exit(main())
