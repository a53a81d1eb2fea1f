"""Trains the query adapter: ``python -m tuning.query_adapter``.

LoRA weights (Hu et al. 2021) that move a customer's question towards the passages that answer it.
Passages keep the vectors of the frozen embedder, so an index outlives the adapter, and only short
texts are trained on (query-side fine-tuning, Lee et al. 2021, arXiv 2012.12624). The loss is the
log likelihood of the right article's passages among all; questions of other subjects are held where
they were, so that other companies' retrieval does not suffer.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from tuning.retrieval.asked_questions import Asked

TEMPERATURE = 0.03
# The cosine of "none of them", which stands beside the passages in the loss. Without it only
# differences count, and cosines drift until they say nothing about a single passage.
NONE = 0.83
BATCH, HELD_BATCH = 48, 16
MAX_TOKENS = 48
RANK = 16


CARD = """---
base_model: intfloat/multilingual-e5-small
library_name: peft
license: cc-by-sa-4.0
language: [en, zh]
---

# Query adapter

LoRA weights (rank 16, all linear layers, float16) for multilingual-e5-small (MIT, Wang et al. 2024,
arXiv 2402.05672). They change how a customer's question is encoded; passages are encoded by the
base model as it was published. Made by `python -m tuning.query_adapter` ({steps} steps, seed
{seed}) on two processor cores in about 12 minutes.

Trained on questions with the passages that answer them:

- BANKING77's training rows without the development split (CC BY 4.0, Casanueva et al. 2020, arXiv
  2003.04807), with the articles of this project that answer each intent;
- this project's own questions and intent examples (Apache-2.0);
- every second passage of XQuAD with its questions, English and Chinese, within and across the
  languages (CC BY-SA 4.0, Artetxe et al. 2020, arXiv 1910.11856), hence the licence above.

