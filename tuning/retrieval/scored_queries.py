"""Scores the development questions: what ``tuning.calibrate`` fits and measures on."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tuning.retrieval.fit_fusion import ScoredQuery

if TYPE_CHECKING:
    from assistant.intents.classifier import IntentClassifier
    from knowledge.models.embedder import Embedder
    from knowledge.models.span_embedder import SpanEmbedder
    from knowledge.retrieval.retriever import Retriever
    from tuning.customer_messages import HelpCentre

SEED = 7
CANDIDATES = 60
# Out-of-scope messages per language, and questions of BANKING77.
OUT_OF_SCOPE, BANKING_ROWS = 100, 500

# Text, the ids of the articles that answer joined by "|" (None if there is none), and kind.
Question = tuple[str, str | None, str]


def bank_questions(folder: Path, lang: str) -> list[Question]:
    """Return the questions for the bank, sorted by kind and shuffled within each kind.

    Of a question that several articles answer, the first one counts.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    from tuning.customer_messages import help_centres
    from tuning.public_data import out_of_scope
    from tuning.retrieval.asked_questions import banking77, project_questions

    questions: list[Question] = []
    if lang == "en":
        rows = banking77(folder, "dev")
        questions += [(q.question, q.article, "banking77") for q in _sample(rows, BANKING_ROWS)]
    own = project_questions(f"retrieval_dev.{lang}", lang)
    questions += [(q.question, q.article, "development") for q in own]
    for centre in help_centres("dev", lang):
        if centre.name == f"bank-{lang}":
            questions += customer_questions(centre)
    messages = out_of_scope(lang, "dev")
    questions += [(text, None, "out_of_scope") for text in _sample(messages, OUT_OF_SCOPE)]
    random.Random(SEED).shuffle(questions)
    return sorted(questions, key=lambda question: question[2])


def _sample(rows: Sequence[Any], count: int) -> list[Any]:
    return random.Random(SEED).sample(rows, min(count, len(rows)))


def customer_questions(centre: "HelpCentre") -> list[Question]:
    """Return the messages that a help centre's customers typed."""
    return [
        (m.question, "|".join(m.articles) or None, "customers" if m.articles else "unanswered")
        for m in centre.messages
    ]


def company_queries(
    lang: str, embedder: "Embedder", spans: "Sequence[SpanEmbedder]"
) -> list[ScoredQuery]:
    """Return the development companies' questions, each searched in its own company's articles."""
    from tuning.companies import load_companies
    from tuning.customer_messages import help_centres
    from tuning.retrieval.asked_questions import retriever_of

    queries = []
    for centre in help_centres("dev", lang):
        if centre.name != f"bank-{lang}":
            retriever = retriever_of(centre.articles, embedder, spans=spans)
            queries += score(customer_questions(centre), lang, retriever, embedder, None)
    for company in load_companies("dev"):
        if company.lang == lang:
            questions: list[Question] = [
                (pair.question, pair.article or None, "companies" if pair.article else "near")
                for pair in company.pairs
            ]
            retriever = retriever_of(company.articles, embedder, spans=spans)
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
                [hit.near for hit in hits],
                [hit.asked for hit in hits],
            )
        ]
        queries.append(ScoredQuery(kind, right, articles, *columns))
    return queries
