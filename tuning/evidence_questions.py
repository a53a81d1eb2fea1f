"""Development questions with what the assistant's networks say of each sentence of their hits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.evidence.reader import LEAST_SCORE, EvidenceReader, Reading, of_last_reply

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.config import Settings
    from assistant.findings import Findings
    from assistant.message.context import EarlierTurn
    from knowledge.documents import Article, Hit
    from knowledge.segmenter import Span
    from tuning.customer_messages import CustomerMessage, HelpCentre
    from tuning.customer_talks import Turn
    from tuning.dataset.written_rows import Lang


@dataclass(frozen=True, slots=True)
class EvidenceQuestion:
    """A question; arrays have an entry for each sentence of the hits that are read.

    Attributes:
        source: The set that it belongs to.
        lang: The language of the set.
        question: Its text.
        answered: Whether any article answers.
        gold: Whether the sentence answers; in an article that answers as a whole, each does.
        right: Whether the sentence's article answers.
        articles: The sentence's article.
        read: The networks' logit; -inf where a network left the passage out.
        hit: The logarithm of the hit's score.
        span: The span score; 0 without a span embedder.
        repeated: The logarithm of how many articles hold the sentence.
        cited: Whether the last reply cited the sentence's article first.
        said: Whether the last reply quoted the sentence.
        features: See ``Reading.features``.
        out_of_scope: The intent classifier's score.
        later: Whether it is a later turn.
        route: The action that the assistant takes now, and its reason.
    """

    source: str
    lang: str
    question: str
    answered: bool
    gold: NDArray[np.bool_]
    right: NDArray[np.bool_]
    articles: tuple[str, ...]
    read: NDArray[np.float64]
    hit: NDArray[np.float64]
    span: NDArray[np.float64]
    repeated: NDArray[np.float64]
    cited: NDArray[np.float64]
    said: NDArray[np.float64]
    features: tuple[float, float, float]
    out_of_scope: float
    later: bool
    route: str


def read_questions(settings: "Settings", lang: str) -> Iterator[EvidenceQuestion]:
    """Yield the development questions of the bank and of companies that nothing was trained on.

    Then the later turns of the development conversations, after the replies that are given now.

    Args:
        settings: Of the assistant; the strategy does not matter.
        lang: The language of the questions.
    """
    from tqdm import tqdm

    from assistant.assistant import Assistant
    from tuning.customer_talks import talks_of

    for source, folder, articles, messages in _sets(lang):
        with folder as knowledge:
            changed = {"knowledge": knowledge, "strategy": "extractive"}
            assistant = _recording(Assistant.from_config(settings.model_copy(update=changed)))
            for message in tqdm(messages, desc=source, unit="question"):
                if asked := _asked(assistant, source, message, articles):
                    yield asked
    for talks in talks_of("dev", lang):
        with _knowledge_of(talks.centre) as knowledge:
            changed = {"knowledge": knowledge, "strategy": "extractive"}
            assistant = _recording(Assistant.from_config(settings.model_copy(update=changed)))
            for talk in tqdm(talks.talks, desc=talks.centre.name, unit="conversation"):
                yield from _later(assistant, talks.centre, talk)


def read_across(settings: "Settings", lang: "Lang") -> Iterator[EvidenceQuestion]:
    """Yield questions to companies whose articles are in the other language, each of them twice.

    The second time, the company lacks the articles that answer.

    Args:
        settings: Of the assistant; the strategy does not matter.
        lang: The language of the questions.
    """
    from tqdm import tqdm

    from assistant.assistant import Assistant
    from tuning.companies import as_folder, load_companies
    from tuning.customer_messages import CustomerMessage
    from tuning.dataset.written_rows import load_written_rows

    companies = {c.id: c for part in ("train", "dev") for c in load_companies(part)}
    written = [row for part in ("train", "dev") for row in load_written_rows(lang, part)]
    across = [row for row in written if row.kind == "across" and row.company]
    with as_folder(next(iter(companies.values()))) as knowledge:
        changed = {"knowledge": knowledge, "strategy": "extractive"}
        # No company has intents of its own, so one assistant serves all.
        assistant = _recording(Assistant.from_config(settings.model_copy(update=changed)))
    # First all as they are, then all without: halves of the questions hold some of each.
    for row, lacks in tqdm(
        [(row, lacks) for lacks in (False, True) for row in across],
        desc=f"{lang}, across",
        unit="question",
    ):
        company = companies[str(row.company)]
        names = tuple(dict.fromkeys(sentence.article for sentence in row.sentences))
        support = tuple(sentence.text for sentence in row.sentences)
        message = CustomerMessage(row.question, () if lacks else names, support)
        articles = [a for a in company.articles if not lacks or a.id not in names]
        with as_folder(replace(company, articles=articles)) as knowledge:
            here = assistant.answering_from(knowledge)
            if asked := _asked(here, f"{lang}, across", message, articles):
                yield replace(asked, lang=lang)


def _knowledge_of(centre: "HelpCentre") -> Any:
    from contextlib import nullcontext

    from tuning.companies import as_folder, load_companies
    from tuning.customer_messages import folder_of

    companies = {company.id: company for company in load_companies("dev")}
    if centre.name in companies:
        return as_folder(companies[centre.name])
    return nullcontext(folder_of(centre))


def _recording(assistant: "Assistant") -> "Assistant":
    assert assistant.finder.evidence.reader  # noqa: S101  # it ships
    assistant.finder.evidence.reader = _Recorder(assistant.finder.evidence.reader)
    return assistant


def _later(
    assistant: "Assistant", centre: "HelpCentre", talk: "Sequence[Turn]"
) -> "Iterator[EvidenceQuestion]":
    """Yield the later turns of a conversation that are answered or declined."""
    from assistant.messages import Message, Reply

    history: list[Message] = []
    for turn in talk:
        recorder = assistant.finder.evidence.reader
        assert isinstance(recorder, _Recorder)  # noqa: S101
        recorder.kept.clear()
        found = assistant.consider(turn.text, history)
        if found.message.last and turn.expect in ("answer", "decline"):
            source = f"{centre.name}, {turn.kind}"
            message = replace(turn.message, question=turn.text)
            if asked := _question_of(assistant, source, message, centre.articles, found):
                yield asked
        *_, reply = assistant.responder.respond(found)
        assert isinstance(reply, Reply)  # noqa: S101  # the stream's contract
        history += [Message("user", turn.text), reply.message()]


class _Recorder(EvidenceReader):
    """Reads as another reader does, and keeps what it read: reading takes most of the time."""

    def __init__(self, reader: EvidenceReader) -> None:
        """Take the reader."""
        self._reader = reader
        self.kept: list[tuple[Sequence[Hit], Sequence[Sequence[Span]], Reading]] = []

    def read(
        self,
        question: str,
        hits: "Sequence[Hit]",
        spans: "Sequence[Sequence[Span]]",
        last: "EarlierTurn | None" = None,
    ) -> Reading:
        """See ``EvidenceReader.read``."""
        reading = self._reader.read(question, hits, spans, last)
        self.kept.append((hits, spans, reading))
        return reading


def _sets(
    lang: str,
) -> "Iterator[tuple[str, Any, Sequence[Article], Sequence[CustomerMessage]]]":
    from contextlib import nullcontext

    from assistant.config import BANK
    from tuning.companies import as_folder, load_companies
    from tuning.customer_messages import CustomerMessage, folder_of, help_centres
    from tuning.retrieval.asked_questions import project_questions

    for centre in help_centres("dev", lang):
        messages = list(centre.messages)
        is_bank = centre.name.startswith("bank-")
        yield centre.name, nullcontext(folder_of(centre)), centre.articles, messages
        if is_bank:
            tidy = [
                CustomerMessage(asked.question, tuple(asked.article.split("|")))
                for asked in project_questions(f"retrieval_dev.{centre.lang}", centre.lang)
            ]
            yield f"{centre.name}, tidy", nullcontext(BANK), centre.articles, tidy
    for company in load_companies("dev"):
        if company.lang != lang:
            continue
        pairs = [
            CustomerMessage(p.question, (p.article,) if p.article else (), (p.answer,))
            for p in company.pairs
        ]
        yield f"{company.id}, tidy", as_folder(company), company.articles, pairs


def _asked(
    assistant: "Assistant", source: str, message: "CustomerMessage", articles: "Sequence[Article]"
) -> EvidenceQuestion | None:
    """Return a first question with its sentences; None if there are none to read."""
    recorder = assistant.finder.evidence.reader
    assert isinstance(recorder, _Recorder)  # noqa: S101
    recorder.kept.clear()
    found = assistant.consider(message.question)
    return _question_of(assistant, source, message, articles, found)


def _question_of(
    assistant: "Assistant",
    source: str,
    message: "CustomerMessage",
    articles: "Sequence[Article]",
    found: "Findings",
) -> EvidenceQuestion | None:
    """Return a question with its sentences; None if there are none to read."""
    recorder = assistant.finder.evidence.reader
    assert isinstance(recorder, _Recorder)  # noqa: S101
    if not recorder.kept:  # decided before anything was read
        share = None if found.message.last else assistant.finder.policy.least_share
        to_read = assistant.finder.evidence.to_read(found.message.text, found.hits, share)
        if not to_read[0]:
            return None
        recorder.read(found.message.text, *to_read, found.message.last)
    # A handoff reads once more, what the customer can read while waiting.
    hits, spans, reading = recorder.kept[0]
    counted = [(hit, len(of_hit)) for hit, of_hit in zip(hits, spans, strict=True)]
    gold = [_gold(message, articles, hit, of_hit) for hit, of_hit in zip(hits, spans, strict=True)]
    names = [hit.passage.article for hit, n in counted for _ in range(n)]
    read = [
        np.full(n, -np.inf) if own is None else own
        for own, (_, n) in zip(reading.read, counted, strict=True)
    ]
    of_last = [
        of_last_reply(h, of_hit, found.message.last) for h, of_hit in zip(hits, spans, strict=True)
    ]
    return EvidenceQuestion(
        source=source,
        lang=articles[0].lang,
        question=message.question,
        answered=bool(message.articles),
        gold=np.concatenate(gold),
        right=np.array([name in message.articles for name in names]),
        articles=tuple(names),
        read=np.concatenate(read),
        hit=np.concatenate([np.full(n, np.log(h.score + LEAST_SCORE)) for h, n in counted]),
        span=np.concatenate([np.array(h.sentences or [0.0] * n) for h, n in counted]),
        repeated=np.concatenate([np.log(h.repeated or [1.0] * n) for h, n in counted]),
        cited=np.concatenate([cited for cited, _ in of_last]),
        said=np.concatenate([said for _, said in of_last]),
        features=reading.features,
        out_of_scope=found.message.prediction.out_of_scope,
        later=found.message.last is not None,
        route=f"{found.route.action} {found.route.reason}",
    )


def _gold(
    message: "CustomerMessage", articles: "Sequence[Article]", hit: "Hit", spans: "Sequence[Span]"
) -> NDArray[np.bool_]:
    """Return which sentences of a hit answer."""
    from tuning.customer_messages import supports
    from tuning.dataset.supporting_sentences import supporting_sentences

    passage = hit.passage
    if passage.article not in message.articles:
        return np.zeros(len(spans), bool)
    if not message.support:
        return np.ones(len(spans), bool)
    places = [(s, e) for name, s, e in supports(message, articles) if name == passage.article]
    if places:
        return np.array(
            [
                any(passage.start + s.start < e and passage.start + s.end > b for b, e in places)
                for s in spans
            ]
        )
    # An answer in an author's own words.
    numbers = supporting_sentences(message.support[0], passage.text, passage.lang)
    return np.array([n in numbers for n in range(len(spans))], bool)
