"""The rows of the training: a later message, the turn before it, and what answers it."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from knowledge.documents import Article
from knowledge.models.turn_before import TurnBefore
from tuning.companies import load_companies
from tuning.customer_messages import Part, supports
from tuning.customer_talks import Turn, talks_of
from tuning.evidence_model.cases import MAKE, EvidenceCase, read_cases
from tuning.later_questions.config import LaterSettings
from tuning.span_embedder.cases import Corpus

# How often a written turn counts for one made by rule.
WRITTEN = 2
MADE = "made.jsonl"


@dataclass(frozen=True, slots=True)
class LaterRow:
    """A later message of a company's customer.

    Attributes:
        corpus: The name of the company's corpus.
        text: What the customer typed.
        before: The turn before.
        alone: The same in words that need no conversation; "" where nobody wrote them.
        right: The sentences that answer, as numbers among all of the corpus; empty where none does.
    """

    corpus: str
    text: str
    before: TurnBefore
    alone: str
    right: tuple[int, ...]


def training_rows(
    settings: LaterSettings, corpora: dict[str, Corpus]
) -> tuple[list[LaterRow], list[LaterRow]]:
    """Return written turns, each ``WRITTEN`` times, and at most as many different ones by rule.

    Args:
        settings: The configuration.
        corpora: The corpora by name, to which the companies' are added.

    Raises:
        ValueError: There are no turns made by rule, or they are of companies that do not exist.
    """
    written: list[LaterRow] = []
    made: list[LaterRow] = []
    chance = random.Random(settings.seed)
    cases = read_cases(settings.cases / MADE)
    for lang in settings.languages:
        own = written_rows("train", lang, corpora)
        others = made_rows([case for case in cases if case.lang == lang], corpora, settings.cases)
        written += own * WRITTEN
        made += chance.sample(others, min(len(own), len(others)))
    return written, made


def written_rows(part: Part, lang: str, corpora: dict[str, Corpus]) -> list[LaterRow]:
    """Return the later turns of conversations that are answered or declined; adds their corpora.

    Args:
        part: ``train`` or ``dev``.
        lang: "en" or "zh".
        corpora: The corpora by name.
    """
    rows = []
    for talks in talks_of(part, lang):
        centre = talks.centre
        corpus = _corpus(corpora, centre.name, centre.articles)
        for turn in (turn for talk in talks.talks for turn in talk):
            if turn.last and turn.expect in ("answer", "decline"):
                right = _numbers(corpus, _places(turn, centre.articles, corpus))
                if right or not turn.message.articles:
                    alone = turn.message.question
                    rows.append(LaterRow(corpus.name, turn.text, turn.last, alone, right))
    return rows


def made_rows(
    cases: Sequence[EvidenceCase], corpora: dict[str, Corpus], source: Path
) -> list[LaterRow]:
    """Return the turns made by rule that are answered; adds their corpora.

    Args:
        cases: The evidence model's.
        corpora: The corpora by name.
        source: Where the cases come from, for the message of an error.

    Raises:
        ValueError: A case's company is not one of ``tuning/data/companies``.
    """
    companies = {company.id: company for company in load_companies("train")}
    rows = []
    for case in cases:
        if case.company not in companies:
            raise ValueError(
                f"{source / MADE}: expected companies to train on, found {case.company!r}. {MAKE}"
            )
        if case.article and case.last:
            corpus = _corpus(corpora, case.company, companies[case.company].articles)
            if right := _numbers(corpus, _same_sentences(case, corpus)):
                rows.append(LaterRow(case.company, case.question, case.last, "", right))
    return rows


def _corpus(corpora: dict[str, Corpus], name: str, articles: Sequence[Article]) -> Corpus:
    if name not in corpora:
        corpora[name] = Corpus.of(name, articles)
    return corpora[name]


def _places(
    turn: Turn, articles: Sequence[Article], corpus: Corpus
) -> Iterator[tuple[int, list[int]]]:
    for place in supports(turn.message, articles):
        yield from corpus.places(*place)


def _same_sentences(case: EvidenceCase, corpus: Corpus) -> Iterator[tuple[int, list[int]]]:
    """Yield each passage of the case's article, with the sentences that answer somewhere in it."""
    shown = [passage for passage in case.passages if passage.article == case.article]
    right = {
        span.of(passage.text)
        for passage in shown
        for span, is_right in zip(passage.sentences, passage.gold, strict=True)
        if is_right
    }
    for number, passage in enumerate(corpus.passages):
        if passage.article == case.article:
            spans = enumerate(corpus.spans[number])
            yield number, [n for n, span in spans if span.of(passage.text) in right]


def _numbers(corpus: Corpus, places: Iterable[tuple[int, Sequence[int]]]) -> tuple[int, ...]:
    """Return sentences of passages as numbers among all sentences of the corpus."""
    starts = list(accumulate(map(len, corpus.spans), initial=0))
    return tuple(sorted({starts[passage] + n for passage, held in places for n in held}))
