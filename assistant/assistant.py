"""Answers one message: the only file that knows the order of the steps."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Self

from assistant.company import Company
from assistant.config import Settings
from assistant.evidence.ranked_sentences import without
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.reader import open_reading_embedder
from assistant.evidence.selection import select
from assistant.expand import expand_in_background
from assistant.findings import Findings, Stopwatch
from assistant.generators.open_generator import open_generator
from assistant.intents.classifier import IntentClassifier
from assistant.intents.emoji import with_emoji_read
from assistant.intents.risks import ORDINARY, RiskClassifier
from assistant.intents.turn_kinds import ASKS, TurnKinds
from assistant.message import safety
from assistant.message.context import (
    TURNS,
    Asked,
    EarlierTurn,
    asks_back,
    failures_in_a_row,
    says_little,
    turns_before,
    what_is_asked,
)
from assistant.message.courtesies import without_courtesies
from assistant.message.history import (
    DECIDED,
    recover_decision,
    with_citations,
)
from assistant.messages import Action, Message, Reply, Stream
from assistant.policy import FittedPolicy, GeneralPolicy, Policy
from assistant.routing import CRISIS_REASONS, PERSON, SORRY, Router
from assistant.waiting import Waiting
from assistant.writing.responder import Responder
from assistant.writing.strategies import StrategyChoices
from assistant.writing.templates import Sayings
from assistant.writing.writer import Writer
from knowledge.documents import Article
from knowledge.knowledge_base import KnowledgeBase
from knowledge.models.embedder import Embedder, Vectors
from knowledge.models.model_files import open_embedder, open_span_embedders
from knowledge.retrieval.reranker import open_reranker


class Assistant:
    """Answers messages from a company's articles. Keeps no conversation."""

    def __init__(
        self,
        *,
        embedder: Embedder,
        knowledge: KnowledgeBase,
        intents: IntentClassifier,
        risks: RiskClassifier | None = None,
        kinds: TurnKinds | None = None,
        evidence: SentenceRanker,
        policy: Policy,
        responder: Responder,
    ) -> None:
        """Take ready parts; ``from_config`` opens them.

        Args:
            embedder: The one that made the index.
            knowledge: Provides the current retriever.
            intents: Predicts what a message wants.
            risks: Predicts which messages tell of distress, harm or anger; without it, none does.
            kinds: Predicts what a later message does; without it, each one asks.
            evidence: Ranks the sentences that may answer.
            policy: How sure an answer must be.
            responder: Says what was found out.
        """
        self.responder = responder
        self.embedder = embedder
        self._knowledge = knowledge
        self.intents = intents
        self._risks = risks
        self._kinds = kinds
        self.evidence = evidence
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
            embedder=embedder,
            knowledge=knowledge,
            intents=IntentClassifier.open(settings.knowledge, embedder, settings.state),
            risks=RiskClassifier.open(reading or embedder),
            kinds=TurnKinds.open(embedder),
            evidence=SentenceRanker.open(embedder, spans, reading),
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
        text = safety.check(asked.question, self.responder.max_characters)
        injection = safety.is_injection(text)
        clock.lap("safety")
        bared = _bared(text)
        # Who asks the same again hears the same: the message says all that is needed.
        earlier = [turn for turn in turns_before(asked.history) if turn.question != text]
        last = _readable(earlier[0]) if earlier else None
        readings = self._readings(bared, last)
        prediction = with_emoji_read(
            self.intents.predict(bared, readings[bared]), bared, asked.history
        )
        kinds = (
            self._kinds_of(bared, readings[bared])
            if last and not safety.is_emoji_alone(bared)
            else None
        )
        lang = prediction.language
        risks = self._risks_of(text, asked.history)
        crisis = self._router.of_risk(risks)
        clock.lap("intents")
        if crisis:
            # No article, no choice: only help, or a friendly no.
            return Findings(
                text, last, asked.history, failures, prediction, risks, [], [], crisis, clock
            )
        knowledge = self._knowledge.current()
        # Emoji ask for no article, and something is always nearest.
        hits = (
            []
            if safety.is_emoji_alone(bared)
            else knowledge.retrieve(
                readings,
                lang,
                prior=prediction.articles if self.policy.weighs_intents else None,
                title=asked.picked,
                also=[c.article for turn in earlier for c in turn.citations],
                before=last,
            )
        )
        clock.lap("retriever")
        # The last reading contains the message and what it refers to.
        *_, vector = readings.values()
        is_pick = asked.picked is not None
        route = None
        if not is_pick:
            # Reading takes most of a turn. Small talk, orders and out-of-scope messages need none.
            route = self._router.before_reading(
                prediction,
                hits,
                injection=injection,
                failures=failures,
                kinds=kinds,
                risks=risks,
            )
        is_expected = not last and self._router.is_expected(prediction, hits)
        read_share = 0.0 if is_pick else self.policy.read_share(is_expected)
        ranked = self.evidence.rank(bared, [] if route else hits, vector, read_share, last)
        if last and kinds and self.policy.is_pushback(kinds):
            # The same words again would help nobody.
            ranked = without(ranked, last.citations)
        chosen = select(ranked, lang)
        clock.lap("evidence")
        if is_pick:
            route = self._router.after_pick(ranked, failures)
        elif route is None:
            little = says_little(bared, asked.history)
            route = self._router.after_reading(
                prediction,
                hits,
                ranked,
                failures=failures,
                says_little=little,
                expected=is_expected,
                kinds=kinds,
                asked_back=asks_back(asked.history),
                risks=risks,
                said_sorry=any(message.reason in SORRY for message in asked.history),
            )
        found = Findings(
            text, last, asked.history, failures, prediction, risks, hits, chosen, route, clock
        )
        return self._until_a_person(found, vector) if route.action is Action.HANDOFF else found

    def _until_a_person(self, findings: Findings, vector: Vectors) -> Findings:
        """Return the findings of a handoff with what the customer can read while waiting.

        This is the article of the intent. If the company's intents name no article, it is any
        sentence that answers, such as the opening hours of the telephone line.
        """
        prediction = findings.prediction
        about = [hit for hit in findings.hits if hit.passage.article == prediction.article]
        wished = self._router.is_settled(prediction) or findings.route.reason == PERSON
        read = about or (findings.hits if wished else [])
        ranked = self.evidence.rank(findings.text, read, vector, last=findings.last)
        is_told = about or self.policy.is_about(ranked)
        chosen = select(ranked, prediction.language) if is_told else []
        return dataclasses.replace(findings, chosen=chosen)

    def _risks_of(self, text: str, history: Sequence[Message]) -> Mapping[str, float]:
        if not self._risks or safety.is_emoji_alone(text):
            return ORDINARY
        before = (message.text for message in reversed(history) if message.role == "user")
        reasons = (message.reason for message in reversed(history) if message.role == "assistant")
        # A crisis was met; the question after it is read by itself.
        is_met = next(reasons, "") in CRISIS_REASONS.values()
        earlier = "" if is_met else next(before, "")
        said = [safety.without_personal_data(one) for one in (text, earlier)]
        return self._risks.predict(*said)

    def _kinds_of(self, text: str, vector: Vectors) -> Mapping[str, float]:
        return self._kinds.predict(text, vector) if self._kinds else ASKS

    def _readings(self, text: str, last: EarlierTurn | None) -> dict[str, Vectors]:
        """Return the message alone and, if there is a turn before it, after that one's question."""
        readings = [text, f"{last.question} {text}"] if last else [text]
        return dict(zip(readings, self.embedder.encode_queries(readings), strict=True))

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


def _bared(text: str) -> str:
    """Return a customer's message as it is searched and read."""
    return without_courtesies(safety.without_personal_data(text))


def _readable(turn: EarlierTurn) -> EarlierTurn:
    return dataclasses.replace(turn, question=_bared(turn.question))
