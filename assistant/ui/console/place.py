"""Where somebody is in the console: a page, and what its address asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode

import gradio as gr

# What an address may hold of each value: more is nobody's search.
LONGEST = 200
ROWS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A page's address. Everything in it may have been typed by anybody.

    Attributes:
        page: The name of the page; "" for the first one.
        values: What the address asks for, by name.
    """

    page: str
    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, page: str, request: gr.Request) -> Self:
        """Return the place that a browser asks for."""
        found = dict(request.query_params or {})
        return cls(page, {name: str(value)[:LONGEST] for name, value in found.items() if value})

    def get(self, name: str, default: str = "") -> str:
        """Return a value, or the default."""
        return self.values.get(name, default)

    def number(self, name: str, default: int = 0) -> int:
        """Return a whole number from 0 to 1,000,000,000, or the default for anything else."""
        value = self.get(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else default  # noqa: PLR2004

    def one_of(
        self, name: str, known: Mapping[str, str] | tuple[str, ...], default: str = ""
    ) -> str:
        """Return a value that is known, or the default."""
        value = self.get(name)
        return value if value in known else default

    def url(self, **changed: object) -> str:
        """Return the address with some values changed; None or "" takes one out.

        It is relative to the page, which has no slash at its end.
        """
        merged = {**self.values, **{k: "" if v is None else str(v) for k, v in changed.items()}}
        query = urlencode({name: value for name, value in merged.items() if value})
        return f"{self.page or './'}{'?' + query if query else ''}"
