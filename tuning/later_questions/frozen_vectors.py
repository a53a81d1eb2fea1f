"""What the training does not move: vectors of passages, their sentences and whole questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from knowledge.models.embedder import Vectors
from knowledge.models.span_embedder import SpanEmbedder
from tuning.later_questions.rows import LaterRow
from tuning.span_embedder.cases import Corpus


@dataclass(frozen=True, slots=True)
class CorpusVectors:
    """A company's vectors, of length one.

    Attributes:
        articles: The article of each passage.
        whole: Of the passages, shape (passages, dimension).
        sentences: Of all their sentences, shape (sentences, dimension).
        owners: The number of each sentence's passage.
    """

    articles: tuple[str, ...]
    whole: Vectors
    sentences: Vectors
    owners: NDArray[np.int64]

    @classmethod
    def of(cls, corpus: Corpus, embedder: SpanEmbedder) -> Self:
        """Encode a corpus."""
        encoded = embedder.encode_passages(corpus.passages, corpus.spans)
        return cls(
            tuple(passage.article for passage in corpus.passages),
            np.stack([passage.whole for passage in encoded]),
            np.concatenate([passage.sentences for passage in encoded]),
            np.repeat(np.arange(len(encoded)), [len(spans) for spans in corpus.spans]),
        )


@dataclass(frozen=True, slots=True)
class FrozenVectors:
    """The vectors that later messages move towards.

    Attributes:
        corpora: By name.
        alone: Of questions that need no conversation, by their text.
    """

    corpora: Mapping[str, CorpusVectors]
    alone: Mapping[str, Vectors]

    @classmethod
    def of(
        cls, embedder: SpanEmbedder, corpora: Mapping[str, Corpus], rows: Sequence[LaterRow]
    ) -> Self:
        """Encode all corpora, and what the rows ask in words that need no conversation."""
        encoded = {
            name: CorpusVectors.of(corpus, embedder)
            for name, corpus in tqdm(corpora.items(), desc="Reading", unit="company")
        }
        texts = sorted({row.alone for row in rows if row.alone})
        vectors = embedder.encode_questions(texts)
        return cls(encoded, dict(zip(texts, vectors, strict=True)))
