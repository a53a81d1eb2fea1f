"""Invented customers' messages with personal data, as they would be typed."""

import random
from dataclasses import dataclass
from pathlib import Path

from benchmarks.personal_data.numbers import KINDS

WORDS = Path(__file__).with_name("words.yml")
# What the project says is masked; of the other kinds only the share is told.
PROMISED = ("card", "iban", "email", "phone", "identity")
OTHERS = ("account", "name", "address")
# How a text reaches the server: what customers write, and what agents write.
BY_CUSTOMERS = ("message", "handoff", "interrupted", "reason", "correction", "history",
                "contact")  # fmt: skip
BY_AGENTS = ("note", "reply")


@dataclass(frozen=True, slots=True)
class Invented:
    """A text with personal data.

    Attributes:
        kind: One of ``PROMISED`` or ``OTHERS``.
        lang: en or zh.
        secret: The personal data.
        text: The whole text.
        way: How it reaches the server.
    """

    kind: str
    lang: str
    secret: str
    text: str
    way: str

    @property
    def is_agents(self) -> bool:
        """Whether an agent writes it."""
        return self.way in BY_AGENTS


def invented(count: int, seed: int = 0) -> list[Invented]:
    """Return so many texts, half of them of each language; every kind goes every way.

    Args:
        count: How many.
        seed: Of all that is drawn.
    """
    import yaml

    words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    draws = random.Random(seed)
    found = []
    kinds, ways = (*PROMISED, *OTHERS), (*BY_CUSTOMERS, *BY_AGENTS)
    for number in range(count):
        lang, kind = ("en", "zh")[number % 2], kinds[number // 2 % len(kinds)]
        way = ways[number // (2 * len(kinds)) % len(ways)]
        if kind in KINDS:
            secret = KINDS[kind](draws, lang)
        else:
            secret = draws.choice(words["names" if kind == "name" else "addresses"][lang])
        text = draws.choice(words["said"][kind][lang]).replace("{x}", secret)
        found.append(Invented(kind, lang, secret, text, way))
    return found
