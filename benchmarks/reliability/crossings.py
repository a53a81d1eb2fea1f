"""Lets customers talk at the same time, and looks whether anybody gets another one's words."""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.reliability.work import desk_of

if TYPE_CHECKING:
    from assistant.desk import Desk

# Customers at a time, and turns of one conversation.
CUSTOMERS, TALK = 16, 10
# What one customer says in a conversation, and what is kept of it.
Talk = list[str]


def crossings(given: argparse.Namespace) -> int:
    """Talk, and count the turns with words of another customer; return 1 if there are any."""
    desk = desk_of(given.database, real=given.state if given.real else None)
    found = _real(desk, given.turns) if given.real else _marked(desk, given.turns)
    desk.conversations.database.close()
    print("| turns | customers at a time | turns with words of another one |")
    print("| --- " * 3 + "|")
    print(f"| {given.turns:,} | {CUSTOMERS} | {found} |")
    return int(bool(found))


def _marked(desk: "Desk", turns: int) -> int:
    """Let each customer say a word of its own in every message, which the replies repeat."""
    talks = [
        [f"marker{number % CUSTOMERS:02d}x {number} {turn}" for turn in range(TALK)]
        for number in range(turns // TALK)
    ]
    kept = _all_at_once(desk, talks)
    return sum(
        any(word != own[0].split()[0] for word in said.split() if word.startswith("marker"))
        for own, conversation in zip(talks, kept, strict=True)
        for said in conversation
    )


def _real(desk: "Desk", turns: int) -> int:
    """Ask real questions, nobody the same one, and then again one after the other.

    Whatever a customer is told at the same time as others must be what it is told alone.
    """
    from benchmarks.server.questions import real_questions

    asked = real_questions(turns)
    talks = [asked[start : start + TALK] for start in range(0, turns, TALK)]
    together = _all_at_once(desk, talks)
    alone = _progress(lambda talk: _talk(desk, talk), talks, 1)
    pairs = zip(together, alone, strict=True)
    return sum(a != b for one, other in pairs for a, b in zip(one, other, strict=True))


def _all_at_once(desk: "Desk", talks: Sequence[Talk]) -> list[Talk]:
    return _progress(lambda talk: _talk(desk, talk), talks, CUSTOMERS)


def _progress(work: Callable[[Talk], Talk], talks: Sequence[Talk], threads: int) -> list[Talk]:
    from tqdm import tqdm

    with ThreadPoolExecutor(threads) as pool:
        done = tqdm(pool.map(work, talks), total=len(talks), unit=" talks", leave=False)
        return list(done)


def _talk(desk: "Desk", talk: Talk) -> Talk:
    """Play a conversation and return all that is kept of it."""
    conversation = desk.conversations.start("api")
    for text in talk:
        for _ in desk.serve(conversation, text):
            pass
    return [message.text for message in desk.conversations.messages(conversation)]
