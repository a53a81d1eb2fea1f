"""Trains the query adapter: ``python -m tuning.query_adapter``.

LoRA weights (Hu et al. 2021) that move a customer's question towards the passages that answer it.
Passages keep the vectors of the frozen embedder, so an index outlives the adapter, and only short
texts are trained on (query-side fine-tuning, Lee et al. 2021, arXiv 2012.12624). The loss is the
negative log likelihood of the right article's passages among all passages. A second term keeps
questions of other subjects where they are, so that other companies' retrieval does not suffer.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from tuning.retrieval.adapter_data import Corpus
    from tuning.retrieval.asked_questions import AskedQuestion

CARD = Path(__file__).with_name("retrieval") / "query_adapter.md.jinja"
TEMPERATURE = 0.03
# The cosine of "no passage answers", one more candidate in the loss. Without it only differences
# count, and cosines drift until they say nothing about a single passage.
NOTHING = 0.83
BATCH, KEPT_BATCH = 48, 16
# The weight of the second term.
KEEP = 2.0
LEARNING_RATE, WEIGHT_DECAY = 4e-4, 0.01
MAX_TOKENS = 48
RANK, DROPOUT = 16, 0.05
SEED = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save the adapter; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.query_adapter",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.query_adapter --out var/adapter",
    )
    parser.add_argument("--out", type=Path, help="default: the folder that the product reads")
    parser.add_argument("--epochs", type=float, default=1.0, help="default: %(default)s")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    from tuning.public_data import is_data_missing

    if is_data_missing("query_adapter"):
        return 2
    from knowledge.models.model_files import QUERY_ADAPTER

    train(options.out or QUERY_ADAPTER, options.epochs, options.state)
    return 0


def train(out: Path, epochs: float, state: Path) -> None:
    """Train an adapter for the shipped embedder and save it with its card, whole or not at all.

    Args:
        out: The adapter's folder.
        epochs: Passes over the questions.
        state: The state folder.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    from knowledge.build_index import BANK
    from knowledge.models.model_files import open_frozen_embedder
    from tuning.atomic_files import put_in_place, staged, write_text
    from tuning.page_templates import render
    from tuning.retrieval.adapter_data import load_corpora, load_kept_questions, load_questions

    random.seed(SEED)
    torch.manual_seed(SEED)
    embedder = open_frozen_embedder(state)
    model = embedder.sentence_transformer
    corpora = load_corpora(BANK, embedder)
    questions = load_questions(BANK)
    kept = load_kept_questions()
    kept_vectors = torch.tensor(embedder.encode_queries(kept))
    config = LoraConfig(
        r=RANK,
        lora_alpha=2 * RANK,
        lora_dropout=DROPOUT,
        target_modules=["query", "key", "value", "dense"],
    )
    adapted = get_peft_model(model[0].model, config)
    steps = int(epochs * len(questions) / BATCH)
    optimizer, scheduler = _optimizer(adapted, steps)
    for batch in _batches(questions, steps):
        rows = random.sample(range(len(kept)), KEPT_BATCH)
        texts = [question.question for _, question in batch] + [kept[row] for row in rows]
        vectors = _encode(adapted, model.tokenizer, texts)
        loss = sum(_loss(corpora[name], q, v) for (name, q), v in zip(batch, vectors, strict=False))
        moved = 1 - (vectors[BATCH:] * kept_vectors[rows]).sum(dim=1).mean()
        (loss / BATCH + KEEP * moved).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(adapted.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    staging = staged(out)
    adapted.half().save_pretrained(str(staging))
    write_text(staging / "README.md", render(CARD, steps=steps, seed=SEED, rank=RANK))
    put_in_place(staging, out)
    print(f"Saved the query adapter in {out}")


def _optimizer(model: Any, steps: int) -> tuple[Any, Any]:
    import torch

    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    warm = max(1, steps // 10)

    def share(step: int) -> float:
        return min(1.0, (step + 1) / warm) * max(0.02, 1 - step / steps)

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share)


def _batches(
    questions: "Sequence[tuple[str, AskedQuestion]]", steps: int
) -> "Iterator[list[tuple[str, AskedQuestion]]]":
    """Yield random batches; each question comes once before any comes again."""
    from tqdm import tqdm

    waiting: list[int] = []
    for _ in tqdm(range(steps), unit="step"):
        if len(waiting) < BATCH:
            waiting = random.sample(range(len(questions)), len(questions))
        yield [questions[waiting.pop()] for _ in range(BATCH)]


def _encode(model: Any, tokenizer: Any, texts: Sequence[str]) -> "torch.Tensor":
    """Return unit vectors of questions, of shape (len(texts), dimension)."""
    import torch

    from knowledge.models.bfloat16 import has_bfloat16

    batch = tokenizer(
        [f"query: {text}" for text in texts],
        padding=True,
        truncation=True,
        max_length=MAX_TOKENS,
        return_tensors="pt",
    )
    model.train()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16()):
        tokens = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state.float()
    mask = batch["attention_mask"][..., None].float()
    return torch.nn.functional.normalize((tokens * mask).sum(1) / mask.sum(1), dim=-1)


def _loss(corpus: "Corpus", question: "AskedQuestion", vector: "torch.Tensor") -> "torch.Tensor":
    """Return the negative log likelihood of the right article's passages."""
    import torch

    scores = corpus.vectors @ vector / TEMPERATURE
    candidates = torch.cat([scores, torch.tensor([NOTHING / TEMPERATURE])])
    return candidates.logsumexp(0) - scores[corpus.rows[question.article]].logsumexp(0)


if __name__ == "__main__":
    sys.exit(main())
