"""Nearest vectors in Milvus: an embedded file (Milvus Lite), a server or a cluster."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np

from knowledge.errors import REBUILD, IndexMismatchError
from knowledge.models.embedder import Vectors
from knowledge.retrieval.vector_index import Rows

BATCH = 1000


class MilvusIndex:
    """A ``VectorIndex`` in a Milvus collection; each generation of an index has its own."""

    FILE = "milvus.json"

    def __init__(self, uri: str, collection: str, count: int) -> None:
        """Connect to an existing collection; ``build`` creates one.

        Args:
            uri: A file ending in ``.db``, or ``http://host:19530``.
            collection: The collection's name.
            count: The number of its rows.

        Raises:
            IndexMismatchError: Milvus cannot be reached.
        """
        self._uri = uri
        self._collection = collection
        self._count = count
        self._client = _client(uri)
        self._client.load_collection(collection)

    @classmethod
    def build(cls, vectors: Vectors, uri: str, collection: str) -> Self:
        """Store unit vectors of shape (n, dimension) in a new collection.

        Raises:
            IndexMismatchError: Milvus cannot be reached.
        """
        from pymilvus import DataType, MilvusClient

        client = _client(uri)
        if client.has_collection(collection):  # left by a killed build
            client.drop_collection(collection)
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
        index_params = client.prepare_index_params()
        index_params.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        client.create_collection(
            collection, schema=schema, index_params=index_params, consistency_level="Strong"
        )
        for start in range(0, len(vectors), BATCH):
            batch = vectors[start : start + BATCH].tolist()
            rows = [{"row": start + n, "vector": vector} for n, vector in enumerate(batch)]
            client.insert(collection, rows)
        return cls(uri, collection, len(vectors))

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    def search(self, vector: Vectors, top_k: int, rows: range) -> Rows:
        """Return the rows of the range that are nearest to a unit vector, nearest first."""
        (hits,) = self._client.search(
            self._collection,
            data=[vector.tolist()],
            limit=top_k,
            filter=f"row >= {rows.start} and row < {rows.stop}",
        )
        return np.array([hit["row"] for hit in hits], dtype=np.int64)

    def vectors(self, rows: Rows) -> Vectors:
        """Return the stored vectors of the given rows, of shape (len(rows), dimension)."""
        numbers = [int(row) for row in rows]
        entities = self._client.query(
            self._collection, filter=f"row in {numbers}", output_fields=["row", "vector"]
        )
        by_row = {entity["row"]: entity["vector"] for entity in entities}
        return np.array([by_row[row] for row in numbers], dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the address of the collection to ``milvus.json``."""
        address = {"uri": self._uri, "collection": self._collection, "count": self._count}
        (folder / self.FILE).write_text(json.dumps(address), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Connect to the collection named in ``milvus.json``.

        Raises:
            IndexMismatchError: Milvus cannot be reached, or has no such collection.
        """
        address = json.loads((folder / cls.FILE).read_text(encoding="utf-8"))
        if not _client(address["uri"]).has_collection(address["collection"]):
            raise IndexMismatchError(
                f"Expected the collection {address['collection']} in Milvus at {address['uri']}, "
                f"found none. {REBUILD}"
            )
        return cls(**address)

    def drop(self) -> None:
        """Delete the collection."""
        self._client.drop_collection(self._collection)


def _client(uri: str) -> Any:
    try:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException
    except ModuleNotFoundError:
        raise IndexMismatchError(
            "Milvus needs its client. Install it with: "
            "python -m pip install -c constraints.txt -e '.[milvus]'"
        ) from None
    if "://" not in uri:
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
    try:
        return MilvusClient(uri=uri)
    except MilvusException as error:
        raise IndexMismatchError(f"Expected Milvus at {uri}, but: {error.message}") from None
