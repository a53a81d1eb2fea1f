"""One turn, from message to reply: the only file that knows the order."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Self

from assistant.company import Company
from assistant.config import USUAL_CAUTION, Settings
from assistant.evidence.reader import open_reading_embedder
from assistant.evidence.selector import EvidenceSelector
from assistant.findings import Findings, Stopwatch
from assistant.generators.generator import Generator
from assistant.generators.open_generator import open_generator
from assistant.intents.classifier import IntentClassifier, Prediction
from assistant.message import safety
from assistant.message.context import Asked, antecedent, listed, what_is_asked
from assistant.message.courtesies import bare
from assistant.messages import Action, Message, Reply, Stream
from assistant.routing import Router
from assistant.writing.reply_builder import ReplyBuilder
from assistant.writing.strategies import WORDED, StrategyChoices
from assistant.writing.templates import Sayings
from assistant.writing.writer import Writer
from knowledge.documents import Article
from knowledge.knowledge_base import KnowledgeBase
from knowledge.models.embedder import Embedder, Vectors
from knowledge.models.model_files import open_embedder
from knowledge.retrieval.reranker import open_reranker


class Assistant:
    """Answers messages from a company's articles; holds no conversation itself."""

    def __init__(
        self,
        *,
        company: Company,
        embedder: Embedder,
        knowledge: KnowledgeBase,
        intents: IntentClassifier,
        generator: Generator | None,
        reading: Embedder | None = None,
        choices: StrategyChoices | None = None,
        strategy: str = "auto",
        caution: float = USUAL_CAUTION,
        max_characters: int = 4000,
    ) -> None:
        """Take the ready parts.

        Args:
            company: Who the assistant speaks for.
            embedder: The one of the index.
            knowledge: Gives the retriever of the moment.
            intents: Tells what a message wants.
            generator: Words answers; None where every answer is extractive.
            reading: Whose network reads passages; None for the embedder's.
            choices: What ``auto`` means; None for what the package's evaluation found.
            strategy: How answers are worded, unless a call says otherwise.
            caution: What a wrong answer costs, in right ones.
            max_characters: The longest message that is taken.
        """
        self.company = company
        self.generator = generator
        self._embedder = embedder
        self._knowledge = knowledge
        self._intents = intents
        self._strategy = strategy
        self._max_characters = max_characters
        self._router = Router(caution)
        self._choices = choices or StrategyChoices.load()
        self._evidence = EvidenceSelector(embedder, generator, reading)
        self._writer = Writer(generator) if generator else None
        self._sayings = {lang: Sayings.load(lang) for lang in ("en", "zh")}

    @classmethod
    def from_config(cls, settings: Settings) -> Self:
        """Build the assistant that the settings describe; prepares models and index if needed.

        Raises:
            KnowledgeError: The articles or the weights cannot be used.
            AssistantError: Intents, templates or the generator cannot be used.
        """
        company = Company.load(settings.knowledge)
        embedder = open_embedder(settings.embedder, settings.state)
        return cls(
            company=company,
            embedder=embedder,
            knowledge=KnowledgeBase.open(
                settings.knowledge,
                embedder,
                settings.state,
                milvus=settings.milvus,
                reranker=open_reranker(settings.reranker),
                progress=True,
            ),
            intents=IntentClassifier.open(settings.knowledge, embedder, settings.state),
            generator=open_generator(settings),
            reading=open_reading_embedder(settings.embedder, settings.state),
            choices=StrategyChoices.load(settings.state),
            strategy=settings.strategy,
            caution=settings.caution,
            max_characters=settings.max_characters,
        )

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
        """Yield pieces of text, each checked, and at the end the whole reply.

        Args:
            question: The customer's message.
            history: The conversation before it, oldest first.
            strategy: How to word the answer; None for the assistant's own.

        Raises:
            InvalidMessageError: The message is empty, too long or unreadable.
            GeneratorError: The generator fails before anything was said.
        """
        clock = Stopwatch()
        asked = what_is_asked(question, history, self._every("clarify"))
        turn = self._considered(asked, self._failures(history), clock)
        if turn.route.action is Action.ANSWER:
            yield from self._answer(turn, self._chosen(strategy or self._strategy, turn.lang))
        else:
            yield from self._say(turn)

    def article(self, lang: str, article: str) -> Article | None:
        """Return a current article by its language and id, or None."""
        return self._knowledge.current().article(lang, article)

    def saying(self, name: str, lang: str, **values: str) -> str:
        """Return a fixed sentence, such as the one for an empty message; some have gaps."""
        known = {"company": self._name(lang), "max_characters": self._max_characters}
        return self._sayings[lang if lang in self._sayings else "en"].say(name, **known, **values)

    def _considered(self, asked: Asked, failures: int, clock: Stopwatch) -> Findings:
        """Find out all that is known of a question before a word is said."""
        text = safety.check(asked.question, self._max_characters)
        injection = safety.is_injection(text)
        clock.lap("safety")
        bared = bare(safety.without_personal_data(text))
        readings, prediction = self._understand(bared, asked.history)
        lang = prediction.language
        clock.lap("intents")
        retriever = self._knowledge.current()
        hits = retriever.retrieve(readings, lang, prior=prediction.articles, title=asked.picked)
        clock.lap("retriever")
        # The last reading holds all the words there are.
        *_, query = readings
        is_pick = asked.picked is not None
        # Hits' scores that were fitted on the company's own questions know best.
        own = retriever.snapshot.calibration.own and not is_pick
        route = None
        if not is_pick:
            # Reading is most of a turn: small talk, orders and what is none of ours need none.
            route = self._router.before_reading(
                prediction, hits, injection=injection, failures=failures, own=own
            )
        read = [] if route else hits
        ranking = self._evidence.rank(query, read, readings[query], own=own)
        chosen = self._evidence.select(ranking, lang)
        clock.lap("evidence")
        if is_pick:
            route = self._router.after_pick(ranking, lang, failures)
        elif route is None:
            route = self._router.after_reading(
                prediction, hits, ranking, failures=failures, own=own
            )
        turn = Findings(text, query, asked.history, prediction, hits, chosen, route, clock)
        return self._until_a_person(turn, readings) if route.action is Action.HANDOFF else turn

    def _until_a_person(self, turn: Findings, readings: Mapping[str, Vectors]) -> Findings:
        """Return the turn of a handoff with what the customer reads until a person comes.

        That is the intent's own article; in a company whose intents name none, whatever answers,
        such as when the telephone is staffed.
        """
        about = [hit for hit in turn.hits if hit.passage.article == turn.prediction.article]
        wished = self._router.is_settled(turn.prediction)
        read = about or (turn.hits if wished else [])
        ranking = self._evidence.rank(turn.query, read, readings[turn.query])
        is_told = about or self._router.is_clear(ranking, turn.prediction.language)
        chosen = self._evidence.select(ranking, turn.prediction.language) if is_told else []
        return dataclasses.replace(turn, chosen=chosen)

    def _understand(
        self, text: str, history: Sequence[Message]
    ) -> tuple[dict[str, Vectors], Prediction]:
        """Read the message alone, and a follow-up together with what it follows.

        A follow-up ("how much is a new one?") keeps its own intent and takes half of its subject
        from the question before.
        """
        vector = self._embedder.encode_queries([text])[0]
        prediction = self._intents.predict(text, vector)
        subject = antecedent(text, history)
        if subject is None or self._router.is_sure(prediction):
            return {text: vector}, prediction
        subject = bare(subject)
        query = f"{subject} {text}"
        first, both = self._embedder.encode_queries([subject, query])
        before = self._intents.predict(subject, first)
        return {text: vector, query: both}, prediction.blended_with(before)

    def _answer(self, turn: Findings, strategy: str) -> Stream:
        builder = ReplyBuilder(turn, strategy)
        if self._writer and strategy in WORDED and turn.route.reason != "nearest":
            yield from self._writer.write(turn, strategy, builder)
            turn.clock.lap("generator")
        if builder.support:
            if builder.declined:
                yield builder.add(self.saying("partly_found", turn.lang), None)
            yield builder.build(self.generator)
        elif builder.declined:
            unread = self._router.unanswered("not_found", self._failures(turn.history))
            yield from self._say(dataclasses.replace(turn, route=unread))
        else:
            yield from self._extract(turn)

    def _extract(self, turn: Findings) -> Stream:
        builder = ReplyBuilder(turn, "extractive")
        if turn.route.reason == "nearest":
            title = turn.chosen[0].passage.title
            yield builder.add(self.saying("nearest", turn.lang, title=title), None)
        foreign = {str(evidence.passage.lang) for evidence in turn.chosen} - {turn.lang}
        for lang in sorted(foreign)[:1]:
            yield builder.add(self.saying(f"source_in_{lang}", turn.lang), None)
        yield from builder.quote(turn.chosen)
        yield builder.build(None)

    def _say(self, turn: Findings) -> Stream:
        saying = self.saying(turn.route.reason, turn.prediction.language)
        if turn.route.choices:
            choices = (*turn.route.choices, self.saying("none_of_these", turn.lang))
            turn = dataclasses.replace(turn, route=dataclasses.replace(turn.route, choices=choices))
        builder = ReplyBuilder(turn, None)
        template = self._sayings[turn.lang]
        builder.template = f"{template.id}.{template.lang}@{template.version}:{template.hash}"
        yield builder.add(saying, None)
        for line in listed(turn.route.choices):
            yield builder.add(line, None, "\n")
        if turn.route.action is Action.HANDOFF:
            yield from builder.quote(turn.chosen)
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

    def _failures(self, history: Sequence[Message]) -> int:
        """Count how many of our last replies in a row did not help; the text alone tells."""
        unhelpful = (*self._every("not_found"), *self._every("clarify"))
        count = 0
        for message in reversed(history):
            if message.role == "assistant":
                if not message.text.startswith(unhelpful):
                    break
                count += 1
        return count

    def _every(self, name: str) -> tuple[str, ...]:
        """Return a saying in each language: the text of the history alone tells what was said."""
        return tuple(self.saying(name, lang) for lang in self._sayings)

    def _name(self, lang: str) -> str:
        names = self.company.name
        return names.get(lang) or next(iter(names.values()))
