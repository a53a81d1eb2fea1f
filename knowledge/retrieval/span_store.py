"""Keeps the vectors of span embedders on disk: only new passages are encoded again."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from knowledge.documents import Passage
from knowledge.models.embedder import Vectors
from knowledge.models.span_embedder import PassageVectors, SpanEmbedder
from knowledge.retrieval.expansions import ExpansionStore
from knowledge.retrieval.snapshot import Snapshot
from knowledge.retrieval.span_index import SpanIndex
from knowledge.segmenter import Span, sentences

logger = logging.getLogger(__name__)

Name = TypeVar("Name", str, int)

# How much nearer a message that was written must be to its own article than to any other: a cosine
# divided by the temperature of the embedder's training.
NEARER = 0.0
# Messages that are compared with all passages together.
COMPARED = 1024
# Texts encoded between two steps of the progress bar.
BATCH = 32


def open_span_indexes(
    snapshot: Snapshot,
    embedders: Sequence[SpanEmbedder],
    folder: Path,
    *,
    expansions: ExpansionStore | None = None,
    progress: bool = False,
) -> dict[str, SpanIndex]:
    """Return an index for each language that has passages and an embedder.

    Args:
        snapshot: The passages, grouped by language.
        embedders: Of several that cover a language, the first one serves it.
        folder: Where vectors are kept; a damaged or missing file costs time alone.
        expansions: Messages that were written for the passages.
        progress: Whether to show progress bars.

    Raises:
        OSError: The vectors cannot be written.
    """
    indexes = {}
    for lang, rows in snapshot.rows_by_language().items():
        embedder = next((one for one in embedders if lang in one.languages), None)
        if embedder:
            passages = [snapshot.passages[row] for row in rows]
            store = _Store(folder / f"{lang}.{embedder.name}.safetensors", embedder, progress)
            vectors = store.passages(passages)
            asked = store.questions(_front_matter(snapshot, passages))
            if expansions:
                index = SpanIndex(embedder, rows, vectors)
                written = store.questions(_written(passages, expansions))
                asked = _joined(asked, found_again(index, passages, written))
            indexes[lang] = SpanIndex(embedder, rows, vectors, asked)
            store.save()
    return indexes


def _front_matter(snapshot: Snapshot, passages: Sequence[Passage]) -> dict[str, Sequence[str]]:
    """Return the messages that today's articles list, by article."""
    articles = [a for a in snapshot.articles if a.lang == passages[0].lang]
    served = {passage.article for passage in passages}
    return {
        a.id: a.questions
        for a in articles
        if a.questions and a.id in served and a.is_valid(snapshot.day)
    }


def _written(passages: Sequence[Passage], expansions: ExpansionStore) -> dict[int, Sequence[str]]:
    """Return the messages that were written for passages, by their numbers."""
    known = {n: expansions.of(passage) for n, passage in enumerate(passages)}
    return {n: found.messages for n, found in known.items() if found and found.messages}


def found_again(
    index: SpanIndex, passages: Sequence[Passage], written: Mapping[int, Vectors]
) -> Iterator[tuple[str, Vectors]]:
    """Yield article and vectors of the messages by which the article is found before any other.

    What finds another article as well would lead customers astray.

    Args:
        index: The index of the passages, without messages.
        passages: Its passages.
        written: By a passage's number, the vectors of its messages: (messages, dimension).
    """
    if not written:
        return
    articles = np.array([passage.article for passage in passages])
    owners = np.repeat(articles[list(written)], [len(of_one) for of_one in written.values()])
    vectors = np.vstack(list(written.values()))
    parts = [slice(at, at + COMPARED) for at in range(0, len(vectors), COMPARED)]
    is_found = np.concatenate(
        [_is_found(index.scores(vectors[part]), articles, owners[part]) for part in parts]
    )
    for article in dict.fromkeys(owners[is_found]):
        yield str(article), vectors[is_found & (owners == article)]


def _is_found(
    scores: Vectors, articles: NDArray[np.str_], owners: NDArray[np.str_]
) -> NDArray[np.bool_]:
    """Return which messages find their owner, by scores of shape (messages, passages)."""
    own = owners[:, None] == articles[None, :]
    others = np.where(own, -np.inf, scores).max(axis=1)
    return np.asarray(np.where(own, scores, -np.inf).max(axis=1) >= others + NEARER)


def _joined(
    asked: Mapping[str, Vectors], more: Iterator[tuple[str, Vectors]]
) -> dict[str, Vectors]:
    joined = dict(asked)
    for name, vectors in more:
        joined[name] = np.vstack([joined[name], vectors]) if name in joined else vectors
    return joined


class _Store:
    """The vectors of one language: those of the last time are known, others are made."""

    def __init__(self, file: Path, embedder: SpanEmbedder, progress: bool) -> None:
        self._file, self._embedder, self._progress = file, embedder, progress
        self._known = _load(file)
        self._used: set[str] = set()
        self._is_changed = False

    def passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages."""
        spans = [sentences(passage.text, passage.lang) for passage in passages]
        keys = [_key(passage, of_one) for passage, of_one in zip(passages, spans, strict=True)]

        def encode(part: Sequence[int]) -> Iterator[Vectors]:
            made = self._embedder.encode_passages(
                [passages[n] for n in part], [spans[n] for n in part]
            )
            return (np.vstack([one.whole, one.sentences]) for one in made)

        # The first row is the passage's vector, the others are its sentences'.
        found = self._vectors(keys, encode, "Reading passages")
        return [PassageVectors(rows[0], rows[1:]) for rows in found]

    def questions(self, texts: Mapping[Name, Sequence[str]]) -> dict[Name, Vectors]:
        """Return the vectors of messages by the same names, each of shape (messages, dimension)."""
        flat = list(dict.fromkeys(text for of_article in texts.values() for text in of_article))
        keys = [_hash(text) for text in flat]

        def encode(part: Sequence[int]) -> Iterator[Vectors]:
            return iter(self._embedder.encode_questions([flat[n] for n in part])[:, None])

        made = dict(zip(flat, self._vectors(keys, encode, "Reading messages"), strict=True))
        return {name: np.vstack([made[text] for text in of]) for name, of in texts.items()}

    def _vectors(
        self, keys: Sequence[str], encode: Callable[[Sequence[int]], Iterator[Vectors]], what: str
    ) -> list[Vectors]:
        new = [n for n, key in enumerate(keys) if key not in self._known]
        is_quiet = not (self._progress and new)
        for start in tqdm(range(0, len(new), BATCH), desc=what, disable=is_quiet):
            part = new[start : start + BATCH]
            self._known.update(zip([keys[n] for n in part], encode(part), strict=True))
        self._is_changed |= bool(new)
        self._used.update(keys)
        return [self._known[key] for key in keys]

    def save(self) -> None:
        """Write what was used, if anything of it is new; whole or not at all."""
        from safetensors.numpy import save_file

        if not self._is_changed:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_name(f"{self._file.name}.part-{os.getpid()}")
        kept = {key: self._known[key].astype(np.float16) for key in sorted(self._used)}
        save_file(kept, partial)
        os.replace(partial, self._file)


def _key(passage: Passage, spans: Sequence[Span]) -> str:
    """Return a name for what the embedder reads of a passage."""
    return _hash(f"{passage.name}\0{passage.text}\0{[(span.start, span.end) for span in spans]}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _load(file: Path) -> dict[str, Vectors]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not file.is_file():
        return {}
    try:
        return {key: rows.astype(np.float32) for key, rows in load_file(file).items()}
    except (SafetensorError, OSError) as error:
        logger.warning("%s is damaged (%s); passages are read again.", file, error)
        return {}
