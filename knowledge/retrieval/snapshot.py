"""A knowledge folder ready to be searched, in memory."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.documents import Article, Passage
from knowledge.retrieval.calibration import Calibration
from knowledge.retrieval.vector_index import VectorIndex


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Articles, their passages in the order of the index's rows, and the index.

    Attributes:
        articles: All articles that could be read, valid on ``day`` or not.
        passages: The passages of the articles that are valid on ``day``, grouped by language.
        index: Row n is the vector of passage n.
        calibration: How scores become probabilities.
        embedder: The name of the embedder that encoded the passages.
        files: The SHA-256 of each document, by its path.
        day: The day for which the passages were chosen.
        generation: The name of the folder that it was loaded from; "" before it is saved.
    """

    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    index: VectorIndex
    calibration: Calibration
    embedder: str
    files: Mapping[str, str]
    day: dt.date
    generation: str = ""

    def is_current(self, today: dt.date) -> bool:
        """Return whether the same articles are valid today as on ``day``."""
        return today == self.day or all(
            a.is_valid(self.day) == a.is_valid(today) for a in self.articles
        )

    def rows_by_language(self) -> dict[str, range]:
        """Return the rows of each language's passages, which stand together."""
        rows: dict[str, range] = {}
        for row, passage in enumerate(self.passages):
            first = rows[passage.lang].start if passage.lang in rows else row
            rows[passage.lang] = range(first, row + 1)
        return rows
