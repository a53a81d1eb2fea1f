"""Tells who calls, and what they may do."""

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fastapi import HTTPException, Request

from assistant.errors import ConversationError
from assistant.store.keys import Keys
from assistant.store.users import ROLES, Users
from assistant.web.sessions import Sessions
from assistant.web.tokens import Tokens

if TYPE_CHECKING:
    from assistant.store.database import Database

UNAUTHORIZED, FORBIDDEN = 401, 403
# What customers may do, each in a conversation of their own.
CHAT = "chat"
# What a proxy adds: the request came from elsewhere, whoever hands it on.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
NO_KEY = (
    "Expected a key or a conversation's token: Authorization: Bearer … . "
    "`frontdesk keys add NAME` makes a key"
)
NOT_SIGNED_IN = (
    "Expected somebody who signed in, or a key for it: Authorization: Bearer … . "
    "`frontdesk users add NAME` lets somebody sign in"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        kind: Somebody on this machine, a program with a key, a person of the company who signed
            in, or a customer with a token.
        scopes: What they may do.
        name: What the key or the person is called.
        conversation: The only one that a customer may open.
        customer: Who a customer is, as the company's site has signed; "" for anybody.
    """

    kind: Literal["local", "program", "person", "customer"]
    scopes: tuple[str, ...]
    name: str = ""
    conversation: str = ""
    customer: str = ""

    def must_own(self, conversation: str) -> None:
        """Let through whoever may open a conversation.

        Raises:
            HTTPException: 403: the token is another conversation's.
        """
        if self.kind == "customer" and self.conversation != conversation:
            raise HTTPException(FORBIDDEN, "Expected the token of this conversation, found another")


class Access:
    """Tells who calls from the address, the ``Authorization`` header and the session's cookie."""

    def __init__(self, keys: Keys, tokens: Tokens, sessions: Sessions) -> None:
        """Take the keys of programs, the tokens of customers and the sessions of people."""
        self._keys, self.tokens, self.sessions = keys, tokens, sessions

    @classmethod
    def open(cls, database: "Database", tokens: Tokens, secret: str) -> "Access":
        """Return the access of a database, with sessions that a secret signs."""
        return cls(Keys(database), tokens, Sessions(Users(database), secret))

    def caller(self, request: Request, scope: str = CHAT) -> Caller:
        """Return who calls.

        Args:
            request: The request.
            scope: What they must be allowed to do.

        Raises:
            HTTPException: 401: nobody that is known, and not from this machine; 403: they may not.
        """
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        bearer = given.strip() if kind.lower() == "bearer" else ""
        caller = self._known(bearer, request) or self._local(request)
        if caller and scope in caller.scopes:
            return caller
        if caller and caller.kind != "local":
            raise HTTPException(FORBIDDEN, f"Expected somebody who may {scope}, found another")
        raise HTTPException(UNAUTHORIZED, NO_KEY if scope == CHAT else NOT_SIGNED_IN)

    def is_open(self) -> bool:
        """Return whether agents' routes are open on this machine: nobody can sign in yet."""
        return not self.sessions.users.are_there()

    def _known(self, bearer: str, request: Request) -> Caller | None:
        """Return the caller of a key, a session or a token."""
        key = self._keys.find(bearer) if bearer else None
        if key:
            return Caller("program", key.scopes, key.name)
        user = self.sessions.user(request)
        if user:
            return Caller("person", user.scopes, user.name)
        try:
            own, customer = self.tokens.read(bearer), self.tokens.customer(bearer)
            return Caller("customer", (CHAT,), conversation=own, customer=customer)
        except ConversationError:
            return None

    def _local(self, request: Request) -> Caller | None:
        """Return somebody on this machine, whatever a client sends there, as OpenAI's must."""
        if not is_local(request):
            return None
        return Caller("local", ROLES["administrator"] if self.is_open() else (CHAT,), "local")


def address_of(request: Request) -> str:
    """Return the address that a request comes from; a trusted proxy names it."""
    return request.client.host if request.client else ""


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine, and was not handed on by a proxy.

    A page of another host that a browser was lured to has that host's name in ``Host``.
    """
    try:
        is_loopback = ipaddress.ip_address(address_of(request)).is_loopback
    except ValueError:
        is_loopback = False
    named = (request.url.hostname or "") in LOCAL_NAMES
    return is_loopback and named and not any(name in request.headers for name in FORWARDED)
