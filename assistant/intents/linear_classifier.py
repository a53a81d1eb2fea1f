"""A linear head: which class a text is of, from its vector and the words in it."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from assistant.errors import IntentsError
from knowledge.models.embedder import Vectors
from knowledge.segmenter import language_of, words

Floats = NDArray[np.float32]
MODEL, SPEC = "model.safetensors", "labels.json"
# Chosen on BANKING77's development rows and our Chinese ones.
VECTOR_REGULARISATION, TERM_REGULARISATION, TERM_SHARE = 30.0, 20.0, 0.5
# Texts of a language that a temperature of its own needs; what all languages stand under.
ENOUGH, ANY = 100, "any"
# Passes over the examples by which the scores' sharpness is judged.
FOLDS = 3


def terms(text: str) -> list[str]:
    """Return a text's index terms and pairs of neighbours."""
    found = words(text)
    return found + [f"{left} {right}" for left, right in itertools.pairwise(found)]


class LinearClassifier:
    """Two multinomial logistic regressions, over vectors and over terms, added before softmax.

    A weighted sum of both logits is a product of both opinions (Hinton 2002, products of experts);
    a temperature for each language makes the outcome mean what it says (Guo et al. 2017, arXiv
    1706.04599).
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], spec: Mapping[str, Any]) -> None:
        """Take what ``fit`` or a file gives.

        Args:
            arrays: ``vectors`` of shape (classes, dimension), ``bias`` of shape (classes,),
                ``terms`` of shape (classes, terms) and ``idf`` of shape (terms,).
            spec: ``labels``, ``terms``, the name of the ``embedder`` and, once calibrated,
                ``temperatures`` by language.
        """
        self.labels: list[str] = list(spec["labels"])
        self.embedder: str = spec["embedder"]
        self.arrays = dict(arrays)
        self.spec = dict(spec)
        self._vectors = np.asarray(arrays["vectors"], dtype=np.float32)
        self._bias = np.asarray(arrays["bias"], dtype=np.float32)
        # Row by row: a product with any other order of memory copies the table each time.
        self._terms = np.ascontiguousarray(np.asarray(arrays["terms"], dtype=np.float32).T)
        self._vectorizer = _vectorizer(spec["terms"], arrays["idf"]) if spec["terms"] else None

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        vectors: Vectors,
        embedder: str,
        *,
        weights: Sequence[float] | None = None,
        regularisation: float = VECTOR_REGULARISATION,
        share: float = TERM_SHARE,
        balanced: bool = False,
        calibrate: bool = True,
    ) -> Self:
        """Fit on labelled texts.

        Args:
            texts: What was typed.
            labels: The class of each; at least two classes.
            vectors: Of shape (len(texts), dimension).
            embedder: The name of what made the vectors.
            weights: What each text counts; 1 by default.
            regularisation: scikit-learn's ``C`` of the vectors' weights.
            share: What the terms count, in [0, 1); the vectors count the rest.
            balanced: Whether each class counts as much as any other.
            calibrate: Whether to find the temperature by cross-validation.
        """
        vectorizer, rows = _term_rows(texts)
        kinds: list[tuple[str, Any, float, float]] = [
            ("vectors", vectors, regularisation, 1 - share)
        ]
        if share:
            kinds.append(("terms", rows, TERM_REGULARISATION, share))
        known = sorted(set(labels))
        arrays: dict[str, Any] = {"bias": np.zeros(len(known), dtype=np.float32)}
        judged = np.zeros((len(texts), len(known)))
        for name, features, penalty, part in kinds:
            model = _regression(penalty, balanced=balanced)
            model.fit(features, labels, sample_weight=weights)
            arrays[name] = _both_sides(model.coef_) * part
            arrays["bias"] += (_both_sides(model.intercept_) * part).astype(np.float32)
            if calibrate:
                judged += part * _cross_validated(features, labels, penalty, weights, balanced)
        arrays.setdefault("terms", np.zeros((len(known), 0)))
        arrays["idf"] = vectorizer.idf_ if share else np.zeros(0)
        listed = list(vectorizer.get_feature_names_out()) if share else []
        head = cls(arrays, {"labels": known, "terms": listed, "embedder": embedder})
        return head.calibrated(texts, judged, labels) if calibrate else head

    def calibrated(self, texts: Sequence[str], logits: NDArray[Any], labels: Sequence[str]) -> Self:
        """Return the same head with the temperatures that suit what it says of labelled texts.

        Args:
            texts: Texts that the head was not fitted on; a language of which there are few shares
                the temperature of all.
            logits: Of shape (len(texts), len(labels)).
            labels: The right class of each.
        """
        found = temperatures(texts, logits, self.rows_of(labels))
        return type(self)(self.arrays, {**self.spec, "temperatures": found})

    def temperature_of(self, text: str) -> float:
        """Return what to divide a text's logits by before they become probabilities."""
        return temperature_for(text, self.spec.get("temperatures", {}))

    def scores(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Return calibrated probabilities of shape (len(texts), len(labels)); see ``logits``."""
        heat = np.array([[self.temperature_of(text)] for text in texts], dtype=np.float32)
        return probabilities(self.logits(texts, vectors) / heat)

    def logits(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Return the logits of shape (len(texts), len(labels)), before any temperature.

        Args:
            texts: What was typed.
            vectors: Of shape (len(texts), dimension).
        """
        found = vectors @ self._vectors.T + self._bias
        if self._vectorizer is not None:
            found += self._vectorizer.transform(texts) @ self._terms
        return np.asarray(found, dtype=np.float32)

    def rows_of(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """Return the place of each label among the head's labels."""
        place = {label: row for row, label in enumerate(self.labels)}
        return np.array([place[label] for label in labels], dtype=np.int64)

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors`` and ``labels.json``."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        halves = {n: np.ascontiguousarray(a, dtype=np.float16) for n, a in self.arrays.items()}
        save_file(halves, folder / MODEL)
        (folder / SPEC).write_text(json.dumps(self.spec, ensure_ascii=False, indent=0), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            IntentsError: The files are missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            spec = json.loads((folder / SPEC).read_text(encoding="utf-8"))
            return cls(load_file(folder / MODEL), spec)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise IntentsError(
                f"{folder} holds no whole classifier ({error}). Delete it, or train it again with "
                f"`python -m tuning.classifier`."
            ) from None


def probabilities(logits: Floats) -> Floats:
    """Return softmax over the last axis."""
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True), dtype=np.float32)


def temperatures(
    texts: Sequence[str], logits: NDArray[Any], right: NDArray[np.int64]
) -> dict[str, float]:
    """Return the temperature of each language with enough texts, and under ``ANY`` that of all."""
    found = {ANY: temperature(logits, right)}
    languages = np.array([language_of(text) for text in texts])
    for lang in sorted(set(languages)):
        own = languages == lang
        if own.sum() >= ENOUGH:
            found[str(lang)] = temperature(logits[own], right[own])
    return found


def temperature_for(text: str, known: Mapping[str, float]) -> float:
    """Return the temperature of a text's language, else that of all, else 1."""
    return float(known.get(language_of(text), known.get(ANY, 1.0)))


def temperature(logits: NDArray[Any], right: NDArray[np.int64]) -> float:
    """Return what to divide logits by so that the right classes are likeliest (Guo et al. 2017).

    Args:
        logits: Of shape (texts, classes), of texts that the head was not fitted on.
        right: The right class of each.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_of: float) -> float:
        likely = log_softmax(logits / np.exp(log_of), axis=1)
        return -float(likely[np.arange(len(right)), right].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 3), method="bounded").x))


def _regression(penalty: float, *, balanced: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    weights = "balanced" if balanced else None
    return LogisticRegression(C=penalty, max_iter=200, class_weight=weights)


def _both_sides(fitted: NDArray[Any]) -> NDArray[Any]:
    """Return one row a class also where scikit-learn, for two classes, keeps one row for both."""
    if len(fitted) > 1:
        return np.asarray(fitted)
    return np.concatenate([-fitted, fitted]) / 2


def _cross_validated(
    features: Any,
    labels: Sequence[str],
    penalty: float,
    weights: Sequence[float] | None,
    balanced: bool,
) -> NDArray[Any]:
    """Return each text's logits by a model that did not see it."""
    known = sorted(set(labels))
    places = {label: row for row, label in enumerate(known)}
    order = np.arange(len(labels)) % FOLDS
    found = np.full((len(labels), len(known)), -20.0)
    names = np.array(labels)
    for fold in range(FOLDS):
        seen, held = order != fold, order == fold
        if len(set(names[seen])) < 2:  # noqa: PLR2004
            continue
        part = None if weights is None else np.asarray(weights)[seen]
        model = _regression(penalty, balanced=balanced)
        model.fit(features[seen], names[seen], sample_weight=part)
        decided = model.decision_function(features[held])
        if decided.ndim == 1:
            decided = np.stack([-decided, decided], axis=1) / 2
        found[np.ix_(held, [places[name] for name in model.classes_])] = decided
    return found


def _term_rows(texts: Sequence[str]) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    # A term that stands in one text alone teaches little and doubles the table.
    rare = 2 if len(texts) > FEW else 1
    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, min_df=rare)
    return vectorizer, vectorizer.fit_transform(texts).tocsr()


FEW = 500


def _vectorizer(listed: Sequence[str], idf: NDArray[Any]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vocabulary = {term: row for row, term in enumerate(listed)}
    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, vocabulary=vocabulary)
    vectorizer.idf_ = np.asarray(idf, dtype=np.float64)
    return vectorizer
