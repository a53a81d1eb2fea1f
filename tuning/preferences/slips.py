"""Finds the slips of a fine-tuned adapter: its own answers that the rows' answers should beat."""

from collections.abc import Iterator, Sequence
from typing import Any

from knowledge.segmenter import words
from tuning.sft.generated_answers import declines, is_right


def slips(
    rows: Sequence[dict[str, Any]], answers: Sequence[str], slack: float
) -> Iterator[dict[str, Any]]:
    """Yield a pair in TRL's format for each answer that is wrong, or right and long-winded.

    Args:
        rows: Rows of ``tuning.dataset``.
        answers: What the adapter answered to each.
        slack: How many times the row's words an answer may have.
    """
    for row, answer in zip(rows, answers, strict=True):
        completion = row["completion"][0]["content"]
        longest = slack * len(words(completion))
        if answer and (
            not is_right(answer, completion, declines()) or len(words(answer)) > longest
        ):
            yield {
                "prompt": row["prompt"],
                "chosen": row["completion"],
                "rejected": [{"role": "assistant", "content": answer}],
            }
