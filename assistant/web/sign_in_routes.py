"""Signing in and out, for people of the company."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.store.audit import Audit
from assistant.web.access import CHAT, UNAUTHORIZED, Access, address_of
from assistant.web.errors import errors
from assistant.web.limits import Limits

LONGEST = 200


class Password(BaseModel):
    """Who signs in, and how."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=80)
    password: str = Field(max_length=LONGEST)


def sign_in_routes(access: Access, limits: Limits, audit: Audit) -> APIRouter:
    """Return the routes.

    Args:
        access: Tells who calls, and knows the sessions.
        limits: Counts wrong passwords.
        audit: Keeps who signed in.
    """
    router = APIRouter(prefix="/v1")
    sessions = access.sessions

    @router.post("/sign-in", responses=errors(400, 401, 413, 429, 503))
    def sign_in(given: Password, request: Request, response: Response) -> dict[str, str]:
        address = address_of(request)
        limits.may_sign_in(given.name, address)
        user = sessions.users.check(given.name, given.password)
        if user is None:
            limits.note_wrong(given.name, address)
            audit.note("", "wrong password")
            raise HTTPException(UNAUTHORIZED, "Expected a name and its password")
        sessions.begin(user, request, response)
        audit.note(user.name, "sign in")
        return {"name": user.name, "role": user.role}

    @router.post("/sign-out", status_code=204, responses=errors(413))
    def sign_out() -> Response:
        response = Response(status_code=204)
        sessions.end(response)
        return response

    @router.get("/me", responses=errors(401))
    def me(request: Request) -> dict[str, Any]:
        caller = access.caller(request, CHAT)
        return {"kind": caller.kind, "name": caller.name, "scopes": list(caller.scopes)}

    return router
