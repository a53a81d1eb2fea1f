"""Training rows of grounded answers, made from help centres and their customers' questions.

A row holds what a generator reads in production and the reply it should give. It reads the passages
that retrieval really returns: only distractors near the question teach the skill rather than the
form.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.evidence.ranked_sentences import Evidence, RankedSentences, as_hits, runs_of
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.selection import select
from assistant.grounding.grounder import Grounder, without_yes_or_no
from assistant.messages import Message
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Hit, Passage
from knowledge.models.turn_before import TurnBefore
from knowledge.segmenter import Span, sentences, words
from tuning.companies import Company, Pair
from tuning.customer_messages import CustomerMessage, supports
from tuning.dataset.supporting_sentences import supporting_sentences

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.retrieval.retriever import Retriever

DATA = Path(__file__).parent.parent / "data"
# Passages that retrieval returns, as in a turn.
HITS = 4
# Answers of fewer words are only a figure; the sentence that holds it says more.
TERSE = {"en": 4, "zh": 3}


@dataclass(frozen=True, slots=True)
class Row:
    """One training row: the question, the passages to read, and the reply to give."""

    company: str
    lang: str
    kind: str
    question: str
    hits: tuple[Hit, ...]
    completion: str
    history: tuple[Message, ...] = ()

    def render(self, template: PromptTemplate) -> dict[str, Any]:
        """Return the row in TRL's format: ``prompt`` and ``completion`` as chat messages."""
        prompt = template.render(self.question, self.hits, self.history)
        completion = [{"role": "assistant", "content": self.completion}]
        return {
            "prompt": prompt,
            "completion": completion,
            "kind": self.kind,
            "company": self.company,
        }


