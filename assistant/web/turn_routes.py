"""Turns over HTTP: OpenAI's chat completions, and an answer that was interrupted.

A completion has the object ``frontdesk`` twice: next to ``choices`` with the whole reply, and in
the assistant's message (in a stream, in the last delta) without ``text``. Its fields:

- ``action``: answer, clarify, handoff, decline, small_talk or refuse; ``reason``: why.
- ``choices``: what a clarifying question offers, otherwise empty.
- ``urgent``: whether somebody may be in danger.
- ``nearest``: of the likeliest articles, ``article``, ``lang``, ``title``, ``found``, and the
  ``sentence`` that comes nearest with the probability that it ``answers``.
- ``weighed``: what was decided by: the probabilities that what is quoted answers (``best``), that
  any sentence does (``answerable``) and that the likeliest article does (``best_article``), whether
  that article was ``expected``, whether the message is a ``later`` one, and what this ``decides``:
  answer, part or nothing.
- ``suggestions``: titles of articles that may be wanted next, at most three.
- ``citations``: ``number``, ``article``, ``lang``, ``title``, ``quote``, ``start``, ``end`` and
  ``url`` of each quote.
- ``sources``: the cited articles, each with the numbers of its ``citations``.
- ``support``: each ``sentence`` of the text with the number of its ``citation``, or null.
- ``language``; ``intent``, ``intent_score``, ``out_of_scope``, ``sentiment`` and
  ``sentiment_score``: the classifiers' results, with scores in [0, 1].
- ``strategy``, ``template`` and ``generator``: how the text was worded; null where unused.
- ``rule``: the row of the table of decisions that decided; ``timings_ms``: milliseconds of each
  step.
- ``conversation_id`` and ``conversation_token``: where the reply is kept; null where it is not.
- ``number``: the reply's place in the conversation, from 1, and ``asked``: that of the customer's
  message; 0 where they are not kept.

A request with a message alone begins a conversation, and one with its ``conversation_id`` goes on
with it: the server keeps the history. A request with a history of its own is not kept. An
``Idempotency-Key`` gives the same reply again. Where the customer changed an earlier message, the
request's ``after`` is the number of the last one before that: later turns do not read what lies in
between.

A client that keeps its history may send the object back in the assistant's message. Later turns use
its ``action``, which is required, and its ``reason``, ``choices`` and ``citations``. Other fields
are ignored, and so is the object in a user's message. Without the object, the decision is recovered
from the text.
"""

import contextlib
from typing import Any

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from assistant.desk import Desk
from assistant.messages import Reply, Stream
from assistant.store.conversations import new_conversation
from assistant.web.access import Access, Caller, address_of
from assistant.web.chat_request import MODEL, ChatRequest
from assistant.web.chat_response import Kept, completion, completion_events, until_left
from assistant.web.conversation_routes import ConversationId
from assistant.web.errors import errors
from assistant.web.turns import Turns

NOT_FOUND, CONFLICT = 404, 409
MAX_KEY = 64
# Where a turn is asked for.
ASK = "/v1/chat/completions"
# What a stream of a completion is, for the description of the interface.
STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
ERRORS = errors(400, 401, 403, 404, 409, 413, 429, 503)


def turn_routes(desk: Desk, access: Access, turns: Turns) -> APIRouter:
    """Return the routes.

    Args:
        desk: Holds the conversations.
        access: Tells who calls.
        turns: Lets turns begin.
    """
    router = APIRouter()
    tokens = access.tokens

    @router.post(ASK, response_model=None, responses=STREAM | ERRORS, description=__doc__)
    def chat_completions(
        chat: ChatRequest,
        request: Request,
        idempotency_key: str = Header("", max_length=MAX_KEY),
    ) -> Response:
        caller = access.caller(request)
        question, history = chat.conversation()
        if chat.model != MODEL:
            raise HTTPException(NOT_FOUND, f"Expected the model {MODEL!r}, found {chat.model!r}.")
        kept: Kept | None = None
        items: Stream
        if history and not chat.conversation_id:
            items = desk.assistant.stream(question, history)
        else:
            conversation, begins = _conversation(desk, chat, caller)
            kept = Kept(conversation, tokens.sign(conversation, caller.customer))
            place = {"begins": begins, "customer": caller.customer}
            items = desk.serve(conversation, question, idempotency_key, chat.after, **place)
        items = turns.let_in(items, caller, address_of(request))
        # The first item raises the error of an invalid message before the status is sent.
        stream = _with_first(next(items), items)
        if chat.stream:
            return _events(stream, kept, chat)
        return JSONResponse(completion(stream, kept))

    @router.post(
        "/v1/conversations/{conversation}/again",
        response_class=StreamingResponse,
        responses=STREAM | ERRORS,
    )
    def again(conversation: ConversationId, request: Request) -> Response:
        caller = access.caller(request)
        caller.must_own(conversation)
        items = turns.let_in(desk.again(conversation), caller, address_of(request))
        first = next(items, None)
        if first is None:
            raise HTTPException(CONFLICT, "Expected a message without an answer, found none")
        kept = Kept(conversation, tokens.sign(conversation, caller.customer))
        return _events(_with_first(first, items), kept)

    return router


def _conversation(desk: Desk, chat: ChatRequest, caller: Caller) -> tuple[str, str]:
    """Return the conversation of a message and, if it begins with it, where it takes place."""
    if not chat.conversation_id:
        return new_conversation(), "api"
    caller.must_own(chat.conversation_id)
    # A visitor is given a token before anything is kept.
    is_new = caller.kind == "customer" and not desk.conversations.has(chat.conversation_id)
    return chat.conversation_id, "page" if is_new else ""


def _events(stream: Stream, kept: Kept | None, chat: ChatRequest | None = None) -> Response:
    events = completion_events(stream, chat.stream_options if chat else None, kept)
    return StreamingResponse(until_left(events), media_type="text/event-stream")


def _with_first(first: str | Reply, items: Stream) -> Stream:
    with contextlib.closing(items):
        yield first
        yield from items
