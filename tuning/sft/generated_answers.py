"""Generates answers to training rows and judges them by the rows' completions."""

from collections.abc import Sequence
from typing import Any

import torch

from assistant.grounding.grounder import figures
from assistant.writing.templates import PromptTemplate
from knowledge.segmenter import words

NEW_TOKENS = 96
# Rows per batch, on a processor and on a GPU.
BATCH = {"cpu": 16, "cuda": 128}
# The least F1 of the words of a right answer and the row's completion.
LEAST_F1 = 0.5


def declines() -> list[str]:
    """Return the sentences with which a tuned model declines, one per language."""
    return [PromptTemplate.load("answer_tuned", lang).decline for lang in ("en", "zh")]


@torch.inference_mode()
def generate(model: Any, tokenizer: Any, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the greedy answers to the rows' prompts, in batches, padded on the left."""
    was_training, side = model.training, tokenizer.padding_side
    model.eval()
    tokenizer.padding_side = "left"
    answers: list[str] = []
    batch = BATCH.get(model.device.type, BATCH["cpu"])
    for first in range(0, len(rows), batch):
        prompts = [row["prompt"] for row in rows[first : first + batch]]
        inputs = tokenizer.apply_chat_template(
            prompts, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        ).to(model.device)
        tokens = model.generate(
            **inputs,
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
        new = tokens[:, inputs["input_ids"].shape[1] :]
        answers += [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]
    tokenizer.padding_side = side
    model.train(was_training)
    return answers


def is_right(answer: str, completion: str, declines: Sequence[str]) -> bool:
    """Return whether a generated answer agrees with the row's completion.

    Both must decline or neither, the figures must be the same, and the words must overlap by half.

    Args:
        answer: What the model generated.
        completion: The row's completion.
        declines: The sentences that decline, of all languages.
    """
    declined, expected = (any(no in text for no in declines) for text in (answer, completion))
    if declined != expected or figures(answer) != figures(completion):
        return False
    mine, theirs = set(words(answer)), set(words(completion))
    return 2 * len(mine & theirs) >= LEAST_F1 * (len(mine) + len(theirs))
