"""Answers one message: the only file that knows the order of the steps."""

import dataclasses
from collections.abc import Sequence
from typing import Self

from assistant.company import Company
from assistant.config import Settings
from assistant.evidence.ranked_sentences import Evidence, without
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.reader import open_reading_embedder
from assistant.evidence.selection import select
from assistant.evidence.verdict import VerdictReader
from assistant.expand import expand_in_background
from assistant.findings import Findings, Stopwatch, Understood
from assistant.generators.open_generator import open_generator
from assistant.intents.classifier import IntentClassifier
from assistant.intents.question_reader import STATEMENTS, QuestionReader
from assistant.intents.risks import RiskClassifier
from assistant.intents.turn_kinds import TurnKinds
from assistant.listener import Listener
from assistant.message import safety
from assistant.message.context import (
    TURNS,
    Asked,
    EarlierTurn,
    asks_back,
    failures_in_a_row,
    says_little,
    what_is_asked,
)
from assistant.message.history import (
    DECIDED,
    recover_decision,
    with_citations,
)
from assistant.messages import Action, Message, Reply, Stream
from assistant.policy import FittedPolicy, GeneralPolicy, Policy
from assistant.routing import PERSON, SORRY, Route, Router
from assistant.waiting import Waiting
from assistant.writing.reply_builder import citation_of
from assistant.writing.responder import Responder
from assistant.writing.strategies import StrategyChoices
from assistant.writing.templates import Sayings
from assistant.writing.writer import Writer
from knowledge.documents import Article, Hit
from knowledge.knowledge_base import KnowledgeBase
from knowledge.models.model_files import open_embedder, open_span_embedders
from knowledge.retrieval.reranker import open_reranker

# The most questions of one message that are answered.
MAX_PARTS = 3


