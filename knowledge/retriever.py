"""Finds the passages that answer a query."""

from collections.abc import Iterator, Mapping

from knowledge.calibration import Calibration
from knowledge.documents import Hit
from knowledge.embedder import Embedder, Vectors
from knowledge.index import FaissIndex
from knowledge.lexical import LexicalIndex

# Passages that each side proposes; their union is scored by both.
CANDIDATES = 30
# An article that the intent makes likelier than this is a candidate whatever its words.
LIKELY = 0.05


class Retriever:
    """Dense and lexical search over the same passages, fused into one calibrated score."""

    def __init__(self, index: FaissIndex, embedder: Embedder, calibration: Calibration) -> None:
        """Keep the parts and index the passages' words.

        Args:
            index: The passages with their vectors.
            embedder: The one that made the vectors.
            calibration: How scores become probabilities.
        """
        self.passages = index.passages
        self.lexical = LexicalIndex([f"{p.name}\n{p.text}" for p in index.passages])
        self._index = index
        self._embedder = embedder
        self._calibration = calibration
        self._rows: dict[str, list[int]] = {}
        for row, passage in enumerate(index.passages):
            self._rows.setdefault(passage.lang, []).append(row)

    def retrieve(
        self,
        query: str | Mapping[str, Vectors],
        lang: str,
        top_k: int = 8,
        prior: Mapping[str, float] | None = None,
    ) -> list[Hit]:
        """Return the best passages for a query, best first, without any floor.

        Args:
            query: What to look for; or several readings of it with their vectors, of which a
                passage gets the best score.
            lang: The language of the query. Where there is any passage in it, only those are
                searched.
            top_k: How many hits at most.
            prior: For each article, the probability in [0, 1] that the customer's intent is
                answered there; None where no intents are known.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1. Currently, top_k is {top_k}")
        if isinstance(query, str):
            query = {query: self._embedder.encode([query])[0]}
        best: dict[int, Hit] = {}
        for text, vector in query.items():
            for row, hit in self._scored(text, vector, lang, prior):
                if row not in best or hit.score > best[row].score:
                    best[row] = hit
        return sorted(best.values(), key=lambda hit: -hit.score)[:top_k]

    def _scored(
        self, text: str, vector: Vectors, lang: str, prior: Mapping[str, float] | None
    ) -> Iterator[tuple[int, Hit]]:
        lexical = self.lexical.score(text)
        rows = self._candidates(vector, lexical, lang, prior or {})
        platt = self._calibration.for_query(lang, intent=prior is not None)
        for row, dense in zip(rows, self._index.cosines(vector, rows), strict=True):
            passage = self.passages[row]
            belief = (prior or {}).get(passage.article, 0.0)
            score = platt.probability(float(dense), float(lexical[row]), belief)
            yield row, Hit(passage, score, float(dense), float(lexical[row]))

    def _candidates(
        self, vector: Vectors, lexical: Vectors, lang: str, prior: Mapping[str, float]
    ) -> list[int]:
        among = self._rows.get(lang) or list(range(len(self.passages)))
        nearest = self._index.search(vector, CANDIDATES, among)
        wordiest = sorted(among, key=lambda row: -lexical[row])[:CANDIDATES]
        likely = [row for row in among if prior.get(self.passages[row].article, 0.0) > LIKELY]
        return list(dict.fromkeys([*nearest, *wordiest, *likely]))
