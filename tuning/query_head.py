"""Fits a company's query head: ``python -m tuning.query_head FOLDER``.

One matrix on top of the embedder moves questions towards the articles that answer them. It learns
from the examples of the company's intents and, with ``--questions``, from lines
``{"question": "…", "article": "id"}`` (an empty article: nothing answers it); a minute on two
cores. For the bank, BANKING77's training rows, our own training questions and out-of-scope messages
are added.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.retrieval.query_head import QueryHead
    from tuning.retrieval.asked_questions import Asked

TEMPERATURE = 0.01
# The cosine of "none of them", as in ``tuning.query_adapter``.
NONE = 0.83
# Half of a batch is drawn from all questions, half article by article, so that the articles with
# few questions are learned too.
HALF_BATCH = 128
DROPOUT = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and save the head; 1 where there is nothing to learn from."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.query_head",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.query_head ./help-centre --questions asked.jsonl",
    )
    from knowledge.build_index import BANK

    parser.add_argument("folder", nargs="?", type=Path, default=BANK, help="default: the bank")
    parser.add_argument("--questions", type=Path, help="a JSONL file of questions and articles")
    parser.add_argument("--steps", type=int, default=2500, help="default: %(default)s")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--embedder", help="a folder or hub name; default: the one that ships")
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import open_embedder

    try:
        asked = questions_for(given.folder, given.questions)
        embedder = open_embedder(given.embedder, given.state)
        head = fit(given.folder, asked, embedder, given.steps)
    except (AssistantError, KnowledgeError, FileNotFoundError, ValueError) as error:
        print(f"query_head: {error}", file=sys.stderr)
        return 1
    head.save(given.folder)
    print(f"fitted on {len(asked)} questions; saved in {given.folder / 'weights'}")
    return 0


def questions_for(folder: Path, extra: Path | None = None) -> "list[Asked]":
    """Return the questions that a folder's head is fitted on.

    Raises:
        ValueError: There are none, or a line of the extra file is wrong.
        FileNotFoundError: The bank's public data is missing.
    """
    from knowledge.build_index import BANK
    from tuning.retrieval.asked_questions import bank_training, intent_examples, read_questions

    if folder.resolve() == BANK.resolve():
        asked = bank_training(folder)
    else:
        asked = [q for lang in ("en", "zh") for q in intent_examples(folder, lang)]
    asked += read_questions(extra) if extra else []
    if not asked:
        raise ValueError(
            f"Expected questions in {folder / 'intents'} or in a file named by --questions, "
            f"found none."
        )
    return asked


def fit(
    folder: Path, asked: "Sequence[Asked]", embedder: "Embedder", steps: int = 2500, seed: int = 0
) -> "QueryHead":
    """Return the head that makes the right article's passages most likely among all.

    Args:
        folder: The knowledge folder.
        asked: The questions; those for articles that the folder lacks are passed over, those
            without an article are answered by none.
        embedder: What makes the vectors.
        steps: How many batches.
        seed: What the drawing of batches begins with.
    """
    import torch

    from knowledge.retrieval.query_head import QueryHead

    torch.manual_seed(seed)
    vectors, right, searched = _passages(folder, asked, embedder)
    kept = right.any(dim=1).nonzero()[:, 0]
    if right[kept, -1].all():
        raise ValueError(f"Expected questions for articles of {folder}, found none.")
    queries = torch.tensor(embedder.encode_queries([asked[int(n)].question for n in kept]))
    layer = _fit(queries, vectors, right[kept], searched[kept], steps)
    matrix, bias = (weight.detach().numpy() for weight in (layer.weight, layer.bias))
    return QueryHead(matrix, bias, embedder.query_name)


def _passages(folder: Path, asked: "Sequence[Asked]", embedder: "Embedder") -> Any:
    """Return the passages' vectors, and for each question which are right and which searched.

    The last column of both tables stands for "none of them".
    """
    import torch

    from knowledge.build_index import current_articles, embedded_text
    from knowledge.splitter import split

    passages = [passage for article in current_articles(folder) for passage in split(article)]
    vectors = torch.tensor(embedder.encode_passages([embedded_text(p) for p in passages]))
    names = [(p.lang, p.article) for p in passages]
    right = [[(q.lang, q.article) == name for name in names] + [not q.article] for q in asked]
    searched = [[q.lang == lang for lang, _ in names] + [True] for q in asked]
    return vectors, torch.tensor(right), torch.tensor(searched)


def _fit(queries: Any, vectors: Any, right: Any, searched: Any, steps: int) -> Any:
    import torch
    from tqdm import tqdm

    layer = torch.nn.Linear(queries.shape[1], queries.shape[1])
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-3, weight_decay=0.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    # A question's weight is one over the number of questions that share its first right passage.
    group = right.int().argmax(dim=1)
    rare = 1.0 / torch.bincount(group)[group].float()
    for _ in tqdm(range(steps), desc="Fitting", unit="step"):
        batch = torch.cat(
            [torch.randint(len(queries), (HALF_BATCH,)), torch.multinomial(rare, HALF_BATCH, True)]
        )
        asked = queries[batch]
        moved = asked + layer(torch.nn.functional.dropout(asked, DROPOUT))
        moved = torch.nn.functional.normalize(moved, dim=-1)
        cosines = torch.cat([moved @ vectors.T, torch.full((len(batch), 1), NONE)], dim=1)
        scores = (cosines / TEMPERATURE).masked_fill(~searched[batch], -1e4)
        found = scores.masked_fill(~right[batch], -1e4)
        loss = (scores.logsumexp(1) - found.logsumexp(1)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    return layer


if __name__ == "__main__":
    sys.exit(main())
