"""Questions with the article that answers each; retrieval is trained and measured on them.

This project's own questions are in ``tuning/data``. ``retrieval_train.*`` is for training; the
bank's query head is also trained on ``retrieval_head.*`` (short questions, and follow-ups after the
messages they follow, as the assistant reads them). ``retrieval_dev.*`` was written before the
articles it asks for and is for measuring only. Of the public sets, BANKING77 is split by its own
development rows; every second passage of XQuAD is for training.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.json_lines import read_json_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledge.documents import Article
    from knowledge.models.embedder import Embedder
    from knowledge.models.span_embedder import SpanEmbedder
    from knowledge.retrieval.calibration import Calibration
    from knowledge.retrieval.query_head import QueryHead
    from knowledge.retrieval.retriever import Retriever

DATA = Path(__file__).parent.parent / "data"
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, the id of the article that answers it ("" if none), and the search language."""

    question: str
    article: str
    lang: str


def project_questions(name: str, lang: str) -> list[AskedQuestion]:
    """Return a set of this project's questions.

    Args:
        name: The file's name without suffix, such as ``retrieval_dev.zh``.
        lang: The language of its questions.
    """
    rows = read_json_lines(DATA / f"{name}.jsonl")
    return [AskedQuestion(row["question"], row["article"], lang) for row in rows]


def read_questions(file: Path) -> list[AskedQuestion]:
    """Read a user's questions and detect their language.

    Raises:
        ValueError: A line is not ``{"question": "…", "article": "…"}``; the message names it.
        FileNotFoundError: There is no such file.
    """
    from knowledge.segmenter import language_of

    questions = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            text = row["question"] + ""
            questions.append(AskedQuestion(text, row["article"] + "", language_of(text)))
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f'{file}:{number}: expected {{"question": "…", "article": "…"}}, '
                f"found {line[:80]!r}"
            ) from None
    return questions


def intent_examples(knowledge: Path, lang: str) -> list[AskedQuestion]:
    """Return the examples of a company's intents that have an article."""
    from assistant.intents.intent_files import load_intents

    intents = load_intents(knowledge, lang)
    return [AskedQuestion(e, i.article, lang) for i in intents if i.article for e in i.examples]


def banking77(knowledge: Path, part: str) -> list[AskedQuestion]:
    """Return BANKING77's questions with the article that the intent file names for each intent."""
    from assistant.intents.intent_files import load_intents
    from tuning.public_data import banking77 as rows

    articles = {intent.name: intent.article for intent in load_intents(knowledge, "en")}
    return [
        AskedQuestion(text, article, "en")
        for text, label in rows(part)
        if (article := articles[label])
    ]


def bank_training(knowledge: Path) -> list[AskedQuestion]:
    """Return all training questions of Lantern Bank's query head, also those to refuse."""
    from tuning.public_data import out_of_scope

    return [
        *(AskedQuestion(t, "", lang) for lang in LANGUAGES for t in out_of_scope(lang, "train")),
        *banking77(knowledge, "train"),
        *(q for lang in LANGUAGES for q in project_questions(f"retrieval_train.{lang}", lang)),
        *(q for lang in LANGUAGES for q in project_questions(f"retrieval_head.{lang}", lang)),
        *(q for lang in LANGUAGES for q in intent_examples(knowledge, lang)),
    ]


def xquad(lang: str, passages_lang: str, part: str) -> tuple[dict[str, str], list[AskedQuestion]]:
    """Return all XQuAD passages by id in one language, and a part's questions in another."""
    from tuning.public_data import xquad as rows

    passages, _ = rows(passages_lang)
    _, questions = rows(lang)
    kept = set(list(passages)[0 if part == "train" else 1 :: 2])
    return passages, [
        AskedQuestion(text, at, passages_lang) for text, at in questions if at in kept
    ]


def retriever_of(
    articles: "Sequence[Article]",
    embedder: "Embedder",
    head: "QueryHead | None" = None,
    calibration: "Calibration | None" = None,
    spans: "Sequence[SpanEmbedder]" = (),
) -> "Retriever":
    """Return a retriever over articles in memory, such as those of a company of a public set.

    Args:
        articles: Articles in one or several languages.
        embedder: Encodes passages and queries.
        head: The company's query head, if it has one.
        calibration: The company's calibration; None for that of any company.
        spans: The span embedders.
    """
    import datetime as dt
    import tempfile

    from knowledge.build_index import embedded_text
    from knowledge.retrieval.calibration import Calibration
    from knowledge.retrieval.faiss_index import FaissIndex
    from knowledge.retrieval.retriever import Retriever
    from knowledge.retrieval.snapshot import Snapshot
    from knowledge.retrieval.span_store import open_span_indexes
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
    with tempfile.TemporaryDirectory() as folder:
        indexes = open_span_indexes(snapshot, spans, Path(folder))
    return Retriever(snapshot, embedder, head, spans=indexes)
