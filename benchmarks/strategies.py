"""Compares the strategies on question sets: ``python -m benchmarks.strategies``."""

import argparse
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.assistant import Assistant

DATA = Path(__file__).parent.parent / "tuning" / "data"


def main() -> None:
    """Print one row a language and strategy, and optionally what went wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.strategies",
        description=__doc__,
        epilog="Example: python -m benchmarks.strategies --failures",
    )
    parser.add_argument("--strategies", nargs="+", default=["zero_shot", "few_shot", "extractive"])
    parser.add_argument("--failures", action="store_true", help="list the wrong replies")
    given = parser.parse_args()
    from assistant.assistant import Assistant
    from assistant.config import load_settings

    assistant = Assistant.from_config(load_settings())
    print(
        "| language | strategy | facts right and cited | answered wrongly | declined wrongly |"
        " unanswerable declined | figures without support | worded by the model | median s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for lang in ("en", "zh"):
        rows = [json.loads(line) for line in (DATA / f"lantern_questions.{lang}.jsonl").open()]
        for strategy in given.strategies if lang == "en" else ["extractive"]:
            _compare(assistant, lang, strategy, rows, failures=given.failures)


def _compare(
    assistant: "Assistant", lang: str, strategy: str, rows: list[dict[str, Any]], *, failures: bool
) -> None:
    from tqdm import tqdm

    from tuning.metrics import judge, share

    judged = []
    for row in tqdm(rows, desc=f"{lang} {strategy}", leave=False):
        reply = assistant.reply(row["question"], strategy=strategy)
        judged.append((row, reply, judge(row, reply)))
    asked = [entry for entry in judged if entry[0]["article"]]
    unknown = [entry for entry in judged if not entry[0]["article"]]
    cells = [
        share([v.right for _, _, v in asked]),
        share([v.answered and not v.right for _, _, v in asked]),
        share([not v.answered for _, _, v in asked]),
        share([not v.answered for _, _, v in unknown]),
    ]
    wild = sum(len(v.unsupported_figures) for _, _, v in judged)
    worded = share([reply.generator is not None for _, reply, _ in asked])
    seconds = statistics.median(r.timings_ms["total"] for _, r, _ in asked) / 1000
    percent = " | ".join(f"{cell:.0%}" for cell in cells)
    print(f"| {lang} | {strategy} | {percent} | {wild} | {worded:.0%} | {seconds:.2f} |")
    for row, reply, verdict in judged if failures else ():
        if not (verdict.right if row["article"] else not verdict.answered):
            print(
                f"    {row['question']} [{row['article']}: {row['facts']}]\n"
                f"        {reply.action}: {reply.text} {[c.article for c in reply.citations]}"
            )


if __name__ == "__main__":
    main()
