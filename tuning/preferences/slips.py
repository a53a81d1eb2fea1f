"""Finds the slips of a fine-tuned adapter: its own answers that the rows' answers should beat."""

from collections.abc import Iterator, Sequence
from typing import Any

from knowledge.segmenter import words
from tuning.sft.generated_answers import declines, is_right


def slips(
    rows: Sequence[dict[str, Any]], answers: Sequence[str], slack: float
) -> Iterator[dict[str, Any]]:
    """Yield a pair in TRL's format for each answer that is wrong, or right and long-winded.

    Where row or answer declines there is none: served, a decline becomes the quoted sentences.

    Args:
        rows: Rows of ``tuning.dataset``.
        answers: What the adapter answered to each.
        slack: How many times the row's words an answer may have.
    """
    no = declines()
    for row, answer in zip(rows, answers, strict=True):
        completion = row["completion"][0]["content"]
        if not answer or any(decline in answer or decline in completion for decline in no):
            continue
        is_long = len(words(answer)) > slack * len(words(completion))
        if is_long or not is_right(answer, completion, no):
            yield {
                "prompt": row["prompt"],
                "chosen": row["completion"],
                "rejected": [{"role": "assistant", "content": answer}],
            }
