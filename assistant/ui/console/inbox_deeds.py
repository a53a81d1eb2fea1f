"""What somebody does in the inbox: each deed is allowed, done once, kept in the audit and told."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from assistant.errors import HandoffError
from assistant.reports.inbox import SNOOZES, wakes
from assistant.store.audit import Audit
from assistant.store.handoff import OPEN, Handoff
from assistant.store.handoffs import OUTCOMES
from assistant.store.tables import now
from assistant.ui.console.frame import Frame
from assistant.web.access import Caller

LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a deed: a sentence, and whether it was not done."""

    text: str
    wrong: bool = False


class Deeds:
    """Does what agents ask for. A sentence says why something is refused; nothing typed is lost."""

    def __init__(self, frame: Frame) -> None:
        """Take the console in one language."""
        self._frame, self._handover = frame, frame.desk.handover
        self._handoffs = frame.desk.handover.handoffs
        self._audit = Audit(frame.desk.conversations.database)

    def reply(self, caller: Caller, handoff: Handoff, text: str, key: str) -> Told:
        """Send a reply, which takes a handoff that is free; the same one with a key is sent once.

        Args:
            caller: Who replies.
            handoff: The handoff.
            text: The reply.
            key: What the page made for this reply.
        """
        if problem := self._problem(text):
            return problem
        once = sha256(f"{key}\n{text}".encode()).hexdigest()
        name = caller.name
        send = lambda: self._handover.reply(handoff.id, name, text, once)  # noqa: E731
        return self._done(caller, handoff, "reply", send, "sent")

    def note(self, caller: Caller, handoff: Handoff, text: str, key: str) -> Told:
        """Keep a note for people alone, whoever has the conversation; once, as ``reply``."""
        if problem := self._problem(text):
            return problem
        once = sha256(f"{key}\n{text}".encode()).hexdigest()
        said = (handoff.conversation, text, "note", caller.name, once)
        keep = lambda: self._frame.desk.conversations.say(*said)  # noqa: E731
        return self._done(caller, handoff, "note", keep, "noted")

    def take(self, caller: Caller, handoff: Handoff) -> Told:
        """Take a handoff that is free."""
        take = lambda: self._handoffs.take(handoff.id, caller.name)  # noqa: E731
        return self._done(caller, handoff, "take", take, "taken")

    def give_back(self, caller: Caller, handoff: Handoff) -> Told:
        """Let the assistant answer again, and tell the customer."""

        def give() -> None:
            self._handover.give_back(self._handoffs.give_back(handoff.id, caller.name))

        return self._done(caller, handoff, "give back", give, "given_back")

    def assign(self, caller: Caller, handoff: Handoff, to: str) -> Told:
        """Give a handoff to somebody who may sign in; administrators give what others have."""
        if not to:
            return self._wrong("choose")
        if not any(user.name == to for user in self._frame.access.sessions.users.all()):
            return self._wrong("nobody_called", agent=to)
        may_all = "administer" in caller.scopes
        give = lambda: self._handoffs.assign(handoff.id, caller.name, to, of_others=may_all)  # noqa: E731
        return self._done(caller, handoff, "assign", give, "assigned", agent=to)

    def snooze(self, caller: Caller, handoff: Handoff, choice: str) -> Told:
        """Keep a handoff out of the inbox for a while."""
        if choice not in SNOOZES:
            return self._wrong("choose")
        people = self._frame.desk.assistant.responder.company.people
        until = wakes(choice, now(), people.timezone if people else "UTC")
        sleep = lambda: self._handoffs.snooze(handoff.id, caller.name, until)  # noqa: E731
        shown = self._frame.time(until)
        return self._done(caller, handoff, "snooze", sleep, "asleep_until", time=shown)

    def close(self, caller: Caller, handoff: Handoff, outcome: str) -> Told:
        """Close a handoff with how it ended."""
        if outcome not in OUTCOMES:
            return self._wrong("choose")
        end = lambda: self._handoffs.close(handoff.id, caller.name, outcome)  # noqa: E731
        return self._done(caller, handoff, "close", end, "closed")

    def _done(
        self,
        caller: Caller,
        handoff: Handoff,
        deed: str,
        do: Callable[[], object],
        key: str,
        **values: object,
    ) -> Told:
        try:
            do()
        except HandoffError:
            return self._refused(handoff.id)
        self._audit.note(caller.name, deed, handoff.conversation)
        return Told(self._frame.text(f"inbox.{key}", **values))

    def _refused(self, number: int) -> Told:
        """Return why a handoff could not be changed, as it is now."""
        found = self._handoffs.read(number)
        if found is None or found.state not in OPEN:
            return self._wrong("has_ended")
        return self._wrong("not_yours", agent=found.agent)

    def _problem(self, text: str) -> Told | None:
        if not text.strip():
            return self._wrong("nothing")
        if len(text) > LONGEST:
            return self._wrong("too_long", count=f"{len(text):,}")
        return None

    def _wrong(self, key: str, **values: object) -> Told:
        return Told(self._frame.text(f"inbox.{key}", **values), wrong=True)
