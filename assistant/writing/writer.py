"""Words an answer: what the generator reads, and which of its sentences pass."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from assistant.evidence.ranked_sentences import Evidence, as_hits, runs_of
from assistant.evidence.ranker import READ
from assistant.findings import Findings
from assistant.generators.generator import Generator
from assistant.grounding.claims import are_among, values
from assistant.grounding.grounder import Grounder, SupportingSpan
from assistant.message import safety
from assistant.messages import Message
from assistant.writing.reply_builder import ReplyBuilder, complete_sentences
from assistant.writing.strategies import WORDED
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Hit

# Hits that the generator reads; more make it slower and no better.
PROMPT_HITS = 3
# Earlier messages that it reads.
HISTORY = 4


class Writer:
    """Lets a generator word answers and passes on what the passages support."""

    def __init__(
        self, generator: Generator, templates: Mapping[tuple[str, str], PromptTemplate]
    ) -> None:
        """Take what writes, and the templates by strategy and language; ``open`` reads them."""
        self.generator = generator
        self._grounder = Grounder()
        self._templates = templates

    @classmethod
    def open(cls, generator: Generator) -> Self:
        """Read the templates of every strategy that words answers.

        Raises:
            TemplateError: A template is missing or wrong.
        """
        return cls(
            generator,
            {
                (strategy, lang): PromptTemplate.load(f"answer_{strategy}", lang)
                for strategy in WORDED
                for lang in ("en", "zh")
            },
        )

    def write(self, findings: Findings, strategy: str, builder: ReplyBuilder) -> Iterator[str]:
        """Yield checked sentences and add them to the reply.

        A tuned generator reads the sentences that an extractive answer would hold, and words them.
        Where it loses a value of one, or passes over the likeliest or one that holds values, that
        one is said as written.

        Args:
            findings: With hits, best first.
            strategy: One of ``WORDED``.
            builder: The reply to add to.

        Raises:
            GeneratorError: The generator fails.
        """
        template = self._templates[strategy, findings.lang]
        builder.template = f"{template.id}.{template.lang}@{template.version}:{template.hash}"
        tuned = strategy == "tuned"
        hits = findings.hits[: READ if tuned else PROMPT_HITS]
        read = as_hits(runs_of(findings.chosen)) if tuned else hits
        pieces = self._generated(findings, template, read, tuned=tuned)
        lost = False
        for sentence in complete_sentences(pieces, findings.lang):
            if template.decline and sentence == template.decline:
                builder.declined = not lost
                break
            # Small models go on with new passages or questions once they have answered.
            span = self._grounder.check(sentence, hits)
            if span and tuned and _loses(sentence, span):
                lost = True
            elif span and not builder.has_said(sentence):
                yield builder.add(sentence, span)
        if builder.support and tuned:
            yield from builder.quote(_passed_over(findings.chosen, builder))

    def _generated(
        self, findings: Findings, template: PromptTemplate, read: Sequence[Hit], *, tuned: bool
    ) -> Iterator[str]:
        hide = safety.mask if self.generator.is_remote else str
        history = [Message(m.role, hide(m.text)) for m in findings.history[-HISTORY:]]
        prompt = template.render(hide(findings.text), read, history)
        # Whether anything answers was decided before; a small model declines too readily.
        avoid = template.decline if tuned else ""
        return self.generator.generate(prompt, adapter=tuned, avoid=avoid)


def _loses(sentence: str, span: SupportingSpan) -> bool:
    """Tell whether a sentence leaves out a value of what backs it: half the truth of a price."""
    return not are_among(values(span.span.of(span.passage.text)), values(sentence))


def _passed_over(chosen: Sequence[Evidence], builder: ReplyBuilder) -> list[Evidence]:
    """Return what an answer must not lack: the likeliest sentence, and those that hold values."""
    likeliest = max(chosen, key=lambda evidence: evidence.score, default=None)
    return [e for e in chosen if not builder.cites(e) and (e is likeliest or values(e.text))]
