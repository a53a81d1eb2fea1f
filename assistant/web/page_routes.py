"""The scripts and styles of the chat page, and the company's logo."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from assistant.web.errors import errors

FOLDER = Path(__file__).parent.parent / "ui" / "page"
NOT_FOUND = 404
TYPES = {
    ".css": "text/css",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
# With its version in the address, a file never changes; without, a browser has to ask again.
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
TRADITIONAL = "strings.zh-Hant.js"


def page_routes(logo: Path | None = None) -> APIRouter:
    """Return the routes.

    Args:
        logo: The company's logo; None if it has none.
    """
    router = APIRouter()

    @router.get("/page/logo", response_class=Response, responses=errors(404))
    def shown_logo(request: Request) -> Response:
        if logo is None:
            raise HTTPException(NOT_FOUND, "Here, there is no logo")
        headers = {"Cache-Control": _keeping(request)}
        return FileResponse(logo, media_type=TYPES[logo.suffix.lower()], headers=headers)

    @router.get("/page/{name}", response_class=Response, responses=errors(404))
    def page_file(name: str, request: Request) -> Response:
        # Looked up among the files that are there, a name leads nowhere else.
        text = page_files().get(name)
        if text is None:
            raise HTTPException(NOT_FOUND, f"The page has no file {name!r}")
        etag = f'"{hashlib.sha256(text).hexdigest()[:16]}"'
        headers = {"Cache-Control": _keeping(request), "ETag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type=TYPES[Path(name).suffix], headers=headers)

    return router


@cache
def page_files() -> Mapping[str, bytes]:
    """Return the page's files by name, with the strings in Traditional Chinese."""
    files = {
        path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES
    }
    return {**files, TRADITIONAL: _traditional(files["strings.js"].decode()).encode()}


@cache
def page_version() -> str:
    """Return a short hash of all that the page consists of."""
    hashed = hashlib.sha256()
    for name, text in page_files().items():
        hashed.update(name.encode() + text)
    return hashed.hexdigest()[:12]


def _traditional(text: str) -> str:
    """Return a script with its texts as Taiwan writes them."""
    from opencc import OpenCC

    return str(OpenCC("s2twp").convert(text))


def _keeping(request: Request) -> str:
    return FOR_EVER if request.query_params.get("v") == page_version() else ASK_AGAIN
