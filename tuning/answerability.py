"""When a tuned model's decline is meant: ``python -m tuning.answerability ADAPTER``.

How likely the model is to decline after reading what retrieval found tells questions that nothing
answers from others, if one knows where to cut: a small model declines too readily. Two cuts, from
which to decline and from which to ask back, are set on companies of the development part, so that
stated shares of their answerable questions are lost, and written beside the adapter's weights.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.adapters import Doubts
    from assistant.generator import Generator
    from knowledge.embedder import Embedder

# Shares of answerable questions that may be declined, and that may be asked back or declined.
DECLINED, ASKED_BACK = 0.02, 0.1


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
    for name, share in (("declined", DECLINED), ("asked-back", ASKED_BACK)):
        parser.add_argument(
            f"--{name}",
            type=float,
            default=share,
            metavar="SHARE",
            help="of answerable questions; default: %(default)s",
        )
    parser.add_argument("--languages", nargs="+", choices=("en", "zh"), default=["en"])
    parser.add_argument("--generator", help="the base model; default: the one that ships")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    if not 0 <= given.declined <= given.asked_back <= 1:
        parser.error(
            f"expected shares with 0 <= declined <= asked back <= 1, found {given.declined} and "
            f"{given.asked_back}"
        )
    from assistant.adapters import DOUBTS
    from assistant.config import load_settings
    from assistant.errors import AssistantError
    from assistant.generator import open_generator
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
    written: dict[str, dict[str, Any]] = {"thresholds": {}, "measured": {}}
    for lang in given.languages:
        read = list(doubts(generator, embedder, lang))
        limits, entry = measured(read, given.declined, given.asked_back)
        written["thresholds"][lang], written["measured"][lang] = asdict(limits), entry
        print(f"{lang}: {limits}; {', '.join(f'{key} {value}' for key, value in entry.items())}")
    write_json(given.adapter / DOUBTS, written)
    return 0


def doubts(generator: "Generator", embedder: "Embedder", lang: str) -> Iterator[Read]:
    """Yield the development companies' questions, each after reading what retrieval finds."""
    from tqdm import tqdm

    from assistant.evidence import EvidenceSelector, as_hits, runs_of
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
            runs = runs_of(selector.select(ranking, lang))
            prompt = template.render(pair.question, as_hits(runs))
            doubt = generator.likelihood(prompt, template.decline)
            if doubt is not None:
                yield Read(pair.question, doubt, bool(pair.article))


def measured(
    read: Sequence[Read], declined: float, asked_back: float
) -> "tuple[Doubts, dict[str, Any]]":
    """Return the two cuts and what they are worth.

    Args:
        read: Of both kinds.
        declined: The share of answerable questions in [0, 1] that may be declined.
        asked_back: The share that may be asked back or declined.
    """
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from assistant.adapters import Doubts

    doubt = np.array([entry.doubt for entry in read])
    answerable = np.array([entry.answerable for entry in read])
    high, low = (
        round(float(np.quantile(doubt[answerable], 1 - share)), 4)
        for share in (declined, asked_back)
    )
    told: dict[str, Any] = {
        "questions": len(read),
        "unanswerable": int((~answerable).sum()),
        "auroc": round(float(roc_auc_score(~answerable, doubt)), 3),
    }
    for name, cut in (("declined", high), ("asked back or declined", low)):
        for kind, rows in (("answerable", answerable), ("unanswerable", ~answerable)):
            told[f"{kind} {name}"] = round(float((doubt[rows] > cut).mean()), 3)
    return Doubts(ask_back=low, decline=high), told


if __name__ == "__main__":
    sys.exit(main())
