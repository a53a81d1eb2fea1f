"""The cases that the evidence model is trained and measured on: questions with candidate passages.

A line of ``train.jsonl`` and ``dev.jsonl`` is one case: a question, the passages that retrieval
returns for it, and which of their sentences hold the answer. The questions are those of the help
centres in ``tuning/data/companies`` and, if FRONTDESK_DATA names the public data, of XQuAD.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.documents import Passage
from knowledge.models.turn_before import TurnBefore
from knowledge.segmenter import Language, Span, sentences
from tuning.customer_messages import supports

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.models.span_embedder import SpanEmbedder
    from tuning.companies import Company
    from tuning.customer_messages import HelpCentre

# Passages per case. Training hides some of them, so that the rest does not answer.
PASSAGES = 6
LANGUAGES: tuple[Language, ...] = ("en", "zh")
MAKE = "Make them: python -m tuning.evidence_model --make"


@dataclass(frozen=True, slots=True)
class CasePassage:
    """A passage with its sentences.

    ``spans`` holds ``[start, end]`` in ``text`` for each sentence, ``gold`` whether it holds the
    answer. ``score`` is retrieval's.
    """

    article: str
    name: str
    text: str
    spans: list[list[int]]
    gold: list[bool]
    score: float

    @property
    def sentences(self) -> list[Span]:
        """The sentences' positions in ``text``."""
        return [Span(start, end) for start, end in self.spans]

    def without_answer(self) -> "CasePassage":
        """Return the passage without the sentences that hold the answer."""
        kept = [span for span, right in zip(self.spans, self.gold, strict=True) if not right]
        text, spans = "", []
        for start, end in kept:
            spans.append([len(text), len(text) + end - start])
            text += f"{self.text[start:end]}\n"
        return replace(self, text=text, spans=spans, gold=[False] * len(spans))


@dataclass(frozen=True, slots=True)
class EvidenceCase:
    """A question with retrieval's passages, best first.

    ``article`` is "" if nothing answers. A later turn has the question ``asked`` before it and the
    sentence that ``answered`` that one.
    """

    company: str
    lang: Language
    question: str
    article: str
    passages: list[CasePassage]
    asked: str = ""
    answered: str = ""

    @property
    def last(self) -> TurnBefore | None:
        """The turn before the question; None for a first message."""
        return TurnBefore(self.asked, self.answered) if self.asked else None


def write_cases(file: Path, cases: Sequence[EvidenceCase]) -> None:
    """Write cases, one per line."""
    from tuning.atomic_files import write_text

    write_text(file, "".join(f"{json.dumps(asdict(c), ensure_ascii=False)}\n" for c in cases))


def read_cases(file: Path) -> list[EvidenceCase]:
    """Read what ``write_cases`` wrote.

    Raises:
        ValueError: There is no such file, or a line is no case; the message names file and line.
    """
    if not file.is_file():
        raise ValueError(f"{file}: expected questions, found no file. {MAKE}")
    cases = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            passages = [CasePassage(**passage) for passage in row.pop("passages")]
            cases.append(EvidenceCase(**row, passages=passages))
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{file}:{number}: expected an evidence case, found {line[:80]!r}. {MAKE}"
            ) from None
    return cases


def customer_cases(
    centre: "HelpCentre", embedder: "Embedder", spans: "Sequence[SpanEmbedder]"
) -> Iterator[EvidenceCase]:
    """Yield a case for each of a help centre's messages."""
    from tuning.retrieval.asked_questions import retriever_of

    lang: Any = centre.lang
    retriever = retriever_of(centre.articles, embedder, spans=spans)
    vectors = embedder.encode_queries([message.question for message in centre.messages])
    for message, vector in zip(centre.messages, vectors, strict=True):
        places = list(supports(message, centre.articles))
        hits = retriever.retrieve({message.question: vector}, lang, top_k=PASSAGES)
        shown = [(hit.passage, hit.score) for hit in hits]
        known = {id(passage) for passage, _ in shown}
        shown += [(p, 0.0) for p in retriever.passages if id(p) not in known and holds(p, places)]
        passages = [place_passage(passage, score, places) for passage, score in shown]
        if not message.articles or any(any(passage.gold) for passage in passages):
            article = message.articles[0] if message.articles else ""
            yield EvidenceCase(centre.name, lang, message.question, article, passages)