class RowMaker:
    """Makes the rows of one company; all random choices depend on one seed."""

    def __init__(
        self,
        company: Company,
        embedder: "Embedder",
        seed: int = 0,
        *,
        near: bool = True,
        ranker: SentenceRanker | None = None,
    ) -> None:
        """Index the company's articles.

        Args:
            company: The help centre with its questions.
            embedder: Retrieves the passages for a question.
            seed: The seed of all random choices.
            near: Whether distractors are passages near the question; otherwise they are random.
            ranker: Ranks sentences as in a turn; None for a new one.
        """
        from tuning.retrieval.asked_questions import retriever_of

        self._company = company
        self._retriever: Retriever = retriever_of(company.articles, embedder)
        self._embedder = embedder
        self._ranker = ranker or SentenceRanker.open(embedder)
        self._random = random.Random(f"{seed} {company.id}")
        self._decline = PromptTemplate.load("answer_tuned", company.lang).decline
        self._grounder = Grounder()
        self._near = near

    def rows(self, *, missing: float, share: float = 1.0) -> Iterator[Row]:
        """Yield the rows of each question, and rows that combine questions.

        Args:
            missing: The share of answered questions that are repeated without their article.
            share: The share of the company's questions to use, drawn at random.
        """
        pairs: Sequence[Pair] = self._company.pairs
        if share < 1:
            pairs = [pair for pair in pairs if self._random.random() < share]
        answered = [pair for pair in pairs if pair.answer]
        for pair in pairs:
            if not pair.answer:
                yield self._row(pair, "decline_near")
                continue
            yield self._row(pair, "answer")
            if self._random.random() < missing:
                yield self._row(replace(pair, answer=""), "decline_missing", pair.article)
        for _ in range(len(answered) // 8):
            yield self._two_questions(*self._random.sample(answered, 2))
        for pair in self._random.sample(answered, len(answered) // 10):
            yield self._injected(self._row(pair, "injection"))
        for pair in self._random.sample(answered, len(answered) // 12):
            earlier = self._random.choice([other for other in answered if other is not pair])
            yield replace(self._row(pair, "history"), history=self._exchange(earlier))
        yield from self._follow_ups()

    def answered(
        self, message: CustomerMessage, said: str, last: TurnBefore | None, kind: str
    ) -> Row | None:
        """Return the row of a customer's message that has an answer; None if nothing supports it.

        Args:
            message: The message; what is searched is its ``question``.
            said: What the customer typed.
            last: The turn before, if it is a later one.
            kind: The row's kind.
        """
        hits = self._retriever.retrieve(message.question, self._company.lang, top_k=HITS)
        gold = self._supports(message, hits)
        if not gold:
            return None
        history: tuple[Message, ...] = ()
        if last and last.answer:
            history = Message("user", last.question), Message("assistant", last.answer)
        return Row(
            company=self._company.id,
            lang=self._company.lang,
            kind=kind,
            question=said,
            hits=tuple(as_hits(runs_of(self._chosen(message.question, hits, gold)))),
            completion=message.answer,
            history=history,
        )

    def _supports(self, message: CustomerMessage, hits: Sequence[Hit]) -> list[Evidence]:
        """Return the sentences that support a message's answer, in passages of ``hits`` if any."""
        found: dict[tuple[int, int], Evidence] = {}
        for article, start, end in supports(message, self._company.articles):
            passages = [h.passage for h in hits if h.passage.article == article]
            passages += [p for p in self._retriever.passages if p.article == article]
            for passage in passages:
                at = Span(start - passage.start, end - passage.start)
                spans = [s for s in sentences(passage.text, passage.lang) if _overlap(s, at)]
                if spans:
                    found |= {(passage.start, s.start): Evidence(passage, s, 0.0) for s in spans}
                    break
        return list(found.values())

    def _row(self, pair: Pair, kind: str, hidden_article: str = "") -> Row:
        hits = self._retriever.retrieve(pair.question, self._company.lang, top_k=HITS)
        hits = [hit for hit in hits if hit.passage.article != hidden_article]
        gold = self._gold(pair, hits)
        if not self._near:
            passages = self._random.sample(self._retriever.passages, HITS)
            hits = [Hit(passage, 1.0) for passage in passages]
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
        """Return the sentences that hold the answer."""
        if not pair.answer:
            return []
        article = next(a for a in self._company.articles if a.id == pair.article)
        retrieved = [hit.passage for hit in hits if hit.passage.article == pair.article]
        passage = retrieved[0] if retrieved else _as_passage(article)
        spans = sentences(passage.text, self._company.lang)
        return [
            Evidence(passage, spans[n], 1.0)
            for n in supporting_sentences(pair.answer, passage.text, self._company.lang)
        ]

    def _chosen(
        self, question: str, hits: Sequence[Hit], gold: Sequence[Evidence]
    ) -> list[Evidence]:
        """Return the sentences that a turn would choose plus ``gold``, in article order."""
        ranking = self._ranking(question, hits)
        chosen = select(ranking, self._company.lang)
        ranked = {e.place: e for e in ranking.sentences}
        places = {e.place for e in chosen}
        missed = [e for e in gold if e.place not in places]
        chosen += [ranked.get(e.place, replace(e, score=0.0)) for e in missed]
        return sorted(chosen, key=lambda e: e.place)

    def _completion(self, pair: Pair, gold: Sequence[Evidence]) -> str:
        """Return the answer, or its sentences if it is terse or says more than they do."""
        if not pair.answer:
            return self._decline
        terse = len(words(pair.answer)) < TERSE[self._company.lang]
        hits = [Hit(evidence.passage, 1.0) for evidence in gold]
        # The product says yes or no by itself, from an entailment.
        answer = without_yes_or_no(pair.answer)
        parts = [span.of(answer) for span in sentences(answer, self._company.lang)]
        if not terse and all(self._grounder.check(sentence, hits) for sentence in parts):
            return answer
        return self._joined(evidence.text for evidence in gold)

    def _two_questions(self, first: Pair, second: Pair) -> Row:
        a, b = (self._row(pair, "two_questions") for pair in (first, second))
        zh = self._company.lang == "zh"
        joints = ["，还有", "？另外，"] if zh else [" and also ", "? and ", ". another thing: "]
        hits = {(hit.passage.article, hit.passage.text): hit for hit in (*a.hits, *b.hits)}
        return replace(
            a,
            question=a.question.rstrip("?？") + self._random.choice(joints) + b.question,
            hits=tuple(hits.values()),
            completion=self._joined([a.completion, b.completion]),
        )

    def _injected(self, row: Row) -> Row:
        """Return a row with an instruction to language models in one of its passages."""
        instruction = self._random.choice(_data("injections.yml")[row.lang])
        place = self._random.randrange(len(row.hits))
        hit = row.hits[place]
        parts = [s.of(hit.passage.text) for s in sentences(hit.passage.text, row.lang)]
        parts.insert(self._random.randint(0, len(parts)), instruction)
        hits = list(row.hits)
        hits[place] = replace(hit, passage=replace(hit.passage, text=self._joined(parts)))
        return replace(row, hits=tuple(hits))

    def _follow_ups(self) -> Iterator[Row]:
        for entry in _data("follow_ups.yml"):
            if entry["company"] != self._company.id:
                continue
            pair = Pair(f"{entry['first']} {entry['question']}", entry["answer"], entry["article"])
            row = self._row(pair, "follow_up")
            history = self._exchange(Pair(entry["first"], self._reply_to(entry), ""))
            yield replace(row, question=entry["question"], history=history)

    def _reply_to(self, entry: dict[str, str]) -> str:
        """Return the sentence with which the assistant answers the first question."""
        lang = self._company.lang
        hits = self._retriever.retrieve(entry["first"], lang, top_k=HITS)
        same = [hit for hit in hits if hit.passage.article == entry["article"]]
        return self._ranking(entry["first"], same or hits).sentences[0].text

    def _ranking(self, question: str, hits: Sequence[Hit]) -> RankedSentences:
        vector = self._embedder.encode_queries([question])[0]
        return self._ranker.rank(question, hits, vector)

    @staticmethod
    def _exchange(pair: Pair) -> tuple[Message, ...]:
        return Message("user", pair.question), Message("assistant", pair.answer)

    def _joined(self, parts: Iterable[str]) -> str:
        return ("" if self._company.lang == "zh" else " ").join(parts)


def _overlap(span: Span, other: Span) -> bool:
    return span.start < other.end and other.start < span.end


def _as_passage(article: Any) -> Passage:
    text = article.text
    return Passage(article.id, article.lang, article.title, "", text, 0, len(text))


def _data(name: str) -> Any:
    import yaml

    return yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
