"""Questions with the article that answers each: what retrieval is trained and measured on.

Ours stand in ``tuning/data``: ``retrieval_train.*`` is trained on, by the bank's head also
``retrieval_head.*`` (short questions, and follow-ups behind what they follow, as the assistant
reads them); ``retrieval_dev.*`` was written before the articles it asks for and is only measured.
Of the public sets, BANKING77 is cut by its own development split and XQuAD by passages, every
second one for training.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledge.documents import Article
    from knowledge.models.embedder import Embedder
    from knowledge.retrieval.calibration import Calibration
    from knowledge.retrieval.query_head import QueryHead
    from knowledge.retrieval.retriever import Retriever

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the id of the right article ("" if none), and the language searched."""

    question: str
    article: str
    lang: str


def ours(name: str, lang: str) -> list[Asked]:
    """Return a set of ours.

    Args:
        name: The file's name without suffix, such as ``retrieval_dev.zh``.
        lang: The language of its questions.
    """
    lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [Asked(row["question"], row["article"], lang) for row in rows]


def read_questions(file: Path) -> list[Asked]:
    """Return a user's questions; their language is told from the text.

    Raises:
        ValueError: A line is not ``{"question": "…", "article": "…"}``; the message names it.
        FileNotFoundError: There is no such file.
    """
    from knowledge.segmenter import language_of

    asked = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            question = row["question"] + ""
            asked.append(Asked(question, row["article"] + "", language_of(question)))
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f'{file}:{number}: expected {{"question": "…", "article": "…"}}, '
                f"found {line[:80]!r}"
            ) from None
    return asked


def intent_examples(knowledge: Path, lang: str) -> list[Asked]:
    """Return the examples of a company's intents that an article answers."""
    from assistant.intents.intent_files import load_intents

    listed = load_intents(knowledge, lang)
    return [Asked(e, i.article, lang) for i in listed if i.article for e in i.examples]


def banking77(knowledge: Path, part: str) -> list[Asked]:
    """Return BANKING77's questions with the article that our intents file names for each intent."""
    from assistant.intents.intent_files import load_intents
    from tuning.public_data import banking77 as rows

    article = {intent.name: intent.article for intent in load_intents(knowledge, "en")}
    return [Asked(text, found, "en") for text, label in rows(part) if (found := article[label])]


def bank_training(knowledge: Path) -> list[Asked]:
    """Return all that Lantern Bank's retrieval is trained on, and what it must refuse."""
    from tuning.public_data import out_of_scope

    strange = [Asked(t, "", lang) for lang in ("en", "zh") for t in out_of_scope(lang, "train")]
    return [
        *strange,
        *banking77(knowledge, "train"),
        *ours("retrieval_train.en", "en"),
        *ours("retrieval_train.zh", "zh"),
        *ours("retrieval_head.en", "en"),
        *ours("retrieval_head.zh", "zh"),
        *intent_examples(knowledge, "en"),
        *intent_examples(knowledge, "zh"),
    ]


def xquad(lang: str, passages_lang: str, part: str) -> tuple[dict[str, str], list[Asked]]:
    """Return all of XQuAD's passages by id in one language, and a part's questions in another."""
    from tuning.public_data import xquad as rows

    passages, _ = rows(passages_lang)
    _, asked = rows(lang)
    kept = set(list(passages)[0 if part == "train" else 1 :: 2])
    return passages, [Asked(text, at, passages_lang) for text, at in asked if at in kept]


def retriever_of(
    articles: "Sequence[Article]",
    embedder: "Embedder",
    head: "QueryHead | None" = None,
    calibration: "Calibration | None" = None,
) -> "Retriever":
    """Return a retriever over articles in memory, such as those of a company of a public set.

    Args:
        articles: In one language or several.
        embedder: What encodes passages and queries.
        head: The company's own, if it has one.
        calibration: The company's own; None for the one for any company.
    """
    import datetime as dt

    from knowledge.build_index import embedded_text
    from knowledge.retrieval.calibration import Calibration
    from knowledge.retrieval.faiss_index import FaissIndex
    from knowledge.retrieval.retriever import Retriever
    from knowledge.retrieval.snapshot import Snapshot
    from knowledge.splitter import split

    ordered = sorted(articles, key=lambda article: article.lang)
    passages = [passage for article in ordered for passage in split(article)]
    vectors = embedder.encode_passages(
        [embedded_text(passage).lstrip(". ") for passage in passages]
    )
    snapshot = Snapshot(
        articles=tuple(ordered),
        passages=tuple(passages),
        index=FaissIndex.build(vectors),
        calibration=calibration or Calibration.load(),
        embedder=embedder.name,
        files={},
        day=dt.date.today(),
    )
    return Retriever(snapshot, embedder, head)
