"""Who did what, as rows for a spreadsheet."""

from collections.abc import Iterator, Mapping

from assistant.company import People
from assistant.reports.csv_cells import csv_pieces
from assistant.store.audit import Audit, Deed
from assistant.store.database import Database

# How many rows are read at a time.
AT_ONCE = 500


def audit_csv(
    database: Database, values: Mapping[str, str], people: People | None
) -> Iterator[str]:
    """Yield the deeds that an address asks for as CSV, the latest first, with times in UTC.

    Args:
        database: An open database.
        values: The address's values: ``who`` and ``did``.
        people: The company's people, who have no part in this table.
    """
    del people
    deeds = _all(Audit(database), values.get("who", ""), values.get("did", ""))
    rows = ((deed.created.isoformat(), deed.who, deed.did, deed.on) for deed in deeds)
    return csv_pieces(("when", "who", "did", "on"), rows)


def _all(audit: Audit, who: str, did: str) -> Iterator[Deed]:
    found, skip = audit.find(who, did, count=AT_ONCE)[0], 0
    while found:
        yield from found
        skip += AT_ONCE
        found = audit.find(who, did, skip=skip, count=AT_ONCE)[0]
