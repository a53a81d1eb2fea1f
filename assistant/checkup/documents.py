"""The company's folder: its documents, their index, and when its people answer."""

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from assistant.checkup.check import Check, Checks, fine, warning

if TYPE_CHECKING:
    from assistant.config import Settings
    from knowledge.folder import FolderReading
    from knowledge.retrieval.snapshot import Snapshot


def documents(settings: "Settings") -> Checks:
    """Look at the documents and at their index.

    Raises:
        KnowledgeFolderError: The folder is missing, or nothing in it can be read.
    """
    from knowledge.folder import Known, read_folder

    folder, snapshot = settings.knowledge, _snapshot(settings)
    known = {}
    if snapshot:
        known = {a.path: Known(snapshot.files[a.path], a) for a in snapshot.articles}
    reading = read_folder(folder, known=known)
    valid = [a for a in reading.articles if a.is_valid(dt.date.today())]
    languages = Counter(article.lang for article in valid)
    each = ", ".join(f"{count} {lang}" for lang, count in sorted(languages.items()))
    found = f"{len(reading.articles)} articles in {folder}, valid today: {each or 'none'}"
    if not valid:
        yield warning("documents", found, "Check valid_from and valid_to of the articles.")
    elif reading.skipped:
        first = reading.skipped[0]
        found += f"; {len(reading.skipped)} files skipped, such as {first.path}: {first.reason}"
        yield warning("documents", found, f"See all of them: frontdesk index {folder}")
    else:
        yield fine("documents", found, **{f"articles_{k}": n for k, n in languages.items()})
    yield _index(settings, snapshot, reading)


def _snapshot(settings: "Settings") -> "Snapshot | None":
    from knowledge.errors import IndexMismatchError
    from knowledge.models.model_files import EMBEDDER_NAME
    from knowledge.retrieval.snapshot_store import SnapshotStore

    embedder = settings.embedder or EMBEDDER_NAME
    try:
        return SnapshotStore.of(settings.knowledge, embedder, settings.state).load(embedder)
    except IndexMismatchError:
        return None


def _index(settings: "Settings", snapshot: "Snapshot | None", reading: "FolderReading") -> Check:
    from knowledge.retrieval.calibration import Calibration

    remedy = f"Nothing: the next start does it. Or now: frontdesk index {settings.knowledge}"
    if snapshot is None:
        return warning("index", "none yet, or none that can be read", remedy)
    found = f"{len(snapshot.passages)} passages, generation {snapshot.generation}"
    is_same = reading.files == snapshot.files and snapshot.is_current(dt.date.today())
    if is_same and snapshot.calibration == Calibration.of(settings.knowledge):
        return fine("index", f"up to date: {found}", passages=len(snapshot.passages))
    return warning("index", f"older than the documents: {found}", remedy)


def people(settings: "Settings") -> Checks:
    """Look at the company's name and at when people answer.

    Raises:
        SettingsError: ``company.yml`` is wrong.
    """
    from assistant.company import Company

    company = Company.load(settings.knowledge)
    file = settings.knowledge / "company.yml"
    names = " / ".join(dict.fromkeys(company.name.values()))
    if not file.is_file():
        found = f"no company.yml; the company has the name of its folder, {names}"
        yield warning("company", found, f"Write its name into {file}.")
    else:
        yield fine("company", names)
    if company.people is None:
        found = "nobody takes conversations over"
        yield warning("people", found, f"Write `people` with their hours into {file}, if some do.")
        return
    now = dt.datetime.now(dt.UTC)
    opening = company.people.opening(now)
    if opening is None:
        yield warning("people", "they have no opening hours", f"Write `hours` into {file}.")
        return
    days = len(company.people.hours)
    when = "now" if company.people.is_open(now) else f"from {opening:%A %H:%M} on"
    yield fine("people", f"they answer {when}, on {days} days a week ({opening.tzinfo})")