class Assistant:
    """Answers messages from a company's articles. Keeps no conversation."""

    def __init__(
        self,
        *,
        listener: Listener,
        knowledge: KnowledgeBase,
        evidence: SentenceRanker,
        verdicts: VerdictReader | None = None,
        policy: Policy,
        responder: Responder,
    ) -> None:
        """Take ready parts; ``from_config`` opens them.

        Args:
            listener: Understands messages.
            knowledge: Provides the current retriever.
            evidence: Ranks the sentences that may answer.
            verdicts: Tells yes from no; without it, no answer begins with either.
            policy: How sure an answer must be.
            responder: Says what was found out.
        """
        self.listener, self.responder = listener, responder
        self._knowledge = knowledge
        self.evidence = evidence
        self._verdicts = verdicts
        self.policy = policy
        self._router = Router(policy)
        self.waiting = Waiting()
        # How replies of earlier turns are known again where a client keeps their text alone.
        self._decided = {name: self._every(name) for name in DECIDED}

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
        assistant = cls(
            listener=Listener(
                embedder=embedder,
                intents=IntentClassifier.open(settings.knowledge, embedder, settings.state),
                risks=RiskClassifier.open(reading or embedder),
                kinds=TurnKinds.open(embedder),
                questions=QuestionReader.open(reading or embedder),
            ),
            knowledge=knowledge,
            evidence=SentenceRanker.open(embedder, spans, reading),
            verdicts=VerdictReader.open(reading or embedder),
            policy=(FittedPolicy if is_fitted else GeneralPolicy)(settings.caution),
            responder=Responder(
                company=company,
                sayings=Sayings.load_all(),
                choices=StrategyChoices.load(settings.state),
                writer=Writer.open(generator) if generator else None,
                strategy=settings.strategy,
                max_characters=settings.max_characters,
            ),
        )
        if settings.expansions:
            expand_in_background(knowledge, settings.state, assistant.waiting)
        return assistant

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
        with self.waiting.one():
            yield from self.responder.respond(self.consider(question, history), strategy)

    def consider(self, question: str, history: Sequence[Message] = ()) -> Findings:
        """Find out what is known of a message before any text is written; see ``stream``."""
        known = [recover_decision(message, self._decided) for message in history]
        known = self._with_citations(known)
        asked = what_is_asked(question, known)
        return self._considered(asked, failures_in_a_row(known), Stopwatch())

    def article(self, lang: str, article: str) -> Article | None:
        """Return a currently valid article, or None."""
        return self._knowledge.current().article(lang, article)

    def _considered(self, asked: Asked, failures: int, clock: Stopwatch) -> Findings:
        """Return the findings of a message, whole or part by part."""
        message = self.listener.understand(asked, failures, self.responder.max_characters, clock)
        if crisis := self._router.of_risk(message.risks):
            # No article, no choice: only help, or a friendly no.
            return Findings(message, crisis, clock)
        hits = self._hits(message)
        clock.lap("retriever")
        route = None
        if message.picked is None:
            # Reading takes most of a turn. Small talk, orders and out-of-scope messages need none.
            route = self._router.before_reading(
                message.prediction,
                hits,
                injection=message.injection,
                failures=failures,
                kinds=message.kinds,
                risks=message.risks,
            )
        parts = () if route or message.picked else self._parts(message, clock)
        if parts:
            first = next(part for part in parts if part.route.action is Action.ANSWER)
            return Findings(message, first.route, clock, hits, parts=parts)
        found = self._read(message, hits, route, clock)
        return self._until_a_person(found) if found.route.action is Action.HANDOFF else found

    def _parts(self, message: Understood, clock: Stopwatch) -> tuple[Findings, ...]:
        """Return the findings of each question of a message; none if it is better read whole.

        Each one is read as if it followed the one before it: "and how long does that take?".
        """
        if len(message.asked.parts) == 1:
            return ()
        parts: list[Findings] = []
        for span in message.asked.parts[:MAX_PARTS]:
            # A question that nothing answered says nothing of the next one.
            answered = [part for part in parts if part.route.action is Action.ANSWER]
            last = _turn_of(answered[-1]) if answered else message.last
            part = self.listener.part_of(message, span.of(message.bared), last)
            parts.append(self._read(part, self._hits(part), None, clock))
        is_open = [part for part in parts if part.route.action is not Action.ANSWER]
        # A statement that no article meets is what the question beside it is about.
        is_context = any(part.message.asked.shape in STATEMENTS for part in is_open)
        return () if is_context or len(is_open) == len(parts) else tuple(parts)

    def _hits(self, message: Understood) -> list[Hit]:
        # Emoji ask for no article, and something is always nearest.
        if safety.is_emoji_alone(message.bared):
            return []
        prediction = message.prediction
        return self._knowledge.current().retrieve(
            message.vectors,
            prediction.language,
            prior=prediction.articles if self.policy.weighs_intents else None,
            title=message.picked,
            also=[c.article for turn in message.earlier for c in turn.citations],
            before=message.last,
        )

    def _read(
        self, message: Understood, hits: Sequence[Hit], route: Route | None, clock: Stopwatch
    ) -> Findings:
        """Return the findings of a message or a part of it, with what the hits say of it."""
        prediction, last, kinds = message.prediction, message.last, message.kinds
        is_pick = message.picked is not None
        is_expected = not last and self._router.is_expected(prediction, hits)
        read_share = 0.0 if is_pick else self.policy.read_share(is_expected)
        ranked = self.evidence.rank(
            message.bared, [] if route else hits, message.vector, read_share, last
        )
        if last and kinds and self.policy.is_pushback(kinds):
            # The same words again would help nobody.
            ranked = without(ranked, last.citations)
        if is_pick:
            route = self._router.after_pick(ranked, message.failures)
        elif route is None:
            route = self._router.after_reading(
                prediction,
                hits,
                ranked,
                failures=message.failures,
                says_little=says_little(message.bared, message.history),
                expected=is_expected,
                kinds=kinds,
                asked_back=asks_back(message.history),
                risks=message.risks,
                said_sorry=any(earlier.reason in SORRY for earlier in message.history),
                account=message.asked.account,
            )
        chosen = select(ranked, prediction.language, message.asked.shape)
        clock.lap("evidence")
        verdict = ""
        if route.action is Action.ANSWER:
            verdict = self._verdict(message, chosen)
            clock.lap("verdict")
        return Findings(message, route, clock, hits, chosen, verdict)

    def _until_a_person(self, findings: Findings) -> Findings:
        """Return the findings of a handoff with what the customer can read while waiting.

        This is the article of the intent. If the company's intents name no article, it is any
        sentence that answers, such as the opening hours of the telephone line.
        """
        message = findings.message
        prediction = message.prediction
        about = [hit for hit in findings.hits if hit.passage.article == prediction.article]
        wished = self._router.is_settled(prediction) or findings.route.reason == PERSON
        read = about or (findings.hits if wished else [])
        ranked = self.evidence.rank(message.text, read, message.vector, last=message.last)
        is_told = about or self.policy.is_about(ranked)
        chosen = select(ranked, prediction.language) if is_told else []
        return dataclasses.replace(findings, chosen=chosen)

    def _verdict(self, message: Understood, chosen: Sequence[Evidence]) -> str:
        """Return whether what is quoted says yes or no; "" where nobody asked, or it is unsure."""
        if not self._verdicts or not self.policy.asks_yes_or_no(message.asked.shapes):
            return ""
        first = [e for e in chosen if e.passage.article == chosen[0].passage.article]
        return self.policy.verdict(self._verdicts.read(message.bared, first), message.lang)

    def _with_citations(self, history: Sequence[Message]) -> list[Message]:
        """Return the history with what the last replies quote, for clients that keep text alone."""
        quotations = self._knowledge.current().quotations
        latest = range(max(0, len(history) - 2 * TURNS), len(history))
        return [
            with_citations(message, quotations) if place in latest else message
            for place, message in enumerate(history)
        ]

    def _every(self, name: str) -> tuple[str, ...]:
        """Return a saying in each language."""
        say = self.responder.saying
        return tuple(say(name, lang) for lang in self.responder.sayings)


def _turn_of(part: Findings) -> EarlierTurn:
    """Return an answered question of a message as the turn before the next one."""
    citations = tuple(citation_of(evidence, n) for n, evidence in enumerate(part.chosen, 1))
    return EarlierTurn(part.message.text, citations[0].quote, citations)
