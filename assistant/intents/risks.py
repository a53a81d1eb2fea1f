"""Tells messages that need no answer from an article but help, a refusal or patience.

``python -m tuning.risks`` trains the weights: an adapter for the default embedder, and a linear
layer over the mean of its vectors.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.intents.adapted_network import NetworkReader
from knowledge.models.turn_before import shortened

WEIGHTS = Path(__file__).parent.parent / "weights" / "risks"
# May end or harm their life, or somebody close may; controlled or hurt by somebody close;
# blackmailed or threatened; a fraud goes on now.
CRISES = ("distress", "coercion", "threat", "scam")
# Wants help to do wrong; insults; complains; wants a person; was hit by a wrong or asks
# about it; wants something of no company's; anything else.
RISKS = (*CRISES, "harm", "insult", "complaint", "person", "victim", "outside", "ordinary")
# A message of which nothing is known.
ORDINARY: Mapping[str, float] = {risk: float(risk == "ordinary") for risk in RISKS}
# The most tokens of a message, and of the one before it.
MAX_TOKENS = (160, 60)


class RiskClassifier(NetworkReader):
    """Predicts the risks of a message."""

    weights = WEIGHTS

    def predict(self, message: str, before: str = "") -> dict[str, float]:
        """Return the probability of each of ``RISKS``.

        Args:
            message: What the customer types.
            before: The customer's message before it; "" for a first one.
        """
        states = self.network.states(text_of(self.network.tokenizer, message, before))
        return self.network.named("risk", states.mean(axis=0))


def text_of(tokenizer: Any, message: str, before: str) -> str:
    """Return what the network reads, the same in training and in serving.

    Args:
        tokenizer: The network's, a fast one.
        message: What the customer types.
        before: The customer's message before it; "" for a first one.
    """
    now, earlier = MAX_TOKENS
    text = f"query: {shortened(tokenizer, message, now)}"
    return f"{text}\nsaid before: {shortened(tokenizer, before, earlier)}" if before else text
