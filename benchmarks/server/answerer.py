"""An answerer without models: it says what it was asked."""

import time
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from assistant.company import DAYS, Company, People

# A message with one of these words gets a person, or an answerer that fails.
PERSON, BROKEN = ("person", "人工"), ("[broken]",)
LONGEST = 4000


class Answerer:
    """Says what it was asked, after a while; personal data is masked first, as in a real turn."""

    def __init__(self, seconds: float = 0.0, *, people: bool = False) -> None:
        """Set how long an answer takes, and whether people take conversations over."""
        self._seconds = seconds
        hours = dict.fromkeys(DAYS, "00:00-24:00")
        told = People(timezone="UTC", hours=hours, minutes=5) if people else None
        self.responder = SimpleNamespace(
            max_characters=LONGEST,
            generator=None,
            company=Company(name={"en": "Stand-in", "zh": "替身"}, people=told),
            saying=lambda name, lang, **_: f"<{name} {lang}>",
        )

        # It is as cautious as it is.
        self.finder = SimpleNamespace(policy=SimpleNamespace(weigh=lambda caution: None))

    def stream(self, question: str, history: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the question in two pieces, then the reply."""
        from assistant.message.safety import mask
        from assistant.messages import Action, Reply

        heard = " ".join(message.text for message in history)
        time.sleep(self._seconds)
        if any(word in question for word in BROKEN):
            raise RuntimeError("the answerer was told to fail")
        said = mask(question)
        yield said[:1]
        yield said[1:]
        calls = any(word in question for word in PERSON)
        action = Action.HANDOFF if calls else Action.ANSWER
        yield Reply(f"{said} | {heard}", action, action.value, "en")

    def article(self, *_: str) -> None:
        """Return no article."""

    def versions(self) -> dict[str, str]:
        """Return no versions."""
        return {}
