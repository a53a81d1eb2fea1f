"""Training rows of grounded answers, made of help centres and what their customers ask.

A row is what a generator reads when it serves, and what it should say. What it reads are sentences
that lie near the question, as retrieval really returns them: near distractors are what teaches the
skill instead of the form.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.evidence.ranked_sentences import Evidence, RankedSentences, as_hits, runs_of
from assistant.evidence.selector import EvidenceSelector
from assistant.grounding.grounder import Grounder, figures
from assistant.messages import Message
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Hit, Passage
from knowledge.segmenter import sentences, words
from tuning.companies import Company, Pair

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.retrieval.retriever import Retriever

DATA = Path(__file__).parent.parent / "data"
# Passages that retrieval proposes, as in a turn.
HITS = 4
# Answers of fewer words are the bare figure; the sentence that holds it says more.
TERSE = {"en": 4, "zh": 3}
# A sentence more is taken as support only if it holds so much of what is still missing.
WORTH = 0.25


@dataclass(frozen=True, slots=True)
class Row:
    """One training row: what is read, what is asked, and what should be said."""

    company: str
    lang: str
    kind: str
    question: str
    hits: tuple[Hit, ...]
    completion: str
    history: tuple[Message, ...] = ()

    def render(self, template: PromptTemplate) -> dict[str, Any]:
        """Return the row as TRL reads it: ``prompt`` and ``completion`` as chat messages."""
        prompt = template.render(self.question, self.hits, self.history)
        said = [{"role": "assistant", "content": self.completion}]
        return {"prompt": prompt, "completion": said, "kind": self.kind, "company": self.company}


def supporting_sentences(answer: str, text: str, lang: str) -> list[int]:
    """Return which sentences of an article hold an answer, fewest first: a greedy cover.

    Args:
        answer: As written by a person.
        text: The passage that it was written from.
        lang: The language of both.
    """
    parts = [_content(span.of(text)) for span in sentences(text, lang)]
    missing = needed = _content(answer)
    chosen: list[int] = []
    while parts and missing:
        best = max(range(len(parts)), key=lambda n: _weight(parts[n] & missing))
        gain = _weight(parts[best] & missing)
        if not gain or (chosen and gain < max(2, WORTH * _weight(needed))):
            break
        chosen.append(best)
        missing = missing - parts[best]
    return sorted(chosen)


def _content(text: str) -> set[str]:
    return set(words(text)) | {f"#{figure}" for figure in figures(text)}


def _weight(content: set[str]) -> int:
    # A figure decides more than a word.
    return sum(3 if part.startswith("#") else 1 for part in content)


class RowMaker:
    """Makes the rows of one company; every draw comes from one seed."""

    def __init__(
        self,
        company: Company,
        embedder: "Embedder",
        seed: int = 0,
        *,
        near: bool = True,
        selector: EvidenceSelector | None = None,
    ) -> None:
        """Index the company's articles.

        Args:
            company: Whose help centre and questions to use.
            embedder: Finds what lies near a question.
            seed: Of every draw.
            near: Whether what is read beside the answer lies near it; or else is drawn by chance.
            selector: Chooses sentences as in a turn; None for one of its own.
        """
        from tuning.retrieval.asked_questions import retriever_of

        self._company = company
        self._retriever: Retriever = retriever_of(company.articles, embedder)
        self._embedder = embedder
        self._selector = selector or EvidenceSelector(embedder)
        self._draw = random.Random(f"{seed} {company.id}")
        self._decline = PromptTemplate.load("answer_tuned", company.lang).decline
        self._grounder = Grounder()
        self._near = near

    def rows(self, *, missing: float) -> Iterator[Row]:
        """Yield the rows of each question, and rows that combine them.

        Args:
            missing: The share that comes once more without the article that answers them.
        """
        pairs = self._company.pairs
        answered = [pair for pair in pairs if pair.answer]
        for pair in pairs:
            if not pair.answer:
                yield self._row(pair, "decline_near")
                continue
            yield self._row(pair, "answer")
            if self._draw.random() < missing:
                yield self._row(replace(pair, answer=""), "decline_missing", pair.article)
        for _ in range(len(answered) // 8):
            yield self._two(*self._draw.sample(answered, 2))
        for pair in self._draw.sample(answered, len(answered) // 10):
            yield self._injected(self._row(pair, "injection"))
        for pair in self._draw.sample(answered, len(answered) // 12):
            before = self._draw.choice([p for p in answered if p is not pair])
            yield replace(self._row(pair, "history"), history=self._exchange(before))
        yield from self._follow_ups()

    def _row(self, pair: Pair, kind: str, hidden: str = "") -> Row:
        hits = self._retriever.retrieve(pair.question, self._company.lang, top_k=HITS)
        hits = [hit for hit in hits if hit.passage.article != hidden]
        gold = self._gold(pair, hits)
        if not self._near:
            drawn = self._draw.sample(self._retriever.passages, HITS)
            hits = [Hit(passage, 1.0) for passage in drawn]
        if gold and gold[0].passage not in [hit.passage for hit in hits]:
            hits = [*hits, Hit(gold[0].passage, hits[0].score)]
        return Row(
            company=self._company.id,
            lang=self._company.lang,
            kind=kind,
            question=pair.question,
            hits=tuple(as_hits(runs_of(self._chosen(pair.question, hits, gold)))),
            completion=self._completion(pair, gold),
        )

    def _gold(self, pair: Pair, hits: Sequence[Hit]) -> list[Evidence]:
        if not pair.answer:
            return []
        article = next(a for a in self._company.articles if a.id == pair.article)
        held = [hit.passage for hit in hits if hit.passage.article == pair.article]
        passage = held[0] if held else _as_passage(article)
        spans = sentences(passage.text, self._company.lang)
        return [
            Evidence(passage, spans[n], 1.0)
            for n in supporting_sentences(pair.answer, passage.text, self._company.lang)
        ]

    def _chosen(
        self, question: str, hits: Sequence[Hit], gold: Sequence[Evidence]
    ) -> list[Evidence]:
        """Return what a turn would choose, and what it would have missed, in article order."""
        ranking = self._ranking(question, hits)
        chosen = self._selector.select(ranking, self._company.lang)
        known = {e.place: e for e in ranking.sentences}
        held = {e.place for e in chosen}
        missed = [e for e in gold if e.place not in held]
        chosen += [known.get(e.place, replace(e, score=0.0)) for e in missed]
        return sorted(chosen, key=lambda e: e.place)

    def _completion(self, pair: Pair, gold: Sequence[Evidence]) -> str:
        """Return the answer; the sentences themselves where it is terse or says more than they."""
        if not pair.answer:
            return self._decline
        terse = len(words(pair.answer)) < TERSE[self._company.lang]
        hits = [Hit(evidence.passage, 1.0) for evidence in gold]
        said = [span.of(pair.answer) for span in sentences(pair.answer, self._company.lang)]
        if not terse and all(self._grounder.check(sentence, hits) for sentence in said):
            return pair.answer
        return self._joined(evidence.text for evidence in gold)

    def _two(self, first: Pair, second: Pair) -> Row:
        a, b = (self._row(pair, "two_questions") for pair in (first, second))
        zh = self._company.lang == "zh"
        between = ["，还有", "？另外，"] if zh else [" and also ", "? and ", ". another thing: "]
        read = list({(h.passage.article, h.passage.text): h for h in (*a.hits, *b.hits)}.values())
        return replace(
            a,
            question=a.question.rstrip("?？") + self._draw.choice(between) + b.question,
            hits=tuple(read),
            completion=self._joined([a.completion, b.completion]),
        )

    def _injected(self, row: Row) -> Row:
        order = self._draw.choice(_data("injections.yml")[row.lang])
        place = self._draw.randrange(len(row.hits))
        hit = row.hits[place]
        parts = [s.of(hit.passage.text) for s in sentences(hit.passage.text, row.lang)]
        parts.insert(self._draw.randint(0, len(parts)), order)
        hits = list(row.hits)
        hits[place] = replace(hit, passage=replace(hit.passage, text=self._joined(parts)))
        return replace(row, hits=tuple(hits))

    def _follow_ups(self) -> Iterator[Row]:
        for entry in _data("follow_ups.yml"):
            if entry["company"] != self._company.id:
                continue
            pair = Pair(f"{entry['first']} {entry['question']}", entry["answer"], entry["article"])
            row = self._row(pair, "follow_up")
            before = self._exchange(Pair(entry["first"], self._reply_to(entry), ""))
            yield replace(row, question=entry["question"], history=before)

    def _reply_to(self, entry: dict[str, str]) -> str:
        """Return the sentence that the assistant would have quoted to the first question."""
        lang = self._company.lang
        hits = self._retriever.retrieve(entry["first"], lang, top_k=HITS)
        same = [hit for hit in hits if hit.passage.article == entry["article"]]
        return self._ranking(entry["first"], same or hits).sentences[0].text

    def _ranking(self, question: str, hits: Sequence[Hit]) -> RankedSentences:
        vector = self._embedder.encode_queries([question])[0]
        return self._selector.rank(question, hits, vector)

    @staticmethod
    def _exchange(pair: Pair) -> tuple[Message, ...]:
        return Message("user", pair.question), Message("assistant", pair.answer)

    def _joined(self, parts: Any) -> str:
        return ("" if self._company.lang == "zh" else " ").join(parts)


def _as_passage(article: Any) -> Passage:
    text = article.text
    return Passage(article.id, article.lang, article.title, "", text, 0, len(text))


def _data(name: str) -> Any:
    import yaml

    return yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
