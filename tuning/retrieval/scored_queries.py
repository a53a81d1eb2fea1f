"""Scores the development questions: what ``tuning.calibrate`` fits and measures on."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tuning.retrieval.fit_fusion import ScoredQuery

if TYPE_CHECKING:
    from assistant.intents.classifier import IntentClassifier
    from knowledge.models.embedder import Embedder
    from knowledge.retrieval.retriever import Retriever

SEED = 7
CANDIDATES = 60
# Out-of-scope messages per language.
OUT_OF_SCOPE = 100

# Text, the id of the article that answers (None if there is none), and kind.
Question = tuple[str, str | None, str]


def bank_questions(folder: Path, lang: str) -> list[Question]:
    """Return the questions for the bank, sorted by kind and shuffled within each kind.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    from tuning.public_data import out_of_scope
    from tuning.retrieval.asked_questions import banking77, project_questions

    questions: list[Question] = []
    if lang == "en":
        questions += [(q.question, q.article, "banking77") for q in banking77(folder, "dev")]
    own = project_questions(f"retrieval_dev.{lang}", lang)
    questions += [(q.question, q.article, "development") for q in own]
    messages = out_of_scope(lang, "dev")
    sample = random.Random(SEED).sample(messages, min(OUT_OF_SCOPE, len(messages)))
    questions += [(text, None, "out_of_scope") for text in sample]
    random.Random(SEED).shuffle(questions)
    return sorted(questions, key=lambda question: question[2])


def company_queries(lang: str, embedder: "Embedder") -> list[ScoredQuery]:
    """Return the development companies' questions, each searched in its own company's articles."""
    from tuning.companies import load_companies
    from tuning.retrieval.asked_questions import retriever_of

    queries = []
    for company in load_companies("dev"):
        if company.lang == lang:
            questions: list[Question] = [
                (pair.question, pair.article or None, "companies" if pair.article else "near")
                for pair in company.pairs
            ]
            retriever = retriever_of(company.articles, embedder)
            queries += score(questions, lang, retriever, embedder, None)
    return queries


def score(
    questions: Sequence[Question],
    lang: str,
    retriever: "Retriever",
    embedder: "Embedder",
    intents: "IntentClassifier | None",
) -> list[ScoredQuery]:
    """Return questions with their candidates' scores.

    Args:
        questions: The questions.
        lang: The language to search.
        retriever: Finds the candidates.
        embedder: Encodes the questions.
        intents: Gives the articles' priors; None for no priors.
    """
    from tqdm import tqdm

    vectors = embedder.encode_queries([text for text, _, _ in questions])
    queries = []
    for (text, right, kind), vector in tqdm(
        zip(questions, vectors, strict=True), total=len(questions), desc=lang
    ):
        prior = (intents.predict(text, vector).articles or {}) if intents else {}
        hits = retriever.retrieve({text: vector}, lang, top_k=CANDIDATES, prior=prior)
        articles = tuple(hit.passage.article for hit in hits)
        columns = [
            np.array(values, dtype=np.float32)
            for values in (
                [hit.dense for hit in hits],
                [hit.lexical for hit in hits],
                [prior.get(article, 0.0) for article in articles],
            )
        ]
        queries.append(ScoredQuery(kind, right, articles, *columns))
    return queries
