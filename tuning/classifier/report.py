"""Reports a classifier's correct and wrong predictions: JSON, pictures, one page, a model card."""

import base64
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.intents.linear_classifier import probabilities
from knowledge.segmenter import language_of
from tuning.classifier.config import ClassifierConfig
from tuning.classifier.labelled_texts import Labelled
from tuning.metrics import calibration_error
from tuning.page_templates import render
from tuning.reliability import draw_diagonal, draw_reliability

PAGE = Path(__file__).with_name("report.html.jinja")
CARD = Path(__file__).with_name("card.md.jinja")
WORST = 10
# With more classes, a confusion matrix has small labels.
MANY = 10
MATRIX, HISTOGRAM, RELIABILITY = (
    "intent_confusion_matrix.png",
    "intent_histogram.png",
    "intent_reliability.png",
)


def write_report(
    config: ClassifierConfig,
    train: Sequence[Labelled],
    dev: Sequence[Labelled],
    labels: Sequence[str],
    logits: NDArray[np.float32],
    seconds: float,
    source: Path,
) -> dict[str, Any]:
    """Write ``report`` and ``README.md`` into the output folder; return the summary.

    Args:
        config: The configuration.
        train: The training rows.
        dev: The development rows.
        labels: The classes, in the order of the logits.
        logits: Calibrated logits of shape (len(dev), len(labels)).
        seconds: The duration of the training.
        source: The configuration's file.
    """
    folder = config.output / "report"
    folder.mkdir(parents=True, exist_ok=True)
    scores = probabilities(logits)
    predicted = [labels[row] for row in scores.argmax(axis=1)]
    sure = scores.max(axis=1)
    errors = [
        {"text": row.text, "intent": row.label, "predicted": label, "score": round(float(score), 3)}
        for row, label, score in zip(dev, predicted, sure, strict=True)
        if label != row.label
    ]
    summary = _summary(dev, predicted, sure) | {"seconds": round(seconds, 1), "train": len(train)}
    _write(folder / "intent_report.json", {**summary, "classes": _classes(dev, predicted)})
    _write(folder / "errors.json", errors)
    is_right = np.array([row.label == label for row, label in zip(dev, predicted, strict=True)])
    _draw_matrix(dev, predicted, folder / MATRIX)
    _draw_histogram(is_right, sure, folder / HISTOGRAM)
    _draw_reliability(is_right, sure, folder / RELIABILITY)
    values = {
        "config": config,
        "summary": summary,
        "pairs": _worst(errors),
        "classes": sorted({row.label for row in train}),
        "source": source,
    }
    pictures = {name: _data_url(folder / name) for name in (MATRIX, HISTOGRAM, RELIABILITY)}
    page = render(PAGE, trim=True, **values, pictures=pictures)
    (folder / "report.html").write_text(page, "utf-8")
    (config.output / "README.md").write_text(render(CARD, trim=True, **values), "utf-8")
    return summary


def _summary(
    dev: Sequence[Labelled], predicted: Sequence[str], sure: NDArray[np.float32]
) -> dict[str, Any]:
    """Return the measures of all rows, and under ``languages`` those of each language."""
    by_language: dict[str, list[int]] = {}
    for row, item in enumerate(dev):
        by_language.setdefault(language_of(item.text), []).append(row)

    def measures(rows: Sequence[int]) -> dict[str, float]:
        return _measures(
            [dev[row].label for row in rows], [predicted[row] for row in rows], sure[rows]
        )

    summary: dict[str, Any] = measures(range(len(dev)))
    summary["languages"] = {lang: measures(rows) for lang, rows in sorted(by_language.items())}
    return summary


def _measures(
    right: Sequence[str], predicted: Sequence[str], sure: NDArray[np.float32]
) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score

    hits = np.array([a == b for a, b in zip(right, predicted, strict=True)], dtype=np.float64)
    f1 = f1_score(right, predicted, average="macro", labels=sorted(set(right)))
    return {
        "rows": len(right),
        "accuracy": round(float(accuracy_score(right, predicted)), 4),
        "macro_f1": round(float(f1), 4),
        "calibration_error": round(calibration_error(sure.astype(np.float64), hits), 4),
    }


def _classes(dev: Sequence[Labelled], predicted: Sequence[str]) -> Any:
    from sklearn.metrics import classification_report

    right = [row.label for row in dev]
    return classification_report(right, list(predicted), output_dict=True, zero_division=0)


def _worst(errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the most frequent confusions with their texts."""
    counts = Counter((error["intent"], error["predicted"]) for error in errors)
    return [
        {
            "intent": right,
            "predicted": predicted,
            "count": count,
            "examples": [
                e["text"] for e in errors if (e["intent"], e["predicted"]) == (right, predicted)
            ],
        }
        for (right, predicted), count in counts.most_common(WORST)
    ]


def _draw_matrix(dev: Sequence[Labelled], predicted: Sequence[str], file: Path) -> None:
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    names = sorted({row.label for row in dev} | set(predicted))
    table = confusion_matrix([row.label for row in dev], predicted, labels=names)
    size = max(5.0, 0.16 * len(names) + 2)
    figure, axis = _figure(size, size)
    # The logarithm keeps single errors visible next to hundreds of correct predictions.
    display = ConfusionMatrixDisplay(np.log1p(table), display_labels=names)
    display.plot(
        ax=axis, cmap="Blues", include_values=False, colorbar=False, xticks_rotation="vertical"
    )
    axis.tick_params(labelsize=5 if len(names) > MANY else 9)
    axis.set(xlabel="predicted", ylabel="right", title="Confusion matrix")
    figure.savefig(file, dpi=110)


def _draw_histogram(is_right: NDArray[np.bool_], sure: NDArray[np.float32], file: Path) -> None:
    figure, axis = _figure(6, 4)
    axis.hist(
        [sure[is_right], sure[~is_right]],
        bins=20,
        range=(0, 1),
        label=["right", "wrong"],
        color=["tab:blue", "tab:orange"],
    )
    axis.set(xlabel="score", ylabel="texts", yscale="log", title="Scores of predictions")
    axis.legend()
    figure.savefig(file, dpi=110)


def _draw_reliability(is_right: NDArray[np.bool_], sure: NDArray[np.float32], file: Path) -> None:
    figure, axis = _figure(5, 5)
    draw_diagonal(axis)
    draw_reliability(axis, sure, is_right)
    axis.set(xlabel="score", ylabel="share of right predictions", title="Reliability of scores")
    figure.savefig(file, dpi=110)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _data_url(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
