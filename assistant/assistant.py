"""Answers one message: the only file that knows the order of the steps."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from assistant.company import Company
from assistant.config import Settings
from assistant.cores import Cores
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.reader import open_reading_embedder
from assistant.evidence.verdict import VerdictReader
from assistant.expand import expand_in_background
from assistant.finder import Finder
from assistant.findings import Findings, Stopwatch
from assistant.generators.open_generator import open_generator
from assistant.grounding.across import AcrossGrounder
from assistant.intents.classifier import IntentClassifier
from assistant.intents.question_reader import QuestionReader
from assistant.intents.risks import RiskClassifier
from assistant.intents.turn_kinds import TurnKinds
from assistant.listener import Listener
from assistant.message.context import (
    TURNS,
    failures_in_a_row,
    what_is_asked,
)
from assistant.message.history import (
    DECIDED,
    recover_decision,
    with_citations,
)
from assistant.message.simplified import simplified
from assistant.messages import Message, Reply, Stream
from assistant.policy import FittedPolicy, GeneralPolicy
from assistant.waiting import Waiting
from assistant.writing.responder import Responder
from assistant.writing.strategies import StrategyChoices
from assistant.writing.templates import Sayings
from assistant.writing.writer import Writer
from knowledge.documents import Article
from knowledge.knowledge_base import KnowledgeBase
from knowledge.models.model_files import open_embedder, open_span_embedders
from knowledge.retrieval.reranker import open_reranker


class Assistant:
    """Answers messages from a company's articles. Keeps no conversation."""

    def __init__(self, *, listener: Listener, finder: Finder, responder: Responder) -> None:
        """Take ready parts; ``from_config`` opens them.

        Args:
            listener: Understands messages.
            finder: Finds what answers them.
            responder: Says what was found out.
        """
        self.listener, self.finder, self.responder = listener, finder, responder
        self.waiting, self._cores = Waiting(), Cores()

    @classmethod
    def from_config(cls, settings: Settings) -> Self:
        """Build the assistant that the settings describe; prepares models and index if needed.

        Raises:
            KnowledgeError: The articles or the weights cannot be used.
            AssistantError: Intents, templates or the generator cannot be used.
        """
        company = Company.load(settings.knowledge)
        embedder = open_embedder(settings.embedder, settings.state)
        reading = open_reading_embedder(settings.embedder, settings.state)
        spans = open_span_embedders(reading or embedder, settings.state, small=settings.small)
        knowledge = KnowledgeBase.open(
            settings.knowledge,
            embedder,
            settings.state,
            milvus=settings.milvus,
            reranker=open_reranker(settings.reranker),
            span_embedders=spans,
            progress=True,
        )
        # Scores that were fitted on the company's own questions are the most reliable.
        is_fitted = knowledge.current().snapshot.calibration.own
        generator = open_generator(settings)
        listener = Listener(
            embedder=embedder,
            intents=IntentClassifier.open(settings.knowledge, embedder, settings.state),
            risks=RiskClassifier.open(reading or embedder),
            kinds=TurnKinds.open(embedder),
            questions=QuestionReader.open(reading or embedder),
        )
        assistant = cls(
            listener=listener,
            finder=Finder(
                listener=listener,
                knowledge=knowledge,
                evidence=SentenceRanker.open(embedder, spans, reading),
                verdicts=VerdictReader.open(reading or embedder),
                policy=(FittedPolicy if is_fitted else GeneralPolicy)(settings.caution),
            ),
            responder=Responder(
                company=company,
                sayings=Sayings.load_all(),
                choices=StrategyChoices.load(settings.state),
                writer=Writer.open(generator, AcrossGrounder.open(embedder)) if generator else None,
                strategy=settings.strategy,
                max_characters=settings.max_characters,
            ),
        )
        if settings.expansions:
            expand_in_background(knowledge, settings.state, assistant.waiting)
        return assistant

    def answering_from(self, folder: Path) -> "Assistant":
        """Return the same assistant with other articles, such as a copy of its own with a change.

        Args:
            folder: Their folder.

        Raises:
            KnowledgeError: They cannot be used.
            OSError: Their index cannot be written.
        """
        knowledge = self.finder.knowledge.beside(folder)
        finder = self.finder.searching(knowledge)
        return Assistant(listener=self.listener, finder=finder, responder=self.responder)

    def reply(
        self, question: str, history: Sequence[Message] = (), strategy: str | None = None
    ) -> Reply:
        """Return the whole reply; see ``stream``."""
        *_, last = self.stream(question, history, strategy)
        assert isinstance(last, Reply)  # noqa: S101  # the stream's contract
        return last

    def stream(
        self, question: str, history: Sequence[Message] = (), strategy: str | None = None
    ) -> Stream:
        """Yield checked pieces of text and, at the end, the whole reply.

        Args:
            question: The customer's message.
            history: The conversation before it, oldest first.
            strategy: How to word the answer; None for the assistant's setting.

        Raises:
            InvalidMessageError: The message is empty, too long or unreadable.
            GeneratorError: The generator fails before it has written anything.
        """
        with self.waiting.one() as turns:
            self._cores.share(turns)
            yield from self.responder.respond(self.consider(question, history), strategy)

    def consider(self, question: str, history: Sequence[Message] = ()) -> Findings:
        """Find out what is known of a message before any text is written; see ``stream``."""
        # How replies of earlier turns are known again where a client keeps their text alone.
        decided = {name: self._every(name) for name in DECIDED} if history else {}
        known = [recover_decision(message, decided) for message in history]
        known = self._with_citations(known)
        asked = what_is_asked(simplified(question), [_simplified(message) for message in known])
        clock = Stopwatch()
        most = self.responder.max_characters
        message = self.listener.understand(asked, failures_in_a_row(known), most, clock)
        return self.finder.find(message, clock)

    def versions(self) -> dict[str, str]:
        """Return the versions of what makes a reply: program, index, embedder and generator."""
        import importlib.metadata

        snapshot, generator = self.finder.knowledge.current().snapshot, self.responder.generator
        return {
            "frontdesk": importlib.metadata.version("frontdesk"),
            "index": snapshot.generation,
            "embedder": snapshot.embedder,
            "generator": generator.name if generator else "",
        }

    def article(self, lang: str, article: str) -> Article | None:
        """Return a currently valid article, or None."""
        return self.finder.knowledge.current().article(lang, article)

    def valid_articles(self) -> list[Article]:
        """Return all currently valid articles."""
        return self.finder.knowledge.current().valid_articles()

    def _with_citations(self, history: Sequence[Message]) -> list[Message]:
        """Return the history with what the last replies quote, for clients that keep text alone."""
        quotations = self.finder.knowledge.current().quotations
        latest = range(max(0, len(history) - 2 * TURNS), len(history))
        return [
            with_citations(message, quotations) if place in latest else message
            for place, message in enumerate(history)
        ]

    def _every(self, name: str) -> tuple[str, ...]:
        """Return a saying in each language."""
        say = self.responder.saying
        return tuple(say(name, lang) for lang in self.responder.sayings)


def _simplified(message: Message) -> Message:
    """Return a customer's message in Simplified Chinese; the assistant's own is already."""
    if message.role == "assistant":
        return message
    return dataclasses.replace(message, text=simplified(message.text))
