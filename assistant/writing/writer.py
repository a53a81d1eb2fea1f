"""Lets the generator write an answer, and keeps the sentences that the passages support."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from assistant.evidence.ranked_sentences import Evidence, as_hits, runs_of
from assistant.evidence.ranker import READ
from assistant.findings import Findings
from assistant.generators.generator import Generator
from assistant.grounding.across import AcrossGrounder
from assistant.grounding.claims import are_among, values
from assistant.grounding.grounder import Grounder, SupportingSpan, without_yes_or_no
from assistant.message import safety
from assistant.messages import Message
from assistant.writing.reply_builder import ReplyBuilder, complete_sentences
from assistant.writing.strategies import WORDED
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Hit
from knowledge.segmenter import sentences

# Hits in the prompt. More made the generator slower, but not better.
PROMPT_HITS = 3
# Earlier messages in the prompt.
HISTORY = 4


class Writer:
    """Writes answers with a generator and checks each sentence against the passages."""

    def __init__(
        self,
        generator: Generator,
        templates: Mapping[tuple[str, str], PromptTemplate],
        across: AcrossGrounder | None = None,
    ) -> None:
        """Take ready parts; ``open`` reads the templates.

        Args:
            generator: Writes.
            templates: By strategy and language.
            across: Checks sentences against passages in the other language; without it, those
                passages are quoted.
        """
        self.generator = generator
        self._across = across
        self._grounder = Grounder()
        self._templates = templates

    @classmethod
    def open(cls, generator: Generator, across: AcrossGrounder | None = None) -> Self:
        """Read the templates of the strategies with a generator.

        Args:
            generator: Writes.
            across: Checks sentences against passages in the other language.

        Raises:
            TemplateError: A template is missing or invalid.
        """
        return cls(
            generator,
            {
                (strategy, lang): PromptTemplate.load(f"answer_{strategy}", lang)
                for strategy in WORDED
                for lang in ("en", "zh")
            },
            across,
        )

    def write(self, findings: Findings, strategy: str, builder: ReplyBuilder) -> Iterator[str]:
        """Add the supported sentences to the reply, and yield the text of each.

        A tuned generator reads only the sentences of the extractive answer. If it drops a value of
        a sentence, or skips the best sentence or one with values, that sentence is quoted. Steps
        are quoted without it: it leaves some out.

        Args:
            findings: The findings of the turn; at least one hit.
            strategy: One of ``WORDED``.
            builder: The reply.

        Raises:
            GeneratorError: The generator fails.
        """
        tuned = strategy == "tuned"
        if tuned and any(evidence.step for evidence in findings.chosen):
            return
        template = self._templates[strategy, findings.lang]
        builder.template = f"{template.id}.{template.lang}@{template.version}:{template.hash}"
        hits = findings.hits[: READ if tuned else PROMPT_HITS]
        prompt_hits = as_hits(runs_of(findings.chosen)) if tuned else hits
        pieces = self._generate(findings, template, prompt_hits, tuned=tuned)
        before = len(builder.support)
        for written in complete_sentences(pieces, findings.lang):
            # Nothing backs the generator's own yes or no.
            sentence = without_yes_or_no(written)
            # The router has decided to answer, and a small model declines too often.
            if sentence == template.decline:
                break
            # After the answer, small models often write passages and questions of their own.
            span = self._support(sentence, hits, findings.lang)
            if not span or builder.has_said(sentence) or (tuned and _drops_value(sentence, span)):
                continue
            yield builder.add(sentence, span)
        if tuned and len(builder.support) > before:
            yield from builder.quote(_skipped(findings.chosen, builder))

    def _support(self, sentence: str, hits: Sequence[Hit], lang: str) -> SupportingSpan | None:
        """Return what supports a sentence, in its own language if anything there does."""
        span = self._grounder.check(sentence, hits)
        if span or not self._across:
            return span
        foreign = [hit for hit in hits if hit.passage.lang != lang]
        return self._across.check(sentence, foreign) if foreign else None

    def _generate(
        self, findings: Findings, template: PromptTemplate, hits: Sequence[Hit], *, tuned: bool
    ) -> Iterator[str]:
        hide = safety.mask if self.generator.is_remote else str
        before = findings.message.history
        read = last_turn(before, findings.lang) if tuned else before[-HISTORY:]
        history = [Message(message.role, hide(message.text)) for message in read]
        prompt = template.render(hide(findings.message.text), hits, history)
        return self.generator.generate(prompt, adapter=tuned)


def last_turn(history: Sequence[Message], lang: str) -> list[Message]:
    """Return the customer's last message and the first sentence of its reply, as rows have them.

    Args:
        history: What was said before, oldest first.
        lang: The language of the reply.
    """
    if len(history) < 2 or history[-1].role != "assistant":  # noqa: PLR2004  # a turn
        return []
    asked, answered = history[-2:]
    first = next((span.of(answered.text) for span in sentences(answered.text, lang)), "")
    return [asked, Message("assistant", first)] if first and asked.role == "user" else []


def _drops_value(sentence: str, span: SupportingSpan) -> bool:
    """Return whether a sentence lacks a value of its support, such as the second of two prices."""
    return not are_among(values(span.span.of(span.passage.text)), values(sentence))


def _skipped(chosen: Sequence[Evidence], builder: ReplyBuilder) -> list[Evidence]:
    """Return the sentences that the reply lacks but needs: the best one, and any with values."""
    best = max(chosen, key=lambda evidence: evidence.score, default=None)
    return [e for e in chosen if not builder.cites(e) and (e is best or values(e.text))]
