"""The script by which other sites open the chat in a corner of their pages."""

import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

FOLDER = Path(__file__).parent.parent / "ui" / "page"
# Where the script's styles belong: a site is to load one file, and nothing inline.
GAP = '"widget.css"'
# It is the same for all sites and tells nothing, so any may load it; which of them may show the
# page is up to ``allowed_origins``.
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "max-age=300",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def widget_routes() -> APIRouter:
    """Return the route of the script."""
    router = APIRouter()

    @router.get("/widget.js", response_class=Response)
    def widget() -> Response:
        return Response(widget_script(), media_type="text/javascript", headers=HEADERS)

    return router


@cache
def widget_script() -> str:
    """Return the script with its styles."""
    script, styles = (
        (FOLDER / f"widget.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")
    )
    return script.replace(GAP, json.dumps(styles))
