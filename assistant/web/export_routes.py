"""The console's tables as CSV, for spreadsheets; each takes the query of the page that shows it."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

from assistant.company import People
from assistant.desk import Desk
from assistant.reports.conversation_tables import conversations_csv
from assistant.reports.deed_table import audit_csv
from assistant.reports.figure_tables import figures_csv
from assistant.store.audit import Audit
from assistant.store.database import Database
from assistant.web.access import Access
from assistant.web.errors import errors

NOT_FOUND = 404
# What gives a table as pieces of CSV: a database, the query's values, and the company's people.
Export = Callable[[Database, Mapping[str, str], People | None], Iterator[str]]
EXPORTS: Mapping[str, Export] = {
    "figures": figures_csv,
    "conversations": conversations_csv,
    "audit": audit_csv,
}
# What more than an agent's work takes.
SCOPES = {"audit": "administer"}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


def export_routes(desk: Desk, access: Access) -> APIRouter:
    """Return the routes.

    Args:
        desk: Holds the conversations.
        access: Tells who calls.
    """
    database = desk.conversations.database
    router = APIRouter(prefix="/v1/exports")
    audit = Audit(database)

    @router.get(
        "/{name}.csv",
        response_class=StreamingResponse,
        responses=FILE | errors(400, 401, 403, 404, 503),
        description=(
            f"A table of the console: {', '.join(EXPORTS)}. Takes the query of the page that shows "
            "it, such as `outcome`, `from` and `to`. For agents; the audit for administrators."
        ),
    )
    def export(name: str, request: Request) -> StreamingResponse:
        caller = access.caller(request, SCOPES.get(name, "agent"))
        if name not in EXPORTS:
            raise HTTPException(NOT_FOUND, f"Expected one of {', '.join(EXPORTS)}, found another")
        # They may change while the server runs.
        people = desk.assistant.responder.company.people
        pieces = EXPORTS[name](database, dict(request.query_params), people)
        # The first piece raises what goes wrong before the status is sent.
        whole = chain([next(pieces)], pieces)
        audit.note(caller.name, "export", name)
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return StreamingResponse(whole, media_type="text/csv; charset=utf-8", headers=headers)

    return router
