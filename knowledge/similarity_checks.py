"""Finds near-duplicate articles by the similarity of their vectors."""

from collections.abc import Iterator, Sequence

from knowledge.article_checks import Finding
from knowledge.documents import Article
from knowledge.models.embedder import Embedder, Vectors

# The least cosine between near-duplicates.
SAME_ARTICLE = 0.985
# Characters of an article that are compared.
ARTICLE_START = 2000


def duplicates(articles: Sequence[Article], embedder: Embedder) -> Iterator[Finding]:
    """Yield pairs of articles in one language that are nearly the same.

    Args:
        articles: The articles.
        embedder: Compares titles and starts of texts.
    """
    for group in by_language(articles):
        vectors = embedder.encode_passages([f"{a.title}. {a.text[:ARTICLE_START]}" for a in group])
        for first, second, cosine in _similar_pairs(vectors, SAME_ARTICLE):
            paths = (group[first].path, group[second].path)
            yield Finding("near-duplicate", paths, f"their similarity is {cosine:.3f}")


def by_language(articles: Sequence[Article]) -> Iterator[list[Article]]:
    """Yield the articles of each language, languages in alphabetical order."""
    for lang in sorted({str(article.lang) for article in articles}):
        yield [article for article in articles if article.lang == lang]


def _similar_pairs(vectors: Vectors, least: float) -> Iterator[tuple[int, int, float]]:
    cosines = vectors @ vectors.T
    for first in range(len(vectors)):
        for second in range(first + 1, len(vectors)):
            if cosines[first, second] >= least:
                yield first, second, float(cosines[first, second])
