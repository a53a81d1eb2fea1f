"""Tables that sort and page by their address, so that every view of them can be shared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.ui.console.place import ROWS, Place

Kind = Literal["text", "number", "brief", "main"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name in the address.
        title: Its heading.
        sorts: Whether rows can be ordered by it.
        kind: How its cells are set: brief ones stay on a line, the main ones have more room.
    """

    name: str
    title: str
    sorts: bool = False
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: what it says, and where it leads; "" for nowhere."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one page of a table, as ``table.jinja`` draws it.

    Attributes:
        caption: What the table shows.
        columns: Its columns.
        rows: The cells of each row that is shown.
        place: The address that it is shown at.
        total: How many rows there are on all pages.
        csv: The address that gives all rows as CSV; "" for none.
        empty: What is said where there are no rows.
        is_headed: Whether a heading above says what the table shows; then the caption is for
            screen readers alone.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    place: Place
    total: int
    csv: str = ""
    empty: str = ""
    is_headed: bool = False

    def sort_url(self, column: Column) -> str:
        """Return the address of the same rows in a column's order; of the reverse, if in it."""
        reverse = self.place.get("sort") == column.name
        return self.place.url(sort=f"-{column.name}" if reverse else column.name, page=None)

    def direction(self, column: Column) -> str:
        """Return how the rows are ordered by a column, as ``aria-sort`` says it."""
        known = {column.name: "ascending", f"-{column.name}": "descending"}
        return known.get(self.place.get("sort"), "none")

    @property
    def page(self) -> int:
        """The number of the page, from 1."""
        return max(1, self.place.number("page", 1))

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.total // ROWS))
