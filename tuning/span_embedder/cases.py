"""The cases of the training: a message, its passage, and the sentences of it that answer."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from knowledge.documents import Article, Passage
from knowledge.segmenter import Span, sentences
from knowledge.splitter import split
from tuning.customer_messages import CustomerMessage, HelpCentre, supports


@dataclass(frozen=True, slots=True)
class Corpus:
    """A company's passages in one language, with the sentences of each."""

    name: str
    passages: Sequence[Passage]
    spans: Sequence[Sequence[Span]]

    @classmethod
    def of(cls, name: str, articles: Sequence[Article]) -> "Corpus":
        """Split articles as the index does."""
        passages = [passage for article in articles for passage in split(article)]
        return cls(name, passages, [sentences(p.text, p.lang) for p in passages])

    def places(self, article: str, start: int, end: int) -> Iterator[tuple[int, list[int]]]:
        """Yield each passage that holds a range of an article, with the sentences in it."""
        for number, passage in enumerate(self.passages):
            if passage.article != article:
                continue
            first, last = start - passage.start, end - passage.start
            held = [n for n, s in enumerate(self.spans[number]) if s.start < last and s.end > first]
            if held:
                yield number, held


@dataclass(slots=True)
class SpanCase:
    """A message of a company's customer.

    Attributes:
        corpus: The name of the company's corpus.
        question: What the customer typed.
        articles: The articles that answer: none of their passages is a wrong one.
        passage: The number of the passage that answers; -1 as long as it is not known.
        sentences: The numbers of its sentences that answer; empty where that is not known.
    """

    corpus: str
    question: str
    articles: tuple[str, ...]
    passage: int = -1
    sentences: list[int] = field(default_factory=list)


def cases_of(centre: HelpCentre, corpus: Corpus) -> list[SpanCase]:
    """Return a case for each of a help centre's messages that is answered."""
    return [_case(message, centre, corpus) for message in centre.messages if message.articles]


def _case(message: CustomerMessage, centre: HelpCentre, corpus: Corpus) -> SpanCase:
    case = SpanCase(corpus.name, message.question, message.articles)
    for article, start, end in supports(message, centre.articles):
        for case.passage, case.sentences in corpus.places(article, start, end):
            return case
    return case


def tidy_cases(lang: str, corpora: dict[str, Corpus], count: int, seed: int) -> list[SpanCase]:
    """Return questions in tidy wording, so that these stay understood; adds their corpora.

    Args:
        lang: Their language.
        corpora: The corpora by name, to which the companies' are added.
        count: How many.
        seed: Of the choice.
    """
    from tuning.companies import load_companies
    from tuning.dataset.supporting_sentences import supporting_sentences
    from tuning.retrieval.asked_questions import project_questions

    cases = [
        SpanCase(f"bank-{lang}", asked.question, tuple(asked.article.split("|")))
        for asked in project_questions(f"retrieval_train.{lang}", lang)
    ]
    for company in load_companies("train"):
        if company.lang != lang:
            continue
        corpus = corpora.setdefault(company.id, Corpus.of(company.id, company.articles))
        for pair in company.pairs:
            for number, passage in enumerate(corpus.passages):
                if pair.article and passage.article == pair.article:
                    gold = supporting_sentences(pair.answer, passage.text, lang)
                    case = SpanCase(company.id, pair.question, (pair.article,), number, gold)
                    cases += [case] if gold else []
    return random.Random(seed).sample(cases, min(count, len(cases)))
