"""Says what was found out: words an answer, quotes it, or says why there is none."""

import dataclasses
from collections.abc import Mapping

from assistant.company import Company
from assistant.findings import Findings
from assistant.generators.generator import Generator
from assistant.message.history import choice_lines
from assistant.messages import Action, Stream
from assistant.routing import SORRY, unanswered
from assistant.writing.reply_builder import ReplyBuilder
from assistant.writing.strategies import WORDED, StrategyChoices
from assistant.writing.templates import Sayings
from assistant.writing.writer import Writer


class Responder:
    """Turns findings into a reply."""

    def __init__(
        self,
        *,
        company: Company,
        sayings: Mapping[str, Sayings],
        choices: StrategyChoices,
        writer: Writer | None = None,
        strategy: str = "auto",
        max_characters: int = 4000,
    ) -> None:
        """Take ready parts.

        Args:
            company: The company for which the assistant speaks.
            sayings: The fixed sentences by language, English and Chinese.
            choices: What the strategy ``auto`` means.
            writer: Words answers; None where every answer is extractive.
            strategy: How answers are worded, unless a call says otherwise.
            max_characters: The maximum length of a message, which a saying names.
        """
        self.company = company
        self.sayings = sayings
        self.max_characters = max_characters
        self._choices = choices
        self._writer = writer
        self._strategy = strategy

    @property
    def generator(self) -> Generator | None:
        """The generator that words answers; None if every answer is extractive."""
        return self._writer.generator if self._writer else None

    def respond(self, findings: Findings, strategy: str | None = None) -> Stream:
        """Yield checked pieces of text and, at the end, the whole reply.

        Args:
            findings: What was found out.
            strategy: How to word the answer; None for the responder's own.

        Raises:
            GeneratorError: The generator fails before it has written anything.
        """
        if findings.route.action is Action.ANSWER:
            chosen = self._chosen(strategy or self._strategy, findings.lang)
            yield from self._answer(findings, chosen)
        else:
            yield from self._say(findings)

    def saying(self, name: str, lang: str, **values: str) -> str:
        """Return a fixed sentence, such as the one for an empty message, with its gaps filled."""
        sayings = self.sayings[lang if lang in self.sayings else "en"]
        known = {
            "company": self._name(lang),
            "max_characters": self.max_characters,
            "crisis": self.company.crisis.get(lang) or sayings.say("crisis"),
        }
        return sayings.say(name, **known, **values)

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
            unread = unanswered("not_found", "unread", findings.failures)
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
        template = self.sayings[findings.lang]
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

    def _name(self, lang: str) -> str:
        names = self.company.name
        return names.get(lang) or next(iter(names.values()))
