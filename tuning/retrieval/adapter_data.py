"""The data of the query adapter: passages, questions that they answer, and questions to keep."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from tuning.retrieval.asked_questions import AskedQuestion

# BANKING77's and CLINC150's questions are drawn, so that they do not outnumber all others.
BANKING_ROWS, CLINC_ROWS = 4000, 4000
# How often rarer questions are repeated.
PROJECT_TIMES, CHINESE_TIMES, XQUAD_TIMES = 4, 3, 2


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages of one language: their frozen vectors, and the rows of each article."""

    vectors: "torch.Tensor"
    rows: dict[str, list[int]]

    @classmethod
    def encode(cls, embedder: Any, texts: Sequence[str], articles: Sequence[str]) -> "Corpus":
        """Encode passages; ``articles`` names the article of each."""
        import torch

        rows: dict[str, list[int]] = {}
        for row, article in enumerate(articles):
            rows.setdefault(article, []).append(row)
        return cls(torch.tensor(embedder.encode_passages(list(texts))), rows)


def load_corpora(bank: Path, embedder: Any) -> dict[str, Corpus]:
    """Return the corpora ``bank-en``, ``bank-zh``, ``xquad-en`` and ``xquad-zh``."""
    from knowledge.build_index import current_articles, embedded_text
    from knowledge.splitter import split
    from tuning.retrieval.asked_questions import LANGUAGES, xquad

    corpora = {}
    for lang in LANGUAGES:
        articles = [article for article in current_articles(bank) if article.lang == lang]
        passages = [passage for article in articles for passage in split(article)]
        corpora[f"bank-{lang}"] = Corpus.encode(
            embedder, [embedded_text(p) for p in passages], [p.article for p in passages]
        )
    for lang in LANGUAGES:
        texts, _ = xquad(lang, lang, "train")
        corpora[f"xquad-{lang}"] = Corpus.encode(embedder, list(texts.values()), list(texts))
    return corpora


def load_questions(bank: Path) -> "list[tuple[str, AskedQuestion]]":
    """Return each question with the name of the corpus that answers it; rarer kinds repeat."""
    from tuning.retrieval.asked_questions import (
        LANGUAGES,
        banking77,
        intent_examples,
        project_questions,
        xquad,
    )

    questions = _sample(banking77(bank, "train"), BANKING_ROWS)
    own = [q for lang in LANGUAGES for q in project_questions(f"retrieval_train.{lang}", lang)]
    questions += PROJECT_TIMES * own
    questions += CHINESE_TIMES * intent_examples(bank, "zh")
    named = [(f"bank-{question.lang}", question) for question in questions]
    for lang, other in (("en", "en"), ("zh", "zh"), ("en", "zh"), ("zh", "en")):
        times = XQUAD_TIMES if lang == other else 1
        named += times * [(f"xquad-{other}", q) for q in xquad(lang, other, "train")[1]]
    return named


def load_kept_questions() -> list[str]:
    """Return questions of many subjects that the adapter must leave where they are."""
    from tuning.public_data import clinc150, out_of_scope
    from tuning.retrieval.asked_questions import LANGUAGES, xquad

    kept = _sample([text for text, _ in clinc150("train")], CLINC_ROWS)
    kept += out_of_scope("zh", "train")
    for lang in LANGUAGES:
        kept += [question.question for question in xquad(lang, lang, "train")[1]]
    return kept


def _sample(rows: Sequence[Any], count: int) -> list[Any]:
    return random.sample(rows, min(count, len(rows)))
