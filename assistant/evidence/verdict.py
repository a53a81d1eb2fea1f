"""Tells whether what is quoted says yes or no to a question.

Textual entailment over question and sentences (Dagan et al. 2006, doi 10.1007/11736790_9; Clark et
al. 2019, arXiv 1905.10044, for questions). ``python -m tuning.verdicts`` trains the weights.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.evidence.ranked_sentences import Evidence
from assistant.intents.adapted_network import NetworkReader
from knowledge.models.turn_before import shortened

WEIGHTS = Path(__file__).parent.parent / "weights" / "verdicts"
# The sentences say yes, or no; they say that it depends; they leave it open.
VERDICTS = ("yes", "no", "depends", "open")
# The most tokens of the question, and of the sentences.
MAX_TOKENS = (120, 160)


class VerdictReader(NetworkReader):
    """Reads a question and the sentences that answer it with a network."""

    weights = WEIGHTS

    def read(self, question: str, chosen: Sequence[Evidence]) -> dict[str, float]:
        """Return the probability of each of ``VERDICTS``.

        Args:
            question: A question that asks for yes or no.
            chosen: At least one sentence of one article, in reading order.
        """
        between = "" if chosen[0].passage.lang == "zh" else " "
        said = between.join(evidence.text for evidence in chosen)
        pair = pair_of(self.network.tokenizer, question, chosen[0].passage.title, said)
        return self.network.named("verdict", self.network.states(*pair).mean(axis=0))


def pair_of(tokenizer: Any, question: str, title: str, said: str) -> tuple[str, str]:
    """Return what the network reads, the same in training and in serving."""
    most_asked, most_said = MAX_TOKENS
    asked = shortened(tokenizer, question, most_asked)
    return f"query: {asked}", shortened(tokenizer, f"{title}: {said}", most_said)
