"""Fits a company's query head: ``python -m tuning.query_head FOLDER``.

A query head is one matrix after the embedder that moves questions towards the articles that answer
them. It is fitted on the examples of the company's intents and, with ``--questions``, on lines
``{"question": "…", "article": "id"}`` (with an empty article if nothing answers), in a minute on
two cores. For the bank, BANKING77's training rows, this project's training questions and
out-of-scope messages are added.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.retrieval.query_head import QueryHead
    from tuning.retrieval.asked_questions import AskedQuestion

TEMPERATURE = 0.01
# The cosine of "no passage answers", as in ``tuning.query_adapter``.
NOTHING = 0.83
# Half of a batch is drawn from all questions, the other half article by article, so that articles
# with few questions count too.
HALF_BATCH = 128
LEARNING_RATE, DROPOUT = 1e-3, 0.2
# A logit for candidates that are excluded.
EXCLUDED = -1e4


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and save the head; return 1 if there are no questions."""
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
    parser.add_argument("--embedder", help="a folder or hub name; default: the shipped one")
    options = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError
    from knowledge.models.model_files import open_embedder

    try:
        questions = questions_for(options.folder, options.questions)
        embedder = open_embedder(options.embedder, options.state)
        head = fit(options.folder, questions, embedder, options.steps)
    except (AssistantError, KnowledgeError, FileNotFoundError, ValueError) as error:
        print(f"query_head: {error}", file=sys.stderr)
        return 1
    head.save(options.folder)
    print(f"Fitted on {len(questions)} questions. Saved in {options.folder / 'weights'}")
    return 0


def questions_for(folder: Path, extra: Path | None = None) -> "list[AskedQuestion]":
    """Return the questions to fit a folder's head on.

    Args:
        folder: The knowledge folder.
        extra: A JSONL file of further questions.

    Raises:
        ValueError: There are none, or a line of the extra file is wrong.
        FileNotFoundError: The bank's public data is missing.
    """
    from knowledge.build_index import BANK
    from tuning.retrieval.asked_questions import (
        LANGUAGES,
        bank_training,
        intent_examples,
        read_questions,
    )

    if folder.resolve() == BANK.resolve():
        questions = bank_training(folder)
    else:
        questions = [q for lang in LANGUAGES for q in intent_examples(folder, lang)]
    questions += read_questions(extra) if extra else []
    if not questions:
        raise ValueError(
            f"Expected questions in {folder / 'intents'} or in a file named by --questions, "
            f"found none."
        )
    return questions


def fit(
    folder: Path,
    questions: "Sequence[AskedQuestion]",
    embedder: "Embedder",
    steps: int = 2500,
    seed: int = 0,
) -> "QueryHead":
    """Return the head that makes the right article's passages the most likely ones.

    Args:
        folder: The knowledge folder.
        questions: The questions. Those for articles that the folder lacks are ignored; for those
            without an article, "no passage answers" is right.
        embedder: Encodes questions and passages.
        steps: The number of batches.
        seed: The seed of all random choices.

    Raises:
        ValueError: No question is for an article of the folder.
    """
    import torch

    from knowledge.retrieval.query_head import QueryHead

    torch.manual_seed(seed)
    vectors, right, searched = _passages(folder, questions, embedder)
    kept = right.any(dim=1).nonzero()[:, 0]
    if right[kept, -1].all():
        raise ValueError(f"Expected questions for articles of {folder}, found none.")
    queries = torch.tensor(embedder.encode_queries([questions[int(n)].question for n in kept]))
    layer = _fit(queries, vectors, right[kept], searched[kept], steps)
    matrix, bias = (weight.detach().numpy() for weight in (layer.weight, layer.bias))
    return QueryHead(matrix, bias, embedder.query_name)


def _passages(folder: Path, questions: "Sequence[AskedQuestion]", embedder: "Embedder") -> Any:
    """Return the passages' vectors, and for each question which are right and which are searched.

    The last column of both tables belongs to "no passage answers".
    """
    import torch

    from knowledge.build_index import current_articles, embedded_text
    from knowledge.splitter import split

    passages = [passage for article in current_articles(folder) for passage in split(article)]
    vectors = torch.tensor(embedder.encode_passages([embedded_text(p) for p in passages]))
    names = [(p.lang, p.article) for p in passages]
    right = [[(q.lang, q.article) == name for name in names] + [not q.article] for q in questions]
    searched = [[q.lang == lang for lang, _ in names] + [True] for q in questions]
    return vectors, torch.tensor(right), torch.tensor(searched)


def _fit(queries: Any, vectors: Any, right: Any, searched: Any, steps: int) -> Any:
    import torch
    from tqdm import tqdm

    layer = torch.nn.Linear(queries.shape[1], queries.shape[1])
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    # A question's weight is one over the number of questions with the same first right passage.
    group = right.int().argmax(dim=1)
    rare = 1.0 / torch.bincount(group)[group].float()
    for _ in tqdm(range(steps), desc="Fitting", unit="step"):
        batch = torch.cat(
            [torch.randint(len(queries), (HALF_BATCH,)), torch.multinomial(rare, HALF_BATCH, True)]
        )
        batch_queries = queries[batch]
        moved = batch_queries + layer(torch.nn.functional.dropout(batch_queries, DROPOUT))
        moved = torch.nn.functional.normalize(moved, dim=-1)
        cosines = torch.cat([moved @ vectors.T, torch.full((len(batch), 1), NOTHING)], dim=1)
        scores = (cosines / TEMPERATURE).masked_fill(~searched[batch], EXCLUDED)
        right_scores = scores.masked_fill(~right[batch], EXCLUDED)
        loss = (scores.logsumexp(1) - right_scores.logsumexp(1)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    return layer


if __name__ == "__main__":
    sys.exit(main())