Questions of CLINC150 (CC BY 3.0, Larson et al. 2019) and CrossWOZ (Apache-2.0, Zhu et al. 2020) are
held where the base model puts them. What it is worth, also where it loses, stands in
`docs/knowledge.md`; `python -m benchmarks.ranking` measures it.
"""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages of one language with their frozen vectors, and the rows of each article."""

    vectors: "torch.Tensor"
    rows: dict[str, list[int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save the adapter; 2 where the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.query_adapter",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.query_adapter --out var/adapter",
    )
    parser.add_argument("--out", type=Path, help="default: the folder that the product reads")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--banking-rows", type=int, default=4000, help="default: %(default)s")
    parser.add_argument("--epochs", type=float, default=1.0, help="default: %(default)s")
    parser.add_argument("--learning-rate", type=float, default=4e-4, help="default: %(default)s")
    parser.add_argument("--hold", type=float, default=2.0, help="weight of the held questions")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    given = parser.parse_args(arguments)
    from tuning.public_data import is_data_missing

    if is_data_missing("query_adapter"):
        return 2
    _train(given)
    return 0


def _train(given: argparse.Namespace) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    from knowledge.build_index import BANK
    from knowledge.models.model_files import QUERY_ADAPTER, open_frozen_embedder

    random.seed(given.seed)
    torch.manual_seed(given.seed)
    embedder = open_frozen_embedder(given.state)
    model = embedder.sentence_transformer
    corpora = {**_bank(BANK, embedder), **_xquad(embedder)}
    asked = _questions(BANK, given.banking_rows)
    held = _held()
    held_vectors = torch.tensor(embedder.encode_queries(held))
    config = LoraConfig(
        r=RANK,
        lora_alpha=2 * RANK,
        lora_dropout=0.05,
        target_modules=["query", "key", "value", "dense"],
    )
    adapted = get_peft_model(model[0].model, config)
    steps = int(given.epochs * len(asked) / BATCH)
    optimizer, scheduler = _optimizer(adapted, given.learning_rate, steps)
    for batch in _batches(asked, steps):
        some = random.sample(range(len(held)), HELD_BATCH)
        texts = [question.question for _, question in batch] + [held[n] for n in some]
        vectors = _encode(adapted, model.tokenizer, texts)
        loss = sum(_loss(corpora[name], q, v) for (name, q), v in zip(batch, vectors, strict=False))
        moved = 1 - (vectors[BATCH:] * held_vectors[some]).sum(dim=1).mean()
        (loss / BATCH + given.hold * moved).backward()
        torch.nn.utils.clip_grad_norm_(adapted.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    out = given.out or QUERY_ADAPTER
    adapted.half().save_pretrained(str(out))
    (out / "README.md").write_text(CARD.format(steps=steps, seed=given.seed), encoding="utf-8")
    print(f"saved the query adapter in {out}")


def _bank(folder: Path, embedder: Any) -> dict[str, Corpus]:
    import torch

    from knowledge.build_index import current_articles, embedded_text
    from knowledge.splitter import split

    corpora = {}
    for lang in ("en", "zh"):
        articles = [a for a in current_articles(folder) if a.lang == lang]
        passages = [passage for article in articles for passage in split(article)]
        vectors = torch.tensor(embedder.encode_passages([embedded_text(p) for p in passages]))
        corpora[f"bank-{lang}"] = Corpus(vectors, _rows([p.article for p in passages]))
    return corpora


def _xquad(embedder: Any) -> dict[str, Corpus]:
    import torch

    from tuning.retrieval.asked_questions import xquad

    corpora = {}
    for lang in ("en", "zh"):
        passages, _ = xquad(lang, lang, "train")
        vectors = torch.tensor(embedder.encode_passages(list(passages.values())))
        corpora[f"xquad-{lang}"] = Corpus(vectors, _rows(list(passages)))
    return corpora


def _rows(names: Sequence[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return rows


def _questions(folder: Path, banking_rows: int) -> "list[tuple[str, Asked]]":
    """Return each question with the name of the corpus that answers it; rarer kinds repeat."""
    from tuning.retrieval.asked_questions import banking77, intent_examples, ours, xquad

    bank = random.sample(banking77(folder, "train"), banking_rows)
    bank += 4 * (ours("retrieval_train.en", "en") + ours("retrieval_train.zh", "zh"))
    bank += 3 * intent_examples(folder, "zh")
    asked = [(f"bank-{question.lang}", question) for question in bank]
    for lang, other in (("en", "en"), ("zh", "zh"), ("en", "zh"), ("zh", "en")):
        times = 2 if lang == other else 1
        asked += times * [(f"xquad-{other}", q) for q in xquad(lang, other, "train")[1]]
    return asked


def _held() -> list[str]:
    """Return questions of many subjects that should stay where the frozen embedder puts them."""
    from tuning.public_data import clinc150, out_of_scope
    from tuning.retrieval.asked_questions import xquad

    held = random.sample([text for text, _ in clinc150("train")], 4000) + out_of_scope(
        "zh", "train"
    )
    for lang in ("en", "zh"):
        held += [question.question for question in xquad(lang, lang, "train")[1]]
    return held


def _optimizer(model: Any, rate: float, steps: int) -> tuple[Any, Any]:
    import torch

    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=0.01)
    warm = max(1, steps // 10)

    def share(step: int) -> float:
        return min(1.0, (step + 1) / warm) * max(0.02, 1 - step / steps)

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share)


def _batches(
    asked: "Sequence[tuple[str, Asked]]", steps: int
) -> "Iterator[list[tuple[str, Asked]]]":
    from tqdm import tqdm

    waiting: list[int] = []
    for _ in tqdm(range(steps), unit="step"):
        if len(waiting) < BATCH:
            waiting = random.sample(range(len(asked)), len(asked))
        yield [asked[waiting.pop()] for _ in range(BATCH)]


def _encode(model: Any, tokenizer: Any, texts: Sequence[str]) -> "torch.Tensor":
    import torch

    from knowledge.models.bfloat16 import has_bfloat16

    asked = [f"query: {text}" for text in texts]
    batch = tokenizer(
        asked, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
    )
    model.train()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16()):
        tokens = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state.float()
    mask = batch["attention_mask"][..., None].float()
    return torch.nn.functional.normalize((tokens * mask).sum(1) / mask.sum(1), dim=-1)


def _loss(corpus: Corpus, question: "Asked", vector: "torch.Tensor") -> "torch.Tensor":
    import torch

    scores = corpus.vectors @ vector / TEMPERATURE
    everything = torch.cat([scores, torch.tensor([NONE / TEMPERATURE])])
    return everything.logsumexp(0) - scores[corpus.rows[question.article]].logsumexp(0)


if __name__ == "__main__":
    sys.exit(main())
