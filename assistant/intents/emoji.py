"""Reads messages of emoji alone, which no classifier was trained on."""

from collections.abc import Sequence
from dataclasses import replace

from assistant.intents.classifier import Prediction
from assistant.message.safety import is_emoji_alone
from assistant.messages import Action, Message
from knowledge.segmenter import Language, language_of

# Angry or sad. One of them decides, whatever stands beside it.
UPSET = frozenset("😠😡🤬👿😤😾💢🖕👎🙁☹😖😞😟😢😭😣😩😫😿💔")


def with_emoji_read(prediction: Prediction, text: str, history: Sequence[Message]) -> Prediction:
    """Return what a message of emoji alone wants; the prediction itself for any other message.

    Anger and sorrow lead to a person. All else is small talk: a greeting at the start of a
    conversation, thanks later.

    Args:
        prediction: What the classifier says.
        text: The message.
        history: The conversation before it, oldest first.
    """
    if not is_emoji_alone(text):
        return prediction
    if UPSET.isdisjoint(text):
        intent, action = "thanks" if history else "greeting", Action.SMALL_TALK
    else:
        intent, action = "upset", Action.HANDOFF
    language = _language_before(history)
    return replace(
        prediction, intent=intent, action=action, score=1.0, article=None, language=language
    )


def _language_before(history: Sequence[Message]) -> Language:
    """Return the language of the customer's last message with letters; English if it has none."""
    for message in reversed(history):
        if message.role == "user" and any(c.isalpha() for c in message.text):
            return "zh" if language_of(message.text) == "zh" else "en"
    return "en"
