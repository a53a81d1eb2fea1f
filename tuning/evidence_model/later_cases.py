"""Later turns as the evidence model reads them: written conversations, and turns made by rule.

A turn made by rule is a question that follows another one of the same article, without the words
that both or the title have; or one of another article, or one that nothing answers. The name of
its file, ``made``, marks it.
"""

import random
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from knowledge.documents import Article, Passage
from knowledge.models.turn_before import TurnBefore
from tuning.customer_messages import supports
from tuning.evidence_model.cases import EvidenceCase, case_passage, holds, place_passage

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.models.span_embedder import SpanEmbedder
    from knowledge.retrieval.retriever import Retriever
    from tuning.companies import Company
    from tuning.customer_messages import HelpCentre
    from tuning.customer_talks import Talks, Turn

# Passages that the two readings of a later message find.
FOUND = 6
# The share of turns made by rule that change the subject, and of those that nothing answers.
CHANGES, UNANSWERED = 0.25, 0.08
# How a customer begins another subject; most begin without a word.
OPENINGS = {
    "en": ("", "", "", "another thing, ", "also ", "btw ", "different question: "),
    "zh": ("", "", "", "另外", "对了 ", "还有个事 ", "顺便问下 "),
}
_WORDS = {"en": re.compile(r"[a-z']{4,}"), "zh": re.compile(r"[㐀-鿿]{2,}")}


def talk_cases(
    talks: "Talks", embedder: "Embedder", spans: "Sequence[SpanEmbedder]"
) -> Iterator[EvidenceCase]:
    """Yield a case for each later turn that is answered or declined."""
    retriever = _retriever(talks.centre.articles, embedder, spans)
    for turn in (turn for talk in talks.talks for turn in talk):
        if turn.last and turn.expect in ("answer", "decline"):
            case = _case(talks.centre, retriever, embedder, turn)
            if case:
                yield case


def _retriever(
    articles: Sequence[Article], embedder: "Embedder", spans: "Sequence[SpanEmbedder]"
) -> "Retriever":
    from tuning.retrieval.asked_questions import retriever_of

    return retriever_of(articles, embedder, spans=spans)


def _case(
    centre: "HelpCentre", retriever: "Retriever", embedder: "Embedder", turn: "Turn"
) -> EvidenceCase | None:
    assert turn.last  # noqa: S101  # a later turn
    places = list(supports(turn.message, centre.articles))
    shown = _found(retriever, embedder, centre.lang, turn.text, turn.last, turn.cited)
    known = {id(passage) for passage, _ in shown}
    shown += [(p, 0.0) for p in retriever.passages if id(p) not in known and holds(p, places)]
    passages = [place_passage(passage, score, places) for passage, score in shown]
    if turn.message.articles and not any(any(passage.gold) for passage in passages):
        return None
    article = (*turn.message.articles, "")[0]
    lang: Any = centre.lang
    last = turn.last
    return EvidenceCase(centre.name, lang, turn.text, article, passages, last.question, last.answer)


def _found(
    retriever: "Retriever",
    embedder: "Embedder",
    lang: str,
    text: str,
    last: TurnBefore,
    cited: Sequence[str],
) -> list[tuple[Passage, float]]:
    readings = [text, f"{last.question} {text}"]
    vectors = dict(zip(readings, embedder.encode_queries(readings), strict=True))
    hits = retriever.retrieve(vectors, lang, top_k=FOUND, also=cited[:2], before=last)
    return [(hit.passage, hit.score) for hit in hits]


def made_cases(company: "Company", embedder: "Embedder", seed: int) -> Iterator[EvidenceCase]:
    """Yield a later turn made by rule for each question that is answered, and for some others.

    Args:
        company: One of ``tuning/data/companies``.
        embedder: Finds the passages.
        seed: Of all random choices.
    """
    chance = random.Random(f"{seed} {company.id}")
    retriever = _retriever(company.articles, embedder, ())
    titles = {article.id: article.title for article in company.articles}
    answered = [pair for pair in company.pairs if pair.article]
    for pair in company.pairs:
        others = [p for p in answered if p.article != pair.article]
        same = [p for p in answered if p.article == pair.article and p.answer != pair.answer]
        if not same and not others:
            continue
        is_change = not same or bool(others and chance.random() < CHANGES)
        before = chance.choice(others if is_change else same)
        if pair.article and not is_change:
            text = without_shared_words(
                pair.question, f"{before.question} {titles[pair.article]}", company.lang
            )
        elif not pair.article and chance.random() > UNANSWERED * 4:
            continue
        else:
            text = chance.choice(OPENINGS[company.lang]) + pair.question
        last = TurnBefore(before.question, before.answer)
        shown = _found(retriever, embedder, company.lang, text, last, (before.article,))
        if pair.article and pair.article not in {passage.article for passage, _ in shown}:
            shown += [(p, 0.0) for p in retriever.passages if p.article == pair.article]
        passages = [
            case_passage(p, score, pair.answer if p.article == pair.article else "")
            for p, score in shown
        ]
        lang: Any = company.lang
        yield EvidenceCase(
            company.id, lang, text, pair.article, passages, last.question, last.answer
        )


def without_shared_words(question: str, known: str, lang: str) -> str:
    """Return a question without what the conversation says already, if enough remains.

    Args:
        question: The customer's question.
        known: The question before it, and the title of the article.
        lang: "en" or "zh".
    """
    parts = _WORDS[lang].findall(known.lower())
    if lang == "en":
        rest = question
        for word in parts:
            rest = re.sub(rf"\b{re.escape(word)}\b", "", rest, flags=re.IGNORECASE)
    else:
        shared = {p[i : i + 2] for p in parts for i in range(len(p) - 1)}
        starts = [i for i in range(len(question) - 1) if question[i : i + 2] in shared]
        gone = {*starts, *(i + 1 for i in starts)}
        rest = "".join(c for i, c in enumerate(question) if i not in gone)
    rest = re.sub(r"\s{2,}", " ", rest).strip(" ,，")
    left = len(re.findall(r"\w+" if lang == "en" else r"[㐀-鿿]", rest))
    return rest if left >= (3 if lang == "en" else 4) else question
