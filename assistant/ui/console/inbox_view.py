"""Draws what the inbox shows: who waits, a conversation, and what the assistant knows of it."""

import re
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qsl

import gradio as gr

from assistant.messages import Reply
from assistant.reports.inbox import VIEWS, Entry, has_contact, inbox
from assistant.store.canned import CannedReplies
from assistant.store.conversations import KeptMessage
from assistant.store.handoff import OPEN, Handoff
from assistant.store.presence import Presence
from assistant.store.tables import now
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import LONGEST, ROWS, Place
from assistant.ui.console.words import words
from assistant.web.access import Caller

# The last messages of a conversation that are shown.
SHOWN = 200
# What is drawn again while the page is open.
Drawn = tuple[str, str, str, str]


def place_of(query: str) -> Place:
    """Return the place that a page's own address named; what comes back may be forged."""
    return Place("inbox", {name: value[:LONGEST] for name, value in parse_qsl(query[:2000])})


def handoff_at(frame: Frame, place: Place) -> Handoff | None:
    """Return the handoff that an address names, if there is one."""
    number = place.number("handoff")
    return frame.desk.handover.handoffs.read(number) if number else None


def drawn(frame: Frame, caller: Caller, place: Place) -> Drawn:
    """Return the list, the head of the open conversation, its messages and its evidence.

    Whoever looks at a conversation is seen by the others.
    """
    handoff = handoff_at(frame, place)
    listed = _listed(frame, caller, place)
    if handoff is None:
        asked = bool(place.number("handoff"))
        head = frame.html("inbox_head.jinja", handoff=None, asked=asked, place=place)
        return listed, head, "", ""
    conversations, presence = frame.desk.conversations, Presence(frame.desk.conversations.database)
    presence.note(handoff.conversation, caller.name)
    messages = conversations.messages(handoff.conversation)
    head = frame.html(
        "inbox_head.jinja",
        handoff=handoff,
        place=place,
        is_mine=handoff.agent == caller.name,
        has_ended=handoff.state not in OPEN,
        state=_state(frame, caller, handoff),
        outcome=_name(frame, "", handoff.outcome),
        others=presence.others(handoff.conversation, caller.name),
    )
    hidden = len(messages) > SHOWN
    talk = frame.html("inbox_talk.jinja", messages=messages[-SHOWN:], hidden=hidden)
    return listed, head, talk, _evidence(frame, handoff, messages)


def fingerprint(shown: Drawn) -> str:
    """Return what tells whether any part has changed: one word for each."""
    return " ".join(sha256(part.encode()).hexdigest()[:12] for part in shown)


def changed(shown: Drawn, seen: str) -> list[object]:
    """Return the parts, and ``gr.skip()`` for those that a page has already."""
    known = seen.split(" ")
    new = fingerprint(shown).split(" ")
    if len(known) != len(new):
        return list(shown)
    pairs = zip(shown, known, new, strict=True)
    return [gr.skip() if old == mark else part for part, old, mark in pairs]


def canned(frame: Frame, place: Place, handoff: Handoff) -> str:
    """Return the canned replies in the language of a conversation."""
    lang = handoff.summary.get("language") or frame.lang
    replies = CannedReplies(frame.desk.conversations.database).all(str(lang))
    return frame.html("inbox_canned.jinja", replies=replies, place=place, edits=False)


def suggested(frame: Frame, reply: Reply | None, problem: str = "") -> str:
    """Return what the assistant would say, or why it says nothing."""
    if reply is None:
        problem = problem or frame.text("inbox.suggested_none")
        return frame.html("inbox_suggested.jinja", problem=problem)
    action = _name(frame, "action_", str(reply.action))
    return frame.html("inbox_suggested.jinja", problem="", reply=reply, action=action)


def told(frame: Frame, text: str, *, wrong: bool = False) -> str:
    """Return a sentence on what happened."""
    return frame.html("inbox_told.jinja", text=text, wrong=wrong)


def _listed(frame: Frame, caller: Caller, place: Place) -> str:
    view = place.one_of("view", VIEWS, "open")
    page, is_demo = max(1, place.number("page", 1)), place.get("demo") == "1"
    database = frame.desk.conversations.database
    place_of_rows = {"limit": ROWS, "offset": (page - 1) * ROWS}
    found = inbox(database, view, caller.name, demo=is_demo, **place_of_rows)
    return frame.html(
        "inbox_list.jinja",
        found=found,
        banner=frame.demo_banner(place),
        view=view,
        views=VIEWS,
        place=place,
        here=place.number("handoff"),
        page=page,
        pages=max(1, -(-found.total // ROWS)),
        waits=lambda entry: _waits(frame, entry),
        has=lambda handoff: _has(frame, caller, handoff),
    )


def _waits(frame: Frame, entry: Entry) -> str:
    handoff = entry.handoff
    if handoff.state not in OPEN:
        return _name(frame, "", handoff.outcome) or frame.text(f"inbox.state_{handoff.state}")
    if handoff.snoozed:
        return frame.text("inbox.asleep", time=frame.time(handoff.snoozed))
    if entry.since is None:
        return frame.text("inbox.answered")
    return frame.text("inbox.waits", time=_span(frame, now() - entry.since))


def _span(frame: Frame, span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds()) // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return frame.text("inbox.days", days=days, hours=hours % 24)
    if hours:
        return frame.text("inbox.hours", hours=hours, minutes=minutes % 60)
    return frame.text("inbox.minutes" if minutes else "inbox.minute", count=minutes)


def _has(frame: Frame, caller: Caller, handoff: Handoff) -> str:
    if not handoff.agent:
        return frame.text("inbox.nobody")
    if handoff.agent == caller.name:
        return frame.text("inbox.yours")
    return frame.text("inbox.has", agent=handoff.agent)


def _state(frame: Frame, caller: Caller, handoff: Handoff) -> str:
    kind = handoff.state
    if kind == "taken":
        kind = "yours" if handoff.agent == caller.name else "other"
    return frame.text(f"inbox.state_{kind}", agent=handoff.agent)


def _evidence(frame: Frame, handoff: Handoff, messages: list[KeptMessage]) -> str:
    replies = [message.reply for message in messages if message.reply]
    last = replies[-1] if replies else None
    summary = handoff.summary
    cited = {(c.article, c.lang, c.quote): c for reply in replies for c in reply.citations}
    return frame.html(
        "inbox_evidence.jinja",
        handoff=handoff,
        summary={name: summary.get(name) or () for name in ("wanted", "tried")},
        intent=_spoken((last and last.intent) or summary.get("intent")),
        sentiment=(last and last.sentiment) or summary.get("sentiment") or "",
        language=summary.get("language") or "",
        citations=list(cited.values()),
        nearest=_nearest(replies),
        name=lambda kind, value: _name(frame, kind, value),
        has_contact=has_contact(frame.desk.conversations.database, handoff.conversation),
    )


def _nearest(replies: list[Reply]) -> object:
    """Return what came nearest to the last question for which anything was found."""
    return next((reply.nearest for reply in reversed(replies) if reply.nearest), ())


def _name(frame: Frame, kind: str, value: object) -> str:
    """Return what a value of the program is called on the page; the value where nobody said."""
    known = words(frame.lang).get(f"inbox.{kind}{value}") if value else ""
    return known if known is not None else _spoken(value)


def _spoken(value: object) -> str:
    return re.sub(r"[_-]+", " ", str(value or ""))
