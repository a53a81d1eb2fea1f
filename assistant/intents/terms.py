"""The words of a text as weighted features."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.segmenter import words

# Above this number of texts, terms of a single text are dropped: they teach little, but double the
# size of the classifier.
SMALL_SET = 500


def terms(text: str) -> list[str]:
    """Return the words of a text as search indexes them, and each pair of adjacent words."""
    single = words(text)
    return single + [f"{left} {right}" for left, right in itertools.pairwise(single)]


def fit_vectorizer(texts: Sequence[str]) -> tuple[Any, Any]:
    """Return a TF-IDF vectorizer fitted on texts, and their sparse rows."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    min_texts = 2 if len(texts) > SMALL_SET else 1
    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, min_df=min_texts)
    return vectorizer, vectorizer.fit_transform(texts).tocsr()


def load_vectorizer(known_terms: Sequence[str], idf: NDArray[Any]) -> Any:
    """Return the TF-IDF vectorizer of a saved vocabulary.

    Args:
        known_terms: The terms in the order of the columns.
        idf: The weights, of shape (terms,).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vocabulary = {term: column for column, term in enumerate(known_terms)}
    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, vocabulary=vocabulary)
    vectorizer.idf_ = np.asarray(idf, dtype=np.float64)
    return vectorizer
