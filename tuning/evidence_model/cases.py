"""What the reading model learns from and is judged by: questions beside what retrieval returns.

One case a line of ``train.jsonl`` and ``dev.jsonl``: a question, the passages that are read for
it, and which of their sentences hold the answer. The help centres in ``tuning/data/companies``;
XQuAD where FRONTDESK_DATA names it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.documents import Passage
from knowledge.segmenter import Language, Span, sentences

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from tuning.companies import Company

# Passages that a case holds; training hides some of them, so that what is left does not answer.
PASSAGES = 6
MAKE = "Make them: python -m tuning.evidence_model --make"


@dataclass(frozen=True, slots=True)
class Held:
    """A passage with its sentences, as ``[start, end]`` in ``text``; ``gold`` marks the right."""

    article: str
    name: str
    text: str
    spans: list[list[int]]
    gold: list[bool]
    score: float

    @property
    def sentences(self) -> list[Span]:
        """The sentences' places."""
        return [Span(start, end) for start, end in self.spans]


@dataclass(frozen=True, slots=True)
class EvidenceCase:
    """A question with what retrieval returns for it, best first; ``article`` is "" without one."""

    company: str
    lang: Language
    question: str
    article: str
    passages: list[Held]


def write_cases(file: Path, cases: Sequence[EvidenceCase]) -> None:
    """Write cases, one a line."""
    from tuning.atomic_files import write_text

    write_text(file, "".join(f"{json.dumps(asdict(c), ensure_ascii=False)}\n" for c in cases))


def read_cases(file: Path) -> list[EvidenceCase]:
    """Read what ``write_cases`` wrote.

    Raises:
        ValueError: There is no such file, or a line is no case; the message names it.
    """
    if not file.is_file():
        raise ValueError(f"{file}: expected questions, found no file. {MAKE}")
    cases = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            held = [Held(**passage) for passage in row.pop("passages")]
            cases.append(EvidenceCase(**row, passages=held))
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{file}:{number}: expected an evidence case, found {line[:80]!r}. {MAKE}"
            ) from None
    return cases


def company_cases(company: "Company", embedder: "Embedder") -> Iterator[EvidenceCase]:
    """Yield the cases of a company's questions."""
    from tuning.retrieval.asked_questions import retriever_of

    lang: Any = company.lang
    retriever = retriever_of(company.articles, embedder)
    vectors = embedder.encode_queries([pair.question for pair in company.pairs])
    for pair, vector in zip(company.pairs, vectors, strict=True):
        hits = retriever.retrieve({pair.question: vector}, company.lang, top_k=PASSAGES)
        found = [(hit.passage, hit.score) for hit in hits]
        if pair.article and pair.article not in {passage.article for passage, _ in found}:
            own = [p for p in retriever.passages if p.article == pair.article]
            found += [(passage, 0.0) for passage in own]
        held = [_held(p, score, pair.answer if p.article == pair.article else "")
                for p, score in found]  # fmt: skip
        yield EvidenceCase(company.id, lang, pair.question, pair.article, held)


def xquad_cases(lang: Language, embedder: "Embedder") -> Iterator[EvidenceCase]:
    """Yield XQuAD's questions of every second passage beside the passages nearest to them.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    from tuning.public_data import xquad_answers

    passages, asked = xquad_answers(lang)
    ids = list(passages)
    kept = set(ids[::2])
    vectors = embedder.encode_passages(list(passages.values()))
    some = [row for row in asked if row[1] in kept]
    queries = embedder.encode_queries([question for question, _, _ in some])
    for (question, at, answer), query in zip(some, queries, strict=True):
        near = [ids[n] for n in (-(vectors @ query)).argsort()[:PASSAGES]]
        held = []
        for name in dict.fromkeys([*near, at]):
            text = passages[name]
            passage = Passage(name, lang, "", "", text, 0, len(text))
            held.append(_held(passage, 0.0, answer if name == at else "", whole=True))
        yield EvidenceCase("xquad", lang, question, at, held)


def _held(passage: Passage, score: float, answer: str, *, whole: bool = False) -> Held:
    from tuning.dataset.answer_rows import supporting_sentences

    spans = sentences(passage.text, passage.lang)
    gold = [False] * len(spans)
    if answer and whole:
        gold = [answer in span.of(passage.text) for span in spans]
    elif answer:
        for number in supporting_sentences(answer, passage.text, passage.lang):
            gold[number] = True
    places = [[span.start, span.end] for span in spans]
    return Held(passage.article, passage.name, passage.text, places, gold, float(score))
