"""The first word of an answer to a yes-or-no question."""

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Opening(BaseModel):
    """What goes first where a question has a form.

    Attributes:
        asks: A regular expression that the question matches; the first one that does counts.
        yes: What goes first for yes.
        no: The same for no.
        depends: The same for "it depends".
    """

    model_config = ConfigDict(extra="forbid")

    asks: str
    yes: str
    no: str
    depends: str


def opening_of(question: str, verdict: str, openings: Sequence[Opening]) -> str:
    """Return the first word: Chinese repeats the question's verb instead of one word for all.

    Args:
        question: The customer's question.
        verdict: "yes", "no" or "depends".
        openings: Those of the reply's language, the last of which matches everything.
    """
    fitting = next(o for o in openings if re.search(o.asks, question, re.IGNORECASE))
    return str(getattr(fitting, verdict))
