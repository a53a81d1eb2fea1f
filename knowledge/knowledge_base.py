"""The current knowledge of one company, renewed while the assistant serves."""

import datetime as dt
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tqdm import tqdm

from knowledge.build_index import build
from knowledge.documents import Passage
from knowledge.errors import KnowledgeError
from knowledge.models.embedder import Embedder
from knowledge.models.span_embedder import SpanEmbedder
from knowledge.retrieval.expansions import Expansion, ExpansionStore, MessageWriter
from knowledge.retrieval.query_head import QueryHead
from knowledge.retrieval.reranker import Reranker
from knowledge.retrieval.retriever import Retriever
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.snapshot_store import SnapshotStore
from knowledge.retrieval.span_store import open_span_indexes

logger = logging.getLogger(__name__)

# How long the previous index serves after a failed renewal, before the next attempt.
PAUSE_SECONDS = 60.0
# Passages between two moments at which what was written for them begins to serve.
SERVED_EVERY = 50
EXPANDING = "Writing messages"


class KnowledgeBase:
    """Hands out the retriever of the newest generation.

    When another process has built one (``python -m knowledge.build_index``), the next call of
    ``current`` switches to it. When the day changes and an article becomes valid or expires, the
    index is renewed here.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        state: Path,
        snapshot: Snapshot,
        *,
        milvus: str | None = None,
        reranker: Reranker | None = None,
        span_embedders: Sequence[SpanEmbedder] = (),
        progress: bool = False,
    ) -> None:
        """Take a snapshot; ``open`` builds one."""
        self._folder = folder
        self._embedder = embedder
        self._state = state
        self._milvus = milvus
        self._reranker = reranker
        self._span_embedders = span_embedders
        self._store = SnapshotStore.of(folder, embedder.name, state)
        self._expansions = ExpansionStore(self._store.folder)
        self._retriever = self._retriever_of(snapshot, progress=progress)
        self._refused: str | None = None  # a generation that could not be loaded
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
        span_embedders: Sequence[SpanEmbedder] = (),
        progress: bool = False,
    ) -> Self:
        """Bring the index of a folder up to date and load it.

        Args:
            folder: The knowledge folder.
            embedder: Encodes passages and queries.
            state: The state folder, where indexes are kept.
            milvus: The URI of a Milvus to keep the vectors in; None keeps them in FAISS.
            reranker: Reranks the best hits, if the settings name one.
            span_embedders: Encode passages with their sentences; the first one that covers a
                language serves it.
            progress: Whether to show progress bars.

        Raises:
            KnowledgeFolderError: The folder is missing or nothing in it can be read.
            OSError: The index cannot be written.
        """
        result = build(folder, embedder, state, milvus=milvus, progress=progress)
        return cls(
            folder,
            embedder,
            state,
            result.snapshot,
            milvus=milvus,
            reranker=reranker,
            span_embedders=span_embedders,
            progress=progress,
        )

    def current(self) -> Retriever:
        """Return the retriever to use for one message; a later renewal does not change it."""
        # While one thread renews, the others keep using the previous retriever.
        if self._is_stale() and self._lock.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._lock.release()
        return self._retriever

    def beside(self, folder: Path) -> "KnowledgeBase":
        """Return the knowledge of another folder, such as a copy with a change, with these models.

        Args:
            folder: The other folder.

        Raises:
            KnowledgeFolderError: The folder is missing or nothing in it can be read.
            OSError: The index cannot be written.
        """
        return KnowledgeBase.open(
            folder,
            self._embedder,
            self._state,
            reranker=self._reranker,
            span_embedders=self._span_embedders,
        )

    def expand(self, writer: MessageWriter, *, progress: bool = False) -> int:
        """Write messages for all passages that have none of a writer; return how many were new.

        What is there serves meanwhile, and messages serve soon after they were written. Stopped at
        any time, it continues with the next passage.

        Args:
            writer: Writes the messages.
            progress: Whether to show a progress bar.

        Raises:
            OSError: The messages cannot be written.
        """
        passages = self.current().passages
        missing = self._expansions.missing(passages, writer)
        for done, passage in enumerate(tqdm(missing, desc=EXPANDING, disable=not progress), 1):
            messages = tuple(writer.write(passage))
            self._expansions.add(passage, Expansion(writer.name, messages))
            if done % SERVED_EVERY == 0 or done == len(missing):
                self._serve_expansions()
        return len(missing)

    def expansions(self) -> list[tuple[Passage, Expansion | None]]:
        """Return each passage with what was written for it."""
        return [(passage, self._expansions.of(passage)) for passage in self.current().passages]

    def _serve_expansions(self) -> None:
        with self._lock:
            self._retriever = self._retriever_of(self._retriever.snapshot)

    def _is_stale(self) -> bool:
        snapshot = self._retriever.snapshot
        current = self._store.current()
        newer = current not in (None, snapshot.generation, self._refused)
        outdated = not snapshot.is_current(dt.date.today())
        return newer or (outdated and time.monotonic() >= self._paused_until)

    def _renew(self) -> None:
        current = self._store.current()
        try:
            snapshot = self._store.load(self._embedder.name)
            if not snapshot.is_current(dt.date.today()):
                snapshot = build(
                    self._folder, self._embedder, self._state, milvus=self._milvus
                ).snapshot
            if snapshot.generation != self._retriever.snapshot.generation:
                self._retriever = self._retriever_of(snapshot)
            self._refused = None if snapshot.generation == current else current
        except (KnowledgeError, OSError) as error:
            logger.error("The index was not renewed; the previous one keeps serving: %s", error)
            self._refused = current
            self._paused_until = time.monotonic() + PAUSE_SECONDS

    def _retriever_of(self, snapshot: Snapshot, *, progress: bool = False) -> Retriever:
        head = QueryHead.find(self._folder, self._embedder.query_name)
        spans = open_span_indexes(
            snapshot,
            self._span_embedders,
            self._store.spans,
            expansions=self._expansions,
            progress=progress,
        )
        return Retriever(snapshot, self._embedder, head, self._reranker, spans)
