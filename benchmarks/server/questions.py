"""Real questions of customers to the demo bank, of both languages in turn.

They are the training rows of ``tuning/data/customers/bank.en.jsonl`` and ``bank.zh.jsonl``.
"""

import json
import random
from itertools import chain, cycle, islice
from pathlib import Path

CUSTOMERS = Path(__file__).parents[2] / "tuning" / "data" / "customers"


def real_questions(count: int, seed: int = 0) -> list[str]:
    """Return so many questions, English and Chinese in turn; they repeat after some 1,000.

    Args:
        count: How many.
        seed: Of their order.
    """
    draws = random.Random(seed)
    sets = []
    for lang in ("en", "zh"):
        lines = (CUSTOMERS / f"bank.{lang}.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        asked = sorted({row["question"] for row in rows if row["part"] == "train"})
        draws.shuffle(asked)
        sets.append(cycle(asked))
    return list(islice(chain.from_iterable(zip(*sets, strict=False)), count))
