"""Nearest vectors in Milvus: an embedded file (Milvus Lite), a server or a cluster, by URI."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np

from knowledge.errors import REBUILD, IndexMismatchError
from knowledge.models.embedder import Vectors
from knowledge.retrieval.vector_index import Rows

BATCH = 1000


class MilvusIndex:
    """A ``VectorIndex`` whose vectors lie in one Milvus collection, one a generation."""

    FILE = "milvus.json"

    def __init__(self, uri: str, collection: str, count: int) -> None:
        """Connect to a collection that is there; ``build`` and ``load`` make one.

        Args:
            uri: A file ending in ``.db``, or ``http://host:19530``.
            collection: The collection's name.
            count: How many rows it holds.
        """
        self._uri = uri
        self._collection = collection
        self._count = count
        self._client = _client(uri)
        self._client.load_collection(collection)

    @classmethod
    def build(cls, vectors: Vectors, uri: str, collection: str) -> Self:
        """Store vectors of shape (n, dimension) and length 1 in a new collection.

        Raises:
            IndexMismatchError: Milvus cannot be reached.
        """
        from pymilvus import DataType, MilvusClient

        client = _client(uri)
        if client.has_collection(collection):  # left by a build that was killed
            client.drop_collection(collection)
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
        wanted = client.prepare_index_params()
        wanted.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        client.create_collection(
            collection, schema=schema, index_params=wanted, consistency_level="Strong"
        )
        for start in range(0, len(vectors), BATCH):
            some = vectors[start : start + BATCH].tolist()
            rows = [{"row": start + n, "vector": vector} for n, vector in enumerate(some)]
            client.insert(collection, rows)
        return cls(uri, collection, len(vectors))

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    def search(self, vector: Vectors, top_k: int, rows: range) -> Rows:
        """Return the rows of the range that are nearest to a unit vector, best first."""
        found = self._client.search(
            self._collection,
            data=[vector.tolist()],
            limit=top_k,
            filter=f"row >= {rows.start} and row < {rows.stop}",
        )
        return np.array([hit["row"] for hit in found[0]], dtype=np.int64)

    def vectors(self, rows: Rows) -> Vectors:
        """Return the stored vectors of some rows, of shape (len(rows), dimension)."""
        wanted = [int(row) for row in rows]
        found = self._client.query(
            self._collection, filter=f"row in {wanted}", output_fields=["row", "vector"]
        )
        by_row = {entry["row"]: entry["vector"] for entry in found}
        return np.array([by_row[row] for row in wanted], dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write where the vectors lie, as ``milvus.json``."""
        place = {"uri": self._uri, "collection": self._collection, "count": self._count}
        (folder / self.FILE).write_text(json.dumps(place), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Connect to the collection that ``milvus.json`` names.

        Raises:
            IndexMismatchError: Milvus cannot be reached, or has no such collection.
        """
        place = json.loads((folder / cls.FILE).read_text(encoding="utf-8"))
        if not _client(place["uri"]).has_collection(place["collection"]):
            raise IndexMismatchError(
                f"Expected the collection {place['collection']} in Milvus at {place['uri']}, found "
                f"none. {REBUILD}"
            )
        return cls(**place)

    def drop(self) -> None:
        """Delete the collection."""
        self._client.drop_collection(self._collection)


def _client(uri: str) -> Any:
    try:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException
    except ModuleNotFoundError:
        raise IndexMismatchError(
            "Milvus needs its client: python -m pip install -c constraints.txt -e '.[milvus]'"
        ) from None
    if "://" not in uri:
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
    try:
        return MilvusClient(uri=uri)
    except MilvusException as error:
        raise IndexMismatchError(f"Expected Milvus at {uri}, but: {error.message}") from None
