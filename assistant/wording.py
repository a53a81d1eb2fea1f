"""Words an answer: what the generator reads, and which of its sentences pass."""

from collections.abc import Iterator

from assistant import safety
from assistant.evidence import READ, EvidenceSelector, as_hits
from assistant.generator import Generator
from assistant.grounding import Grounder
from assistant.messages import Message
from assistant.prompts import ChatMessage, PromptTemplate
from assistant.turn import ReplyBuilder, Turn, complete_sentences
from knowledge.documents import Hit

# Hits that the generator reads; more make it slower and no better.
PROMPT_HITS = 3
# Earlier messages that the generator reads.
PROMPT_HISTORY = 4
STRATEGIES = ("zero_shot", "few_shot", "tuned")


class Writer:
    """Lets a generator word answers and passes on what the passages support."""

    def __init__(self, generator: Generator, evidence: EvidenceSelector) -> None:
        """Take what writes and what chooses; read the templates."""
        self._generator = generator
        self._evidence = evidence
        self._grounder = Grounder()
        self._templates = {
            (strategy, lang): PromptTemplate.load(f"answer_{strategy}", lang)
            for strategy in STRATEGIES
            for lang in ("en", "zh")
        }

    def write(self, turn: Turn, strategy: str, builder: ReplyBuilder) -> Iterator[str]:
        """Yield checked sentences and add them to the reply.

        A tuned generator reads the sentences that an extractive answer would hold. Where it would
        decline more likely than its threshold allows, the reply is marked as ``declined`` and ends
        there; else it words them.

        Args:
            turn: With hits, best first.
            strategy: One of ``STRATEGIES``.
            builder: The reply to add to.

        Raises:
            GeneratorError: The generator fails.
        """
        template = self._templates[strategy, turn.lang]
        builder.template = f"{template.id}.{template.lang}@{template.version}:{template.hash}"
        tuned = strategy == "tuned"
        hits = turn.hits[: READ if tuned else PROMPT_HITS]
        read = self._sentences(turn) if tuned else hits
        hide = safety.mask if self._generator.is_remote else str
        history = [Message(m.role, hide(m.text)) for m in turn.history[-PROMPT_HISTORY:]]
        prompt = template.render(hide(turn.text), read, history)
        if tuned and self._doubts(turn.lang, prompt):
            builder.declined = True
            return
        # Whether anything answers is judged by then.
        pieces = self._generator.generate(prompt, adapter=tuned, avoid=template.decline)
        for sentence in complete_sentences(pieces, turn.lang):
            if template.decline and sentence == template.decline:
                builder.declined = True
                return
            # Small models go on with new passages or questions once they have answered.
            span = self._grounder.check(sentence, hits)
            if span and not builder.has_said(sentence):
                yield builder.add(sentence, span)

    def _doubts(self, lang: str, prompt: list[ChatMessage]) -> bool:
        """Tell whether the generator would decline more likely than its threshold allows."""
        threshold = self._generator.decline_thresholds.get(lang)
        if threshold is None:
            return False
        decline = self._templates["tuned", lang].decline
        likelihood = self._generator.likelihood(prompt, decline)
        return likelihood is not None and likelihood > threshold

    def _sentences(self, turn: Turn) -> list[Hit]:
        """Return the sentences that an extractive answer would hold."""
        return as_hits(self._evidence.select(turn.ranking, turn.lang))
