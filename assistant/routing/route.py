"""What a reply does, and by which rule."""

from dataclasses import dataclass

from assistant.messages import Action

# What the customer gets who is in a crisis, by its kind.
CRISIS_REASONS = {
    "distress": "distress",
    "coercion": "coercion",
    "threat": "threat",
    "scam": "fraud_in_progress",
}
COMPLAINT, PERSON = "complaint", "talk_to_a_person"
# An answer of what holds for everybody, where only the customer's own account can tell; and none.
ACCOUNT, ACCOUNT_UNREAD = "account", "account_unread"
# Answers to anger, which is acknowledged first: the first time, and again.
SORRY = ("sorry", "sorry_again")


@dataclass(frozen=True, slots=True)
class Route:
    """An action and its reason, which is also the name of its saying.

    Attributes:
        action: What the reply does.
        reason: Why, and the name of the saying.
        rule: The name of the row of ``RULES`` that decided.
        choices: Those of a clarifying question.
        urgent: Whether somebody may be in danger.
        near: The title of the nearest article, for a reply that found no answer; "" for none.
    """

    action: Action
    reason: str
    rule: str
    choices: tuple[str, ...] = ()
    urgent: bool = False
    near: str = ""
