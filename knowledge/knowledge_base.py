"""The knowledge of one company as it stands now: renewed while the assistant serves."""

import datetime as dt
import logging
import threading
import time
from pathlib import Path
from typing import Self

from knowledge.build_index import build
from knowledge.errors import KnowledgeError
from knowledge.models.embedder import Embedder
from knowledge.retrieval.query_head import QueryHead
from knowledge.retrieval.reranker import Reranker
from knowledge.retrieval.retriever import Retriever
from knowledge.retrieval.snapshot_store import SnapshotStore

logger = logging.getLogger(__name__)

# After a renewal that failed, messages are answered from what served before for so long.
PAUSE_SECONDS = 60.0


class KnowledgeBase:
    """Hands out the retriever of the newest generation.

    Another process builds (``python -m knowledge.build_index``), and the next call of ``current``
    sees it. At the turn of a day on which an article begins or ends, the index is renewed here.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        state: Path,
        retriever: Retriever,
        *,
        milvus: str | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """Take a retriever that is ready; ``open`` builds one."""
        self._folder = folder
        self._embedder = embedder
        self._state = state
        self._milvus = milvus
        self._reranker = reranker
        self._store = SnapshotStore.of(folder, embedder.name, state)
        self._retriever = retriever
        self._refused: str | None = None
        self._paused_until = 0.0
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        folder: Path,
        embedder: Embedder,
        state: Path,
        *,
        milvus: str | None = None,
        reranker: Reranker | None = None,
        progress: bool = False,
    ) -> Self:
        """Bring the index of a folder up to date and load it; see ``build``.

        Raises:
            KnowledgeFolderError: The folder is missing or nothing in it can be read.
        """
        done = build(folder, embedder, state, milvus=milvus, progress=progress)
        head = QueryHead.find(folder, embedder.query_name)
        retriever = Retriever(done.snapshot, embedder, head, reranker)
        return cls(folder, embedder, state, retriever, milvus=milvus, reranker=reranker)

    def current(self) -> Retriever:
        """Return the retriever to use for one message; it does not change under the caller."""
        # Whoever comes while another thread renews goes on with what served before.
        if self._is_stale() and self._lock.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._lock.release()
        return self._retriever

    def _is_stale(self) -> bool:
        snapshot = self._retriever.snapshot
        named = self._store.current()
        newer = named not in (None, snapshot.generation, self._refused)
        outdated = not snapshot.is_current(dt.date.today())
        return newer or (outdated and time.monotonic() >= self._paused_until)

    def _renew(self) -> None:
        named = self._store.current()
        try:
            snapshot = self._store.load(self._embedder.name)
            if not snapshot.is_current(dt.date.today()):
                snapshot = build(
                    self._folder, self._embedder, self._state, milvus=self._milvus
                ).snapshot
            if snapshot.generation != self._retriever.snapshot.generation:
                head = QueryHead.find(self._folder, self._embedder.query_name)
                self._retriever = Retriever(snapshot, self._embedder, head, self._reranker)
            self._refused = None if snapshot.generation == named else named
        except (KnowledgeError, OSError) as error:
            logger.error("The index was not renewed, the one before goes on serving: %s", error)
            self._refused = named
            self._paused_until = time.monotonic() + PAUSE_SECONDS
