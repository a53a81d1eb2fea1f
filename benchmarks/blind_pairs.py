"""Pairs of replies to judge without knowing whose they are: ``python -m benchmarks.blind_pairs``.

Takes what ``tuning.evaluate`` wrote, draws questions that two strategies answered in different
words, and writes each pair in random order. Judge each by what a customer would want: it answers
the question, says nothing superfluous, sounds natural, in this order. A judge writes lines of
``{"id": …, "better": "a"}``, or "b", or "same"; ``--judgements`` then counts by strategy.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pairs, or count the judgements."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.blind_pairs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.blind_pairs var/evaluation/evaluation.json --lang en "
        "--out pairs.en.jsonl",
    )
    parser.add_argument("evaluation", type=Path, help="evaluation.json of tuning.evaluate")
    parser.add_argument("--strategies", nargs=2, default=["extractive", "tuned"], metavar="NAME")
    parser.add_argument("--lang", choices=("en", "zh"), required=True)
    parser.add_argument("--count", type=int, default=100, help="pairs; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="a JSON lines file")
    parser.add_argument("--judgements", type=Path, help="count these instead of writing pairs")
    options = parser.parse_args(arguments)
    pairs = drawn(options)
    if options.judgements:
        lines = options.judgements.read_text(encoding="utf-8").splitlines()
        print(json.dumps(counted(pairs, [json.loads(line) for line in lines])))
        return 0
    shown = [{key: pair[key] for key in ("id", "question", "a", "b")} for pair in pairs]
    text = "".join(f"{json.dumps(pair, ensure_ascii=False)}\n" for pair in shown)
    options.out.write_text(text, encoding="utf-8")
    print(f"Wrote {len(pairs)} pairs to {options.out}. Whose they are, the seed tells.")
    return 0


def drawn(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the pairs of the options' seed, each with whose ``a`` and ``b`` are."""
    replies: dict[tuple[str, str], dict[str, str]] = {}
    for row in json.loads(options.evaluation.read_text(encoding="utf-8"))["questions"]:
        if row["lang"] == options.lang and row["action"] == "answer":
            replies.setdefault((row["set"], row["question"]), {})[row["strategy"]] = row["reply"]
    one, other = options.strategies
    both = [
        (question, said)
        for (_, question), said in sorted(replies.items())
        if one in said and other in said and said[one] != said[other]
    ]
    draw = random.Random(options.seed)
    pairs = []
    for number, (question, said) in enumerate(draw.sample(both, min(options.count, len(both)))):
        order = draw.sample([one, other], 2)
        named = {"a": said[order[0]], "b": said[order[1]], "order": order}
        pairs.append({"id": number, "question": question, **named})
    return pairs


def counted(
    pairs: Sequence[dict[str, Any]], judgements: Sequence[dict[str, Any]]
) -> dict[str, int]:
    """Return how often each strategy's reply was better, and how often neither."""
    orders = {pair["id"]: dict(zip("ab", pair["order"], strict=True)) for pair in pairs}
    return dict(Counter(orders[one["id"]].get(one["better"], "same") for one in judgements))


if __name__ == "__main__":
    sys.exit(main())
