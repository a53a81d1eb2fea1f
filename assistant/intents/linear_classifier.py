"""A linear classifier of texts, by their vectors and their words."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from assistant.errors import IntentsError
from assistant.intents.temperature import temperature_for, temperatures
from assistant.intents.terms import fit_vectorizer, load_vectorizer
from knowledge.models.embedder import Vectors

Floats = NDArray[np.float32]
MODEL, SPEC = "model.safetensors", "labels.json"
# Chosen on the development rows of BANKING77 and of the project's Chinese intents.
VECTOR_REGULARISATION, TERM_REGULARISATION, TERM_SHARE = 30.0, 20.0, 0.5
# The folds of the cross-validation that calibrates the temperatures.
FOLDS = 3
# The logit of a class that is missing from a fold's training texts.
MISSING_CLASS = -20.0


class LinearClassifier:
    """Two multinomial logistic regressions, on vectors and on terms, with their logits added.

    A weighted sum of logits is a product of experts (Hinton 2002). A temperature for each language
    turns the sum into calibrated probabilities.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], spec: Mapping[str, Any]) -> None:
        """Take the parameters; ``fit`` and ``load`` make them.

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
        # In row order, since a product with a sparse matrix would copy any other order each time.
        self._terms = np.ascontiguousarray(np.asarray(arrays["terms"], dtype=np.float32).T)
        self._vectorizer = load_vectorizer(spec["terms"], arrays["idf"]) if spec["terms"] else None

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
        """Fit a classifier on labelled texts.

        Args:
            texts: The texts.
            labels: The class of each text; at least two classes.
            vectors: Of shape (len(texts), dimension).
            embedder: The name of the embedder of the vectors.
            weights: The weight of each text; None for 1.
            regularisation: scikit-learn's ``C`` of the regression on vectors.
            share: The weight of the terms' logits, in [0, 1); the vectors have the rest.
            balanced: Whether all classes weigh the same, however many texts they have.
            calibrate: Whether to fit temperatures by cross-validation.
        """
        vectorizer, term_rows = fit_vectorizer(texts)
        regressions: list[tuple[str, Any, float, float]] = [
            ("vectors", vectors, regularisation, 1 - share)
        ]
        if share:
            regressions.append(("terms", term_rows, TERM_REGULARISATION, share))
        classes = sorted(set(labels))
        arrays: dict[str, Any] = {"bias": np.zeros(len(classes), dtype=np.float32)}
        held_out_logits = np.zeros((len(texts), len(classes)))
        for name, features, c, weight in regressions:
            model = _regression(c, balanced=balanced)
            model.fit(features, labels, sample_weight=weights)
            arrays[name] = _row_per_class(model.coef_) * weight
            arrays["bias"] += (_row_per_class(model.intercept_) * weight).astype(np.float32)
            if calibrate:
                held_out_logits += weight * _cross_validated(features, labels, c, weights, balanced)
        arrays.setdefault("terms", np.zeros((len(classes), 0)))
        arrays["idf"] = vectorizer.idf_ if share else np.zeros(0)
        known_terms = list(vectorizer.get_feature_names_out()) if share else []
        classifier = cls(arrays, {"labels": classes, "terms": known_terms, "embedder": embedder})
        return classifier.calibrated(texts, held_out_logits, labels) if calibrate else classifier

    def calibrated(self, texts: Sequence[str], logits: NDArray[Any], labels: Sequence[str]) -> Self:
        """Return this classifier with temperatures fitted on labelled texts.

        Args:
            texts: Texts that the classifier was not fitted on.
            logits: Of shape (len(texts), len(self.labels)).
            labels: The right class of each text.
        """
        by_language = temperatures(texts, logits, self.rows_of(labels))
        return type(self)(self.arrays, {**self.spec, "temperatures": by_language})

    def temperature_of(self, text: str) -> float:
        """Return the temperature for a text, by its language."""
        return temperature_for(text, self.spec.get("temperatures", {}))

    def scores(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Return calibrated probabilities of shape (len(texts), len(labels)); see ``logits``."""
        by_text = np.array([[self.temperature_of(text)] for text in texts], dtype=np.float32)
        return probabilities(self.logits(texts, vectors) / by_text)

    def logits(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Return the logits of shape (len(texts), len(labels)), before any temperature.

        Args:
            texts: The texts.
            vectors: Of shape (len(texts), dimension).
        """
        summed = vectors @ self._vectors.T + self._bias
        if self._vectorizer is not None:
            summed += self._vectorizer.transform(texts) @ self._terms
        return np.asarray(summed, dtype=np.float32)

    def rows_of(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """Return the position of each label among the classifier's labels."""
        rows = {label: row for row, label in enumerate(self.labels)}
        return np.array([rows[label] for label in labels], dtype=np.int64)

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors``, in half precision, and ``labels.json``."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        halves = {n: np.ascontiguousarray(a, dtype=np.float16) for n, a in self.arrays.items()}
        save_file(halves, folder / MODEL)
        (folder / SPEC).write_text(json.dumps(self.spec, ensure_ascii=False, indent=0), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files that ``save`` writes.

        Raises:
            IntentsError: A file is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            spec = json.loads((folder / SPEC).read_text(encoding="utf-8"))
            return cls(load_file(folder / MODEL), spec)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise IntentsError(
                f"{folder}: expected the files of a classifier, found {error}. Delete the folder, "
                f"or train the classifier again with `python -m tuning.classifier`."
            ) from None


def probabilities(logits: NDArray[Any]) -> Floats:
    """Return the softmax over the last axis."""
    return np.asarray(softmax(logits, axis=-1), dtype=np.float32)


def _regression(c: float, *, balanced: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, max_iter=200, class_weight="balanced" if balanced else None)


def _row_per_class(parameters: NDArray[Any]) -> NDArray[Any]:
    """Return one row for each class. For two classes, scikit-learn has one row for both."""
    if len(parameters) > 1:
        return np.asarray(parameters)
    return np.concatenate([-parameters, parameters]) / 2


def _cross_validated(
    features: Any,
    labels: Sequence[str],
    c: float,
    weights: Sequence[float] | None,
    balanced: bool,
) -> NDArray[Any]:
    """Return each text's logits by a regression that was not fitted on it.

    Classes may be missing from a fold's training texts, as in a company with few examples. Then
    scikit-learn's ``cross_val_predict`` raises an error or returns the lowest possible float.
    """
    from sklearn.model_selection import PredefinedSplit

    names = np.array(labels)
    classes = np.unique(names)
    logits = np.full((len(names), len(classes)), MISSING_CLASS)
    for training, held_out in PredefinedSplit(np.arange(len(names)) % FOLDS).split():
        if len(set(names[training])) < 2:  # noqa: PLR2004
            continue
        training_weights = None if weights is None else np.asarray(weights)[training]
        model = _regression(c, balanced=balanced)
        model.fit(features[training], names[training], sample_weight=training_weights)
        decisions = model.decision_function(features[held_out])
        if decisions.ndim == 1:
            decisions = np.stack([-decisions, decisions], axis=1) / 2
        logits[np.ix_(held_out, np.searchsorted(classes, model.classes_))] = decisions
    return logits
