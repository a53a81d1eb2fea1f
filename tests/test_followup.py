"""Which messages need what was said before them."""

import pytest

from assistant.followup import antecedent, is_followup
from assistant.messages import Message

HISTORY = [
    Message("user", "I left my card on the bus this morning"),
    Message("assistant", "Freeze it."),
    Message("user", "and then?"),
    Message("assistant", "Report it."),
]


@pytest.mark.parametrize(
    "text",
    [
        "how much is a new one?",
        "and abroad?",
        "what about weekends",
        "why?",
        "那补卡要多少钱？",
        "它多久到",
    ],
)
def test_followups(text):
    assert is_followup(text)
    assert antecedent(text, HISTORY) == "I left my card on the bus this morning"


@pytest.mark.parametrize(
    "text", ["How do I change the address on my account?", "取现金要手续费吗，国外也要吗"]
)
def test_questions_that_stand_alone(text):
    assert antecedent(text, HISTORY) is None


def test_nothing_to_follow():
    assert antecedent("and abroad?", []) is None
    assert (
        antecedent("and abroad?", [Message("assistant", "Hello, how can I help you today?")])
        is None
    )
