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
from assistant.generators.generator import Generator
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
    choice_lines,
    recover_decision,
    with_citations,
)
from assistant.messages import Action, Message, Reply, Stream
from assistant.policy import FittedPolicy, GeneralPolicy, Policy
from assistant.routing import CRISIS_REASONS, PERSON, Router
from assistant.waiting import Waiting
from assistant.writing.reply_builder import ReplyBuilder
from assistant.writing.strategies import WORDED, StrategyChoices
from assistant.writing.templates import Sayings
from assistant.writing.writer import Writer
from knowledge.documents import Article
from knowledge.knowledge_base import KnowledgeBase
from knowledge.models.embedder import Embedder, Vectors
from knowledge.models.model_files import open_embedder, open_span_embedders
from knowledge.retrieval.reranker import open_reranker

# The reasons of answers to anger, which is acknowledged first.
SORRY = ("sorry", "sorry_again")


class Assistant:
    """Answers messages from a company's articles. Keeps no conversation."""

    def __init__(
        self,
        *,
        company: Company,
        embedder: Embedder,
        knowledge: KnowledgeBase,
        intents: IntentClassifier,
        risks: RiskClassifier | None = None,
        kinds: TurnKinds | None = None,
        evidence: SentenceRanker,
        policy: Policy,
        sayings: Mapping[str, Sayings],
        choices: StrategyChoices,
        writer: Writer | None = None,
        strategy: str = "auto",
        max_characters: int = 4000,
    ) -> None:
        """Take ready parts; ``from_config`` opens them.

        Args:
            company: The company for which the assistant speaks.
            embedder: The one that made the index.
            knowledge: Provides the current retriever.
            intents: Predicts what a message wants.
            risks: Predicts which messages tell of distress, harm or anger; without it, none does.
            kinds: Predicts what a later message does; without it, each one asks.
            evidence: Ranks the sentences that may answer.
            policy: How sure an answer must be.
            sayings: The fixed sentences by language, English and Chinese.
            choices: What the strategy ``auto`` means.
            writer: Words answers; None where every answer is extractive.
            strategy: How answers are worded, unless a call says otherwise.
            max_characters: The maximum length of a message.
        """
        self.company = company
        self.embedder = embedder
        self._knowledge = knowledge
        self.intents = intents
        self._risks = risks
        self._kinds = kinds
        self.evidence = evidence
        self.policy = policy
        self._router = Router(policy)
        self._sayings = sayings
        self._choices = choices
        self._writer = writer
        self._strategy = strategy
        self._max_characters = max_characters
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
            company=company,
            embedder=embedder,
            knowledge=knowledge,
            intents=IntentClassifier.open(settings.knowledge, embedder, settings.state),
            risks=RiskClassifier.open(reading or embedder),
            kinds=TurnKinds.open(embedder),
            evidence=SentenceRanker.open(embedder, spans, reading),
            policy=(FittedPolicy if is_fitted else GeneralPolicy)(settings.caution),
            sayings=Sayings.load_all(),
            choices=StrategyChoices.load(settings.state),
            writer=Writer.open(generator) if generator else None,
            strategy=settings.strategy,
            max_characters=settings.max_characters,
        )
        if settings.expansions:
            expand_in_background(knowledge, settings.state, assistant.waiting)
        return assistant

    @property
    def generator(self) -> Generator | None:
        """The generator that words answers; None if every answer is extractive."""
        return self._writer.generator if self._writer else None

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
            yield from self.respond(self.consider(question, history), strategy)

    def respond(self, findings: Findings, strategy: str | None = None) -> Stream:
        """Yield the reply to what was found out, as ``stream`` does."""
        if findings.route.action is Action.ANSWER:
            chosen = self._chosen(strategy or self._strategy, findings.lang)
            yield from self._answer(findings, chosen)
        else:
            yield from self._say(findings)

    def consider(self, question: str, history: Sequence[Message] = ()) -> Findings:
        """Find out what is known of a message before any text is written; see ``stream``."""
        known = [recover_decision(message, self._decided) for message in history]
        known = self._with_citations(known)
        asked = what_is_asked(question, known)
        return self._considered(asked, failures_in_a_row(known), Stopwatch())

    def article(self, lang: str, article: str) -> Article | None:
        """Return a currently valid article, or None."""
        return self._knowledge.current().article(lang, article)

    def saying(self, name: str, lang: str, **values: str) -> str:
        """Return a fixed sentence, such as the one for an empty message, with its gaps filled."""
        sayings = self._sayings[lang if lang in self._sayings else "en"]
        known = {
            "company": self._name(lang),
            "max_characters": self._max_characters,
            "crisis": self.company.crisis.get(lang) or sayings.say("crisis"),
        }
        return sayings.say(name, **known, **values)

    def _considered(self, asked: Asked, failures: int, clock: Stopwatch) -> Findings:
        text = safety.check(asked.question, self._max_characters)
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

    def _answer(self, findings: Findings, strategy: str) -> Stream:
        builder = ReplyBuilder(findings, strategy)
        if self._writer and strategy in WORDED and findings.route.reason == "answer":
            yield from self._writer.write(findings, strategy, builder)
            findings.clock.lap("generator")
        if builder.support:
            if builder.declined:
                yield builder.add(self.saying("partly_found", findings.lang), None)
            yield builder.build(self.generator)
        elif builder.declined:
            unread = self._router.unanswered("not_found", "unread", findings.failures)
            yield from self._say(dataclasses.replace(findings, route=unread))
        else:
            yield from self._extract(findings)

    def _extract(self, findings: Findings) -> Stream:
        builder = ReplyBuilder(findings, "extractive")
        if findings.route.reason == "nearest":
            title = findings.chosen[0].passage.title
            yield builder.add(self.saying("nearest", findings.lang, title=title), None)
        elif findings.route.reason in SORRY:
            yield builder.add(self.saying(findings.route.reason, findings.lang), None)
        foreign = {str(evidence.passage.lang) for evidence in findings.chosen} - {findings.lang}
        for lang in sorted(foreign)[:1]:
            yield builder.add(self.saying(f"source_in_{lang}", findings.lang), None)
        yield from builder.quote(findings.chosen)
        yield builder.build(None)

    def _say(self, findings: Findings) -> Stream:
        saying = self.saying(findings.route.reason, findings.prediction.language)
        if findings.route.choices:
            choices = (*findings.route.choices, self.saying("none_of_these", findings.lang))
            findings = dataclasses.replace(
                findings, route=dataclasses.replace(findings.route, choices=choices)
            )
        builder = ReplyBuilder(findings, None)
        template = self._sayings[findings.lang]
        builder.template = f"{template.id}.{template.lang}@{template.version}:{template.hash}"
        yield builder.add(saying, None)
        if findings.route.near:
            near = self.saying("nearest_title", findings.lang, title=findings.route.near)
            yield builder.add(near, None)
        for line in choice_lines(findings.route.choices):
            yield builder.add(line, None, "\n")
        if findings.route.action is Action.HANDOFF:
            yield from builder.quote(findings.chosen)
        yield builder.build(None)

    def _chosen(self, wanted: str, lang: str) -> str:
        generator = self.generator
        if generator is None or lang not in generator.languages:
            return "extractive"
        if wanted == "auto":
            wanted = self._choices.choose(generator.name, lang, self.company.name.get("en", ""))
        if wanted == "tuned" and not generator.has_adapter:
            return "extractive"
        return wanted

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
        return tuple(self.saying(name, lang) for lang in self._sayings)

    def _name(self, lang: str) -> str:
        names = self.company.name
        return names.get(lang) or next(iter(names.values()))


def _bared(text: str) -> str:
    """Return a customer's message as it is searched and read."""
    return without_courtesies(safety.without_personal_data(text))


def _readable(turn: EarlierTurn) -> EarlierTurn:
    return dataclasses.replace(turn, question=_bared(turn.question))
