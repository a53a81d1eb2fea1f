"""Takes what Chatwoot tells its agent bot; answers in the background, since it waits 5 seconds."""

import contextlib
import json
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from assistant.chatwoot_bot import ChatwootBot, Heard
from assistant.web.backlog import Backlog
from assistant.web.errors import errors
from assistant.web.gate import RefusedError
from assistant.web.turns import Turns

BAD_REQUEST, UNAUTHORIZED, UNAVAILABLE = 400, 401, 503
# Turns at a time, and those that wait too: more than the gate lets in, so that it is what refuses.
AT_ONCE, MOST = 32, 256
# Conversations that wait to be left to people.
MOST_LEFT = 2000
# Seconds that each may take at the end of the process.
GRACE = 8

logger = logging.getLogger(__name__)


class Place(BaseModel):
    """The conversation of a message."""

    id: int
    status: str
    channel: str | None = None


class Account(BaseModel):
    """The account of a message."""

    id: int


class Told(BaseModel):
    """What Chatwoot tells of a message; its other fields are ignored."""

    event: str
    id: int
    message_type: str
    content: str | None = None
    content_type: str | None = None
    content_attributes: dict[str, Any] | None = None
    private: bool | None = False
    conversation: Place
    account: Account

    def heard(self) -> Heard | None:
        """Return what the customer wrote or picked; None if there is nothing to be answered.

        While a conversation is not pending, people have it. A pick of a choice is an update of the
        bot's own message.
        """
        if self.conversation.status != "pending" or self.private:
            return None
        place = f"{self.account.id}/conversations/{self.conversation.id}"
        channel = self.conversation.channel or ""
        if self.event == "message_created" and self.message_type == "incoming":
            return Heard(place, str(self.id), self.content or "", channel)
        picked = (self.content_attributes or {}).get("submitted_values")
        if self.event == "message_updated" and self.content_type == "input_select" and picked:
            return Heard(place, f"{self.id}-pick", str(picked[0].get("value") or ""), channel)
        return None


class Inbox:
    """Has what customers wrote answered in the background, or leaves it to people."""

    def __init__(self, bot: ChatwootBot, turns: Turns) -> None:
        """Take what answers, and what lets turns begin."""
        self._bot, self._turns = bot, turns
        self._answering, self._leaving = Backlog(AT_ONCE, MOST), Backlog(1, MOST_LEFT)
        self._ends = threading.Event()

    def take(self, heard: Heard) -> bool:
        """Return whether a message is answered or, where too many wait, left to people."""
        is_answered = self._answering.add(heard.place, lambda: self._answer(heard))
        return is_answered or self._leaving.add(heard.place, lambda: self._bot.open(heard))

    def finish(self) -> None:
        """Answer what is being answered, and leave what only waits to people."""
        self._ends.set()
        for backlog in (self._answering, self._leaving):
            backlog.wait(GRACE)

    def _answer(self, heard: Heard) -> None:
        if self._ends.is_set():
            self._bot.open(heard)
            return
        try:
            # All come from Chatwoot's address: how often one may ask is bounded by conversation.
            self._bot.answer(heard, lambda items: self._turns.let_in(items, None, heard.place))
        except RefusedError:
            self._bot.open(heard)
        except Exception:  # the outermost handler: a customer must not wait in vain
            logger.exception("a turn failed")
            self._bot.fail(heard)


def chatwoot_routes(bot: ChatwootBot, turns: Turns) -> APIRouter:
    """Return the route that Chatwoot calls.

    Args:
        bot: Answers.
        turns: Lets turns begin.
    """
    inbox = Inbox(bot, turns)

    @contextlib.asynccontextmanager
    async def finished(_: Any) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(inbox.finish)

    router = APIRouter(lifespan=finished)

    @router.post("/hooks/chatwoot", responses=errors(400, 401, 503))
    async def told(request: Request) -> dict[str, str]:
        body = await request.body()
        names = ("timestamp", "signature")
        signed = [request.headers.get(f"x-chatwoot-{name}", "") for name in names]
        if not bot.chatwoot.has_signed(body, *signed):
            raise HTTPException(UNAUTHORIZED, "Expected a request that Chatwoot signed just now")
        heard = _heard(body)
        if heard and not inbox.take(heard):
            raise HTTPException(UNAVAILABLE, "Too many messages at once. Try again later")
        return {"status": "taken" if heard else "ignored"}

    return router


def _heard(body: bytes) -> Heard | None:
    try:
        data = json.loads(body)
        is_of_message = str(data["event"]).startswith("message_")
        return Told.model_validate(data).heard() if is_of_message else None
    except (ValueError, ValidationError, LookupError, TypeError, AttributeError):
        raise HTTPException(BAD_REQUEST, "Expected an event of Chatwoot") from None
