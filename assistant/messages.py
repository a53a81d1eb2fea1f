"""The messages that go into a turn and the reply that comes out of it."""

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Self


class Action(StrEnum):
    """What a reply does."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    HANDOFF = "handoff"
    DECLINE = "decline"
    SMALL_TALK = "small_talk"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Citation:
    """The words of an article that back a sentence: ``article.text[start:end] == quote``."""

    number: int
    article: str
    lang: str
    title: str
    quote: str
    start: int
    end: int

    @property
    def url(self) -> str:
        """Where the article opens with these words marked."""
        return f"/articles/{self.lang}/{self.article}?start={self.start}&end={self.end}#quote"


@dataclass(frozen=True, slots=True)
class Source:
    """An article that a reply cites, with the numbers of its citations."""

    number: int
    article: str
    lang: str
    title: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier message of the conversation.

    A message of the assistant carries what its turn decided: ``action``, ``reason``, the
    ``choices`` of a clarifying question and the ``citations``. ``action`` is None if a client sent
    role and text alone.
    """

    role: Literal["user", "assistant"]
    text: str
    action: Action | None = None
    reason: str = ""
    choices: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence of the reply with the number of the citation that backs it, if one does."""

    sentence: str
    citation: int | None


@dataclass(frozen=True, slots=True)
class Nearest:
    """What an article has nearest to a question, whether or not it answers.

    Attributes:
        article: The article's id.
        lang: Its language.
        title: Its title.
        found: The probability, in [0, 1], that the search was right about the article.
        sentence: Its likeliest sentence; "" where nothing was read.
        answers: The probability, in [0, 1], that the sentence answers; 0 where nothing was read.
    """

    article: str
    lang: str
    title: str
    found: float
    sentence: str = ""
    answers: float = 0.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was weighed before a reply, so that it can be weighed again with another caution.

    Attributes:
        best: The probability, in [0, 1], that one of the sentences to quote answers; None where no
            network read them.
        answerable: The same of any sentence.
        best_article: The same of the likeliest article.
        expected: Whether the best hit is the article of an intent that is sure.
        later: Whether the message is a later one.
        decides: What these values decide: whether the message is answered, whether a part of it
            is, or nothing, because something else decided.
    """

    best: float | None = None
    answerable: float = 0.0
    best_article: float = 0.0
    expected: bool = False
    later: bool = False
    decides: Literal["answer", "part", "nothing"] = "nothing"

    @property
    def answers(self) -> float:
        """The probability, in [0, 1], that what an answer quotes answers."""
        return self.best_article if self.best is None else self.best


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole reply to one message. Scores are probabilities in [0, 1], times milliseconds.

    ``choices`` are what a clarifying question offers: titles of articles and, last, "none of
    these". The next message picks one by its words or its number. ``urgent`` says that somebody
    may be in danger: a person should look first at this conversation. ``number`` is its place in
    the conversation, from 1, and ``asked`` that of the message that it answers; 0 where they are
    not kept. ``nearest`` is what was found, the most likely article first: what an answer was
    chosen from, and what was too far from one that is missing. ``weighed`` is what the policy
    decided by; None in replies that were kept before it was. ``suggestions`` are titles of
    articles that the customer may want to read next.
    """

    text: str
    action: Action
    reason: str
    language: str
    intent: str | None = None
    intent_score: float = 0.0
    out_of_scope: float = 0.0
    sentiment: str | None = None
    sentiment_score: float = 0.0
    citations: tuple[Citation, ...] = ()
    support: tuple[Support, ...] = ()
    choices: tuple[str, ...] = ()
    urgent: bool = False
    nearest: tuple[Nearest, ...] = ()
    weighed: Weighed | None = None
    suggestions: tuple[str, ...] = ()
    strategy: str | None = None
    template: str | None = None
    generator: str | None = None
    number: int = 0
    asked: int = 0
    rule: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the reply that ``to_dict`` gave; fields that no reply has are ignored."""
        known = {f.name: data[f.name] for f in dataclasses.fields(cls) if f.name in data}
        known["action"] = Action(data["action"])
        places = [f.name for f in dataclasses.fields(Citation)]
        known["citations"] = tuple(
            Citation(**{name: entry[name] for name in places}) for entry in data["citations"]
        )
        known["support"] = tuple(Support(**entry) for entry in data["support"])
        known["choices"] = tuple(data["choices"])
        known["suggestions"] = tuple(data.get("suggestions", ()))
        known["nearest"] = tuple(Nearest(**entry) for entry in data.get("nearest", ()))
        known["weighed"] = Weighed(**data["weighed"]) if data.get("weighed") else None
        return cls(**known)

    def message(self) -> Message:
        """Return the reply as later turns keep it: its text with what was decided."""
        return Message(
            "assistant", self.text, self.action, self.reason, self.choices, self.citations
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The cited articles, in the order in which the reply cites them first."""
        cited: dict[tuple[str, str, str], list[int]] = {}
        for citation in self.citations:
            place = (citation.article, citation.lang, citation.title)
            cited.setdefault(place, []).append(citation.number)
        return tuple(
            Source(number, *place, tuple(numbers))
            for number, (place, numbers) in enumerate(cited.items(), 1)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the reply as JSON can hold it, with its sources and each citation's URL."""
        data = dataclasses.asdict(self)
        data["sources"] = [dataclasses.asdict(source) for source in self.sources]
        data["action"] = str(self.action)
        for entry, citation in zip(data["citations"], self.citations, strict=True):
            entry["url"] = citation.url
        return data


# A message of a prompt: role and content, as chat templates take it.
PromptMessage = dict[str, str]
# A turn as it streams: pieces of text, then the whole reply as the last item.
Stream = Generator[str | Reply]
