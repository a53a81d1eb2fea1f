"""Tells who calls, and what they may do."""

import ipaddress
from dataclasses import dataclass
from typing import Literal

from fastapi import HTTPException, Request

from assistant.errors import ConversationError
from assistant.store.keys import Keys
from assistant.web.tokens import Tokens

UNAUTHORIZED, FORBIDDEN = 401, 403
# What customers may do, each in a conversation of their own.
CHAT = "chat"
# What a proxy adds: the request came from elsewhere, whoever hands it on.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        kind: Somebody on this machine, a program with a key, or a customer with a token.
        conversation: The only one that a customer may open.
        name: What the key is called.
    """

    kind: Literal["local", "program", "customer"]
    conversation: str = ""
    name: str = ""

    def must_own(self, conversation: str) -> None:
        """Let through whoever may open a conversation.

        Raises:
            HTTPException: 403: the token is another conversation's.
        """
        if self.kind == "customer" and self.conversation != conversation:
            raise HTTPException(FORBIDDEN, "Expected the token of this conversation, found another")


class Access:
    """Tells who calls from the address and the ``Authorization`` header."""

    def __init__(self, keys: Keys, tokens: Tokens) -> None:
        """Take the keys of programs and what signs the tokens of customers."""
        self._keys, self._tokens = keys, tokens

    def caller(self, request: Request, scope: str = CHAT) -> Caller:
        """Return who calls.

        Args:
            request: The request.
            scope: What a program's key must allow.

        Raises:
            HTTPException: 401: neither a key nor a token, and not from this machine; 403: the key
                does not allow it.
        """
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        bearer = given.strip() if kind.lower() == "bearer" else ""
        key = self._keys.find(bearer) if bearer else None
        if key and scope not in key.scopes:
            raise HTTPException(FORBIDDEN, f"Expected a key that allows {scope}, found another")
        if key:
            return Caller("program", name=key.name)
        try:
            conversation = self._tokens.read(bearer)
            if scope == CHAT:
                return Caller("customer", conversation=conversation)
            raise HTTPException(FORBIDDEN, "Expected a key, found a customer's token")
        except ConversationError:
            if is_local(request):  # whatever a client sends there, as OpenAI's clients must
                return Caller("local", name="local")
        raise HTTPException(
            UNAUTHORIZED,
            "Expected a key or a conversation's token: Authorization: Bearer … . "
            "`frontdesk keys add NAME` makes a key",
        )


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine, and was not handed on by a proxy.

    A page of another host that a browser was lured to has that host's name in ``Host``.
    """
    client = request.client.host if request.client else ""
    try:
        is_loopback = ipaddress.ip_address(client).is_loopback
    except ValueError:
        is_loopback = False
    named = (request.url.hostname or "") in LOCAL_NAMES
    return is_loopback and named and not any(name in request.headers for name in FORWARDED)