def holds(passage: Passage, places: Sequence[tuple[str, int, int]]) -> bool:
    """Return whether a passage has one of the places that ``supports`` yields."""
    return any(
        passage.article == name and passage.start < end and passage.end > start
        for name, start, end in places
    )


def place_passage(
    passage: Passage, score: float, places: Sequence[tuple[str, int, int]]
) -> CasePassage:
    """Return a passage whose right sentences stand at the places that ``supports`` yields."""
    spans = sentences(passage.text, passage.lang)
    gold = [
        any(
            passage.article == name
            and passage.start + span.start < end
            and passage.start + span.end > start
            for name, start, end in places
        )
        for span in spans
    ]
    bounds = [[span.start, span.end] for span in spans]
    return CasePassage(passage.article, passage.name, passage.text, bounds, gold, float(score))


def company_cases(company: "Company", embedder: "Embedder") -> Iterator[EvidenceCase]:
    """Yield a case for each of a company's questions."""
    from tuning.retrieval.asked_questions import retriever_of

    lang: Any = company.lang
    retriever = retriever_of(company.articles, embedder)
    vectors = embedder.encode_queries([pair.question for pair in company.pairs])
    for pair, vector in zip(company.pairs, vectors, strict=True):
        hits = retriever.retrieve({pair.question: vector}, company.lang, top_k=PASSAGES)
        scored = [(hit.passage, hit.score) for hit in hits]
        if pair.article and pair.article not in {passage.article for passage, _ in scored}:
            scored += [(p, 0.0) for p in retriever.passages if p.article == pair.article]
        passages = [
            case_passage(p, score, pair.answer if p.article == pair.article else "")
            for p, score in scored
        ]
        yield EvidenceCase(company.id, lang, pair.question, pair.article, passages)


def xquad_cases(lang: Language, embedder: "Embedder") -> Iterator[EvidenceCase]:
    """Yield cases for the questions of every second XQuAD passage, with the nearest passages.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    from tuning.public_data import xquad_answers

    texts, questions = xquad_answers(lang)
    ids = list(texts)
    kept = set(ids[::2])
    vectors = embedder.encode_passages(list(texts.values()))
    rows = [row for row in questions if row[1] in kept]
    queries = embedder.encode_queries([question for question, _, _ in rows])
    for (question, at, answer), query in zip(rows, queries, strict=True):
        near = [ids[n] for n in (-(vectors @ query)).argsort()[:PASSAGES]]
        passages = []
        for name in dict.fromkeys([*near, at]):
            text = texts[name]
            passage = Passage(name, lang, "", "", text, 0, len(text))
            passages.append(case_passage(passage, 0.0, answer if name == at else "", verbatim=True))
        yield EvidenceCase("xquad", lang, question, at, passages)


def case_passage(
    passage: Passage, score: float, answer: str, *, verbatim: bool = False
) -> CasePassage:
    """Return a passage whose right sentences support an answer; "" where none does."""
    from tuning.dataset.supporting_sentences import supporting_sentences

    spans = sentences(passage.text, passage.lang)
    gold = [False] * len(spans)
    if answer and verbatim:
        gold = [answer in span.of(passage.text) for span in spans]
    elif answer:
        for number in supporting_sentences(answer, passage.text, passage.lang):
            gold[number] = True
    places = [[span.start, span.end] for span in spans]
    return CasePassage(passage.article, passage.name, passage.text, places, gold, float(score))
