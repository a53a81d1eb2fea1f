"""Says what was found out: words an answer, quotes it, or says why there is none."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from assistant.company import Company
from assistant.evidence.ranked_sentences import best_of
from assistant.findings import Findings
from assistant.generators.generator import Generator
from assistant.grounding.grounder import figures
from assistant.message.history import choice_lines
from assistant.messages import Action, Stream
from assistant.routing import ACCOUNT, SORRY
from assistant.writing.openings import opening_of
from assistant.writing.reply_builder import Lead, ReplyBuilder, supporting
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
        self.strategy = strategy

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
        if findings.route.action is not Action.ANSWER:
            yield from self._say(findings)
            return
        answer = self._answer_each if findings.parts else self._answer
        yield from answer(findings, self._chosen(strategy or self.strategy, findings.lang))

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
        yield from self._worded(findings, strategy, builder)
        worded = bool(builder.support)
        if not worded:
            builder = ReplyBuilder(findings, "extractive")
            yield from self._quoted(findings, builder)
        if findings.route.reason == ACCOUNT:
            yield builder.add(self.saying("account_person", findings.lang), None)
        yield builder.build(self.generator if worded else None)

    def _answer_each(self, findings: Findings, strategy: str) -> Stream:
        """Answer each question of a message under its own words; name those that are open.

        Nothing is said twice.
        """
        builder = ReplyBuilder(findings, strategy)
        worded = False
        for number, part in enumerate(findings.parts, 1):
            asked = self._heading(part, number)
            between = "\n\n" if number > 1 else None
            if part.route.action is not Action.ANSWER:
                yield builder.add(self.saying("part_unread", part.lang, part=asked), None, between)
                continue
            if builder.cites(best_of(part.chosen)):
                yield builder.add(self.saying("part_above", part.lang, part=asked), None, between)
                continue
            heading: Lead = (self.saying("part", part.lang, part=asked), None, between)
            before = len(builder.support)
            yield from self._worded(part, strategy, builder, [heading])
            if len(builder.support) > before:
                worded = True
            else:
                unsaid = [evidence for evidence in part.chosen if not builder.cites(evidence)]
                new = dataclasses.replace(part, chosen=unsaid)
                yield from self._quoted(new, builder, [heading], feels=number == 1)
        if len(findings.message.asked.parts) > len(findings.parts):
            yield builder.add(self.saying("one_by_one", findings.lang), None, "\n\n")
        if not worded:
            builder.strategy = "extractive"
        yield builder.build(self.generator if worded else None)

    def _heading(self, part: Findings, number: int) -> str:
        """Return a question's own words; its number where they hold a figure, which is no fact."""
        asked = part.message.text
        return self.saying(f"part_{number}", part.lang) if figures(asked) else asked

    def _worded(
        self, findings: Findings, strategy: str, builder: ReplyBuilder, leads: Sequence[Lead] = ()
    ) -> Iterator[str]:
        """Add what the generator writes after ``leads``, if one is to word this answer."""
        if self._writer and strategy in WORDED and findings.route.reason == "answer":
            builder.lead([*leads, *self._opening(findings)])
            yield from self._writer.write(findings, strategy, builder)
            findings.clock.lap("generator")

    def _quoted(
        self,
        findings: Findings,
        builder: ReplyBuilder,
        leads: Sequence[Lead] = (),
        *,
        feels: bool = True,
    ) -> Iterator[str]:
        """Add the chosen sentences after ``leads`` and what else goes first, sympathy if wanted."""
        reason, lang = findings.route.reason, findings.lang
        said = []
        if reason == "nearest":
            title = findings.chosen[0].passage.title
            said.append(self.saying("nearest", lang, title=title))
        elif reason == ACCOUNT or (feels and reason in SORRY):
            said.append(self.saying(reason, lang))
        elif feels and findings.is_trouble:
            said.append(self.saying("trouble", lang))
        foreign = {str(evidence.passage.lang) for evidence in findings.chosen} - {lang}
        said += [self.saying(f"source_in_{other}", lang) for other in sorted(foreign)[:1]]
        first: list[Lead] = [(sentence, None, None) for sentence in said]
        builder.lead([*leads, *first, *self._opening(findings)])
        yield from builder.quote(findings.chosen)

    def _opening(self, findings: Findings) -> Sequence[Lead]:
        """Return "yes", "no" or "it depends" in the question's words; nothing if it is unsure."""
        if not findings.verdict:
            return ()
        openings = self.sayings[findings.lang].openings
        opening = opening_of(findings.message.text, findings.verdict, openings)
        return [(opening, supporting(findings.chosen), None)]

    def _say(self, findings: Findings) -> Stream:
        saying = self.saying(findings.route.reason, findings.message.prediction.language)
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
