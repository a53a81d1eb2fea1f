"""When a tuned model's decline is meant: ``python -m tuning.answerability ADAPTER``.

How likely the model is to decline after reading what retrieval found tells questions that nothing
answers from others, if one knows where to cut: a small model declines too readily. The cut is set
on companies of the development part, so that a stated share of their answerable questions is lost,
and written beside the adapter's weights.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.generator import Generator
    from knowledge.embedder import Embedder

# Answerable questions that may be declined.
LOSS = 0.05


@dataclass(frozen=True, slots=True)
class Read:
    """One question after reading: the log probability of a decline, and what is true."""

    question: str
    doubt: float
    answerable: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write the thresholds; 1 where the adapter cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.answerability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.answerability var/sft/answers",
    )
    parser.add_argument("adapter", type=Path, help="the folder of an adapter")
    parser.add_argument("--loss", type=float, default=LOSS, help="default: %(default)s")
    parser.add_argument("--languages", nargs="+", choices=("en", "zh"), default=["en"])
    parser.add_argument("--generator", help="the base model; default: the one that ships")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    from assistant.config import load_settings
    from assistant.errors import AssistantError
    from assistant.generator import THRESHOLDS, open_generator
    from knowledge.errors import KnowledgeError
    from knowledge.model_files import open_embedder
    from tuning.outputs import write_json

    try:
        settings = load_settings(
            adapter=given.adapter, generator=given.generator, state=given.state, strategy="tuned"
        )
        generator = open_generator(settings)
        embedder = open_embedder(None, given.state)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"answerability: {error}", file=sys.stderr)
        return 1
    assert generator  # noqa: S101  # the strategy asks for one
    found = {
        lang: measured(list(doubts(generator, embedder, lang)), given.loss)
        for lang in given.languages
    }
    thresholds = {lang: entry["threshold"] for lang, entry in found.items()}
    write_json(given.adapter / THRESHOLDS, {"thresholds": thresholds, "measured": found})
    for lang, entry in found.items():
        print(f"{lang}: {', '.join(f'{key} {value:.3f}' for key, value in entry.items())}")
    return 0


def doubts(generator: "Generator", embedder: "Embedder", lang: str) -> Iterator[Read]:
    """Yield the development companies' questions, each after reading what retrieval finds."""
    from tqdm import tqdm

    from assistant.evidence import EvidenceSelector, as_hits
    from assistant.prompts import PromptTemplate
    from tuning.companies import load_companies
    from tuning.retrieval_data import retriever_of

    template = PromptTemplate.load("answer_tuned", lang)
    selector = EvidenceSelector(embedder)
    for company in (c for c in load_companies("dev") if c.lang == lang):
        retriever = retriever_of(company.articles, embedder)
        for pair in tqdm(company.pairs, desc=company.id, unit="question"):
            hits = retriever.retrieve(pair.question, lang)
            vector = embedder.encode_queries([pair.question])[0]
            ranking = selector.rank(pair.question, hits, retriever.lexical, vector)
            prompt = template.render(pair.question, as_hits(selector.select(ranking, lang)))
            doubt = generator.likelihood(prompt, template.decline)
            if doubt is not None:
                yield Read(pair.question, doubt, bool(pair.article))


def measured(read: Sequence[Read], loss: float) -> dict[str, Any]:
    """Return the threshold and what it is worth.

    Args:
        read: Of both kinds.
        loss: The share of answerable questions in [0, 1] that may lie above the threshold.
    """
    import numpy as np
    from sklearn.metrics import roc_auc_score

    doubt = np.array([entry.doubt for entry in read])
    answerable = np.array([entry.answerable for entry in read])
    threshold = float(np.quantile(doubt[answerable], 1 - loss))
    return {
        "threshold": round(threshold, 4),
        "auroc": float(roc_auc_score(~answerable, doubt)),
        "answerable_declined": float((doubt[answerable] > threshold).mean()),
        "unanswerable_declined": float((doubt[~answerable] > threshold).mean()),
        "questions": float(len(read)),
    }


if __name__ == "__main__":
    sys.exit(main())
