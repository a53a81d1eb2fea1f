"""Keeps what the policy decided by, so that it can be decided again without any model."""

import dataclasses

from assistant.evidence.ranked_sentences import RankedSentences
from assistant.findings import Findings, Understood
from assistant.message.context import says_little
from assistant.messages import Weighed
from assistant.policy import Policy


def weigh(
    message: Understood, ranked: RankedSentences, policy: Policy, *, expected: bool
) -> Weighed:
    """Return what decides, or would, whether a message or a part of it is answered.

    Args:
        message: The message.
        ranked: The hits' sentences; empty if nothing was read.
        policy: Says when only the customer's account can tell, which answers a word or two.
        expected: Whether the best hit is the article of an intent that is sure.
    """
    is_told = message.asked.account >= policy.account
    is_unclear = says_little(message.bared, message.history) and not (expected or is_told)
    is_settled = not ranked.sentences or message.picked is not None or is_unclear
    return Weighed(
        None if ranked.best is None else float(ranked.best),
        float(ranked.answerable),
        float(ranked.best_article),
        expected,
        message.kinds is not None,
        "nothing" if is_settled else "answer",
    )


def as_part(found: Findings) -> Findings:
    """Return findings of several questions or sides, or of one of them.

    With another caution, other parts might have been read.
    """
    if found.weighed.decides == "nothing":
        return found
    return dataclasses.replace(found, weighed=dataclasses.replace(found.weighed, decides="part"))
