"""Checks of articles by the similarity of their vectors: near-duplicates and contradictions."""

from collections.abc import Iterator, Sequence

from knowledge.article_checks import FIGURE, Finding
from knowledge.documents import Article
from knowledge.markdown_tables import is_row
from knowledge.models.embedder import Embedder, Vectors
from knowledge.segmenter import sentences

# Least cosines between whole articles, and between sentences without their figures.
SAME_ARTICLE = 0.985
SAME_SENTENCE = 0.965
# Characters of an article that are compared.
ARTICLE_START = 2000


def duplicates(articles: Sequence[Article], embedder: Embedder) -> Iterator[Finding]:
    """Yield pairs of articles in one language that are nearly the same."""
    for group in _by_language(articles):
        vectors = embedder.encode_passages([f"{a.title}. {a.text[:ARTICLE_START]}" for a in group])
        for first, second, cosine in _similar_pairs(vectors, SAME_ARTICLE):
            paths = (group[first].path, group[second].path)
            yield Finding("near-duplicate", paths, f"their similarity is {cosine:.3f}")


def contradictions(articles: Sequence[Article], embedder: Embedder) -> Iterator[Finding]:
    """Yield pairs of sentences that differ only in figures of the same units."""
    for group in _by_language(articles):
        stated = [
            (article, sentence)
            for article in group
            for span in sentences(article.text, article.lang)
            # A row of a table means nothing without the table's header.
            if FIGURE.search(sentence := span.of(article.text)) and not is_row(sentence)
        ]
        if not stated:
            continue
        # "We check it within 5 days" says nothing without its article's title.
        texts = [f"{article.title}: {FIGURE.sub('#', sentence)}" for article, sentence in stated]
        vectors = embedder.encode_passages(texts)
        for first, second, _ in _similar_pairs(vectors, SAME_SENTENCE):
            (article, sentence), (other, other_sentence) = stated[first], stated[second]
            if article.path != other.path and _contradict(sentence, other_sentence):
                message = f"“{sentence}” against “{other_sentence}”"
                yield Finding("contradiction", (article.path, other.path), message)


def _contradict(first: str, second: str) -> bool:
    """Return whether two sentences have figures of the same units, and no figure in common."""
    ours, theirs = _figures_with_units(first), _figures_with_units(second)
    return {unit for unit, _ in ours} == {unit for unit, _ in theirs} and ours.isdisjoint(theirs)


def _figures_with_units(sentence: str) -> set[tuple[str, str]]:
    return {
        ((match["money"] or match["unit"] or "").strip().lower(), match["number"])
        for match in FIGURE.finditer(sentence)
    }


def _by_language(articles: Sequence[Article]) -> Iterator[list[Article]]:
    for lang in sorted({str(article.lang) for article in articles}):
        yield [article for article in articles if article.lang == lang]


def _similar_pairs(vectors: Vectors, least: float) -> Iterator[tuple[int, int, float]]:
    cosines = vectors @ vectors.T
    for first in range(len(vectors)):
        for second in range(first + 1, len(vectors)):
            if cosines[first, second] >= least:
                yield first, second, float(cosines[first, second])
