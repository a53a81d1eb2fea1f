"""Seconds to the first word and to the end of an answer: ``python -m benchmarks.latency``."""

import argparse
import json
import statistics
import time
from pathlib import Path

DATA = Path(__file__).parent.parent / "tuning" / "data" / "lantern_questions.en.jsonl"


def main() -> None:
    """Print the medians over 50 questions, one row per strategy."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency",
        description=__doc__,
        epilog="Example: python -m benchmarks.latency --strategies auto zero_shot",
    )
    parser.add_argument("--strategies", nargs="+", default=["auto", "zero_shot", "few_shot"])
    given = parser.parse_args()
    from tqdm import tqdm

    from assistant.assistant import Assistant
    from assistant.config import load_settings

    assistant = Assistant.from_config(load_settings())
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()][:50]
    print("| strategy | first word, median s | complete, median s | complete, 95th percentile s |")
    print("| --- | --- | --- | --- |")
    for strategy in given.strategies:
        assistant.reply(rows[0]["question"], strategy=strategy)  # warm
        firsts, totals = [], []
        for row in tqdm(rows, desc=strategy, leave=False):
            start = time.perf_counter()
            items = assistant.stream(row["question"], strategy=strategy)
            next(items)
            firsts.append(time.perf_counter() - start)
            list(items)
            totals.append(time.perf_counter() - start)
        slow = statistics.quantiles(totals, n=20)[-1]
        first, total = statistics.median(firsts), statistics.median(totals)
        print(f"| {strategy} | {first:.2f} | {total:.2f} | {slow:.2f} |")


if __name__ == "__main__":
    main()
