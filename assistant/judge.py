"""Asks the fine-tuned generator whether the chosen sentences answer at all."""

from collections.abc import Sequence

from assistant.evidence import EvidenceSelector, Ranking, as_hits, runs_of
from assistant.generator import Generator
from assistant.messages import Message
from assistant.prompts import PromptTemplate
from assistant.routing import Judgement

# Earlier messages that the generator reads.
HISTORY = 4


class Judge:
    """Reads how likely the generator would decline; where to draw the line was measured."""

    def __init__(self, generator: Generator, evidence: EvidenceSelector) -> None:
        """Take what judges and what chooses the sentences to read."""
        self._generator = generator
        self._evidence = evidence
        self._templates = {lang: PromptTemplate.load("answer_tuned", lang) for lang in ("en", "zh")}

    def judge(
        self, question: str, history: Sequence[Message], ranking: Ranking, lang: str
    ) -> Judgement | None:
        """Return how well the sentences that an extractive answer would hold answer.

        None where there are none, or where the generator was not trained to judge in this language
        (``python -m tuning.answerability`` measures that).
        """
        limits = self._generator.doubts.get(lang)
        if limits is None or not ranking.sentences:
            return None
        template = self._templates[lang]
        read = as_hits(runs_of(self._evidence.select(ranking, lang)))
        prompt = template.render(question, read, list(history[-HISTORY:]))
        doubt = self._generator.likelihood(prompt, template.decline)
        if doubt is None:
            return None
        return Judgement(-doubt, floor=-limits.decline, clear=-limits.ask_back)
