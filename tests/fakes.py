"""Small stand-ins for tests of logic alone; behaviour is tested on the real models."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from assistant.company import DAYS, Company, People
from assistant.message.safety import check
from assistant.messages import Action, Message, Reply
from knowledge.documents import Passage
from knowledge.models.embedder import Vectors
from knowledge.models.span_embedder import PassageVectors
from knowledge.segmenter import Span


class HashEmbedder:
    """Bags of words hashed into 64 numbers: the same words give the same vector."""

    name = query_name = "hash"
    languages = frozenset({"en", "zh"})

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.md5(word.encode()).digest()[0] % 64] += 1  # noqa: S324  # no secret
            row /= np.linalg.norm(row) or 1.0
        return rows

    def adapted(self, adapter: Path) -> None:
        del adapter


class CountingSpanEmbedder:
    """The same of passages and their sentences; records the passages and messages that it read."""

    name = "hash-spans"
    temperature = 0.5

    def __init__(self, *languages: str) -> None:
        self.languages = frozenset(languages or ("en", "zh"))
        self.read: list[str] = []
        self.asked: list[str] = []

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return HashEmbedder().encode_queries(texts)

    def encode_passages(
        self, passages: Sequence[Passage], spans: Sequence[Sequence[Span]]
    ) -> list[PassageVectors]:
        self.read += [passage.text for passage in passages]
        encode = HashEmbedder().encode_passages
        return [
            PassageVectors(encode([p.text])[0], encode([span.of(p.text) for span in of_passage]))
            for p, of_passage in zip(passages, spans, strict=True)
        ]


class FakeMessageWriter:
    """Writes a passage's first words, or what it was told for its text; records what it read.

    After a number of passages it fails, if it was told to.
    """

    def __init__(
        self,
        told: Mapping[str, Sequence[str]] | None = None,
        *,
        name: str = "fake",
        languages: Sequence[str] = ("en", "zh"),
        failing_after: int | None = None,
        failure: BaseException | None = None,
    ) -> None:
        self.name = name
        self.languages = frozenset(languages)
        self.read: list[str] = []
        self._told = told
        self._failing_after = failing_after
        self._failure = failure or RuntimeError("the writer failed")

    def write(self, passage: Passage) -> list[str]:
        if len(self.read) == self._failing_after:
            raise self._failure
        self.read.append(passage.text)
        if self._told is not None:
            return list(self._told.get(passage.text, ()))
        return [" ".join(passage.text.split()[:5])]


class ScriptedGenerator:
    """Says what it was told to say, in pieces of four characters, and keeps what it was asked."""

    name = "scripted"
    languages = frozenset({"en", "zh"})
    has_adapter = True

    def __init__(self, text: str, *, remote: bool = False) -> None:
        self.text = text
        self.is_remote = remote
        self.asked: list[list[dict[str, str]]] = []
        self.adapters: list[bool] = []

    def generate(
        self,
        messages: Sequence[dict[str, str]],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
    ) -> Iterator[str]:
        self.asked.append(list(messages))
        self.adapters.append(adapter)
        for start in range(0, len(self.text), 4):
            yield self.text[start : start + 4]


class ScriptedAssistant:
    """Gives the replies that it was told to give, the last one again; keeps what it was asked.

    It has no generator.
    """

    generator = None

    @property
    def responder(self) -> "ScriptedAssistant":
        return self

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, list[Message], str | None]] = []

    def reply(
        self, question: str, history: Sequence[Message] = (), strategy: str | None = None
    ) -> Reply:
        *_, last = self.stream(question, history, strategy)
        assert isinstance(last, Reply)
        return last

    def stream(
        self, question: str, history: Sequence[Message] = (), strategy: str | None = None
    ) -> Iterator[str | Reply]:
        self.asked.append((question, list(history), strategy))
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        yield reply.text
        yield reply


class Echo:
    """An assistant that says how many messages it knows, and what was said.

    It calls a person for who writes "person".
    """

    def __init__(self):
        people = People(timezone="UTC", hours=dict.fromkeys(DAYS, "00:00-24:00"), minutes=5)
        company = Company(name={"en": "Echo"}, people=people)
        self.responder = SimpleNamespace(
            max_characters=4000,
            generator=None,
            company=company,
            saying=lambda name, lang, **gaps: f"<{name} {lang} {gaps}>",
        )
        self.known: list[list[Message]] = []
        self.broken = False

    def stream(self, question, history=()):
        check(question, 4000)
        self.known.append(list(history))
        text = f"{len(history)}: {question}"
        yield text[:3]
        if self.broken:
            raise RuntimeError("a secret")
        yield text[3:]
        action = Action.HANDOFF if "person" in question else Action.ANSWER
        yield Reply(text, action, action.value, "en", urgent="urgent" in question)

    def article(self, lang, article):
        return None

    def versions(self):
        return {"index": "abc"}
