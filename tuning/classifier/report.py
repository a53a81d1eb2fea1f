"""Tells what a classifier gets right and wrong: JSON, pictures, one page, and its model card."""

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
from tuning.metrics import BINS, calibration_error

PAGE = Path(__file__).with_name("report.html.jinja")
CARD = Path(__file__).with_name("card.md.jinja")
WORST = 10
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
        config: What was trained.
        train: The rows that it learned from.
        dev: The rows that it is judged by.
        labels: The classes, in the logits' order.
        logits: Calibrated, of shape (len(dev), len(labels)).
        seconds: How long it took.
        source: The configuration's file.
    """
    folder = config.output / "report"
    folder.mkdir(parents=True, exist_ok=True)
    scores = probabilities(logits)
    predicted = [labels[row] for row in scores.argmax(axis=1)]
    sure = scores.max(axis=1)
    errors = [
        {"text": r.text, "intent": r.label, "predicted": p, "score": round(float(s), 3)}
        for r, p, s in zip(dev, predicted, sure, strict=True)
        if p != r.label
    ]
    summary = _summary(dev, predicted, sure) | {"seconds": round(seconds, 1), "train": len(train)}
    _write(folder / "intent_report.json", {**summary, "classes": _classes(dev, predicted)})
    _write(folder / "errors.json", errors)
    _draw_matrix(dev, predicted, folder / MATRIX)
    _draw_histogram(dev, predicted, sure, folder / HISTOGRAM)
    _draw_reliability(dev, predicted, sure, folder / RELIABILITY)
    known = {
        "config": config,
        "summary": summary,
        "pairs": _worst(errors),
        "classes": sorted({row.label for row in train}),
        "source": source,
    }
    pictures = {name: _embedded(folder / name) for name in (MATRIX, HISTOGRAM, RELIABILITY)}
    (folder / "report.html").write_text(_render(PAGE, **known, pictures=pictures), "utf-8")
    (config.output / "README.md").write_text(_render(CARD, **known), "utf-8")
    return summary


def _summary(
    dev: Sequence[Labelled], predicted: Sequence[str], sure: NDArray[np.float32]
) -> dict[str, Any]:
    """Return the measures over all rows, and by language."""

    def measures(rows: Sequence[int]) -> dict[str, float]:
        from sklearn.metrics import f1_score

        right = [dev[row].label for row in rows]
        said = [predicted[row] for row in rows]
        hits = np.array([a == b for a, b in zip(right, said, strict=True)], dtype=np.float64)
        return {
            "rows": len(rows),
            "accuracy": round(float(hits.mean()), 4),
            "macro_f1": round(
                float(f1_score(right, said, average="macro", labels=sorted(set(right)))), 4
            ),
            "calibration_error": round(
                calibration_error(sure[list(rows)].astype(np.float64), hits), 4
            ),
        }

    by_language: dict[str, list[int]] = {}
    for row, item in enumerate(dev):
        by_language.setdefault(language_of(item.text), []).append(row)
    found: dict[str, Any] = measures(range(len(dev)))
    found["languages"] = {lang: measures(rows) for lang, rows in sorted(by_language.items())}
    return found


def _classes(dev: Sequence[Labelled], predicted: Sequence[str]) -> Any:
    from sklearn.metrics import classification_report

    right = [row.label for row in dev]
    return classification_report(right, list(predicted), output_dict=True, zero_division=0)


def _worst(errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    counts = Counter((error["intent"], error["predicted"]) for error in errors)
    return [
        {
            "intent": right,
            "predicted": said,
            "count": count,
            "examples": [
                e["text"] for e in errors if (e["intent"], e["predicted"]) == (right, said)
            ],
        }
        for (right, said), count in counts.most_common(WORST)
    ]


def _draw_matrix(dev: Sequence[Labelled], predicted: Sequence[str], file: Path) -> None:
    from sklearn.metrics import confusion_matrix

    names = sorted({row.label for row in dev} | set(predicted))
    table = confusion_matrix([row.label for row in dev], predicted, labels=names)
    size = max(5.0, 0.16 * len(names) + 2)
    figure, axis = _figure(size, size)
    axis.imshow(np.log1p(table), cmap="Blues")
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=5 if len(names) > 10 else 9)  # noqa: PLR2004
    axis.set_yticks(range(len(names)), names, fontsize=5 if len(names) > 10 else 9)  # noqa: PLR2004
    axis.set(xlabel="predicted", ylabel="right", title="Which is taken for which")
    figure.savefig(file, dpi=110)


def _draw_histogram(
    dev: Sequence[Labelled], predicted: Sequence[str], sure: NDArray[np.float32], file: Path
) -> None:
    is_right = np.array([a.label == b for a, b in zip(dev, predicted, strict=True)])
    figure, axis = _figure(6, 4)
    axis.hist(
        [sure[is_right], sure[~is_right]],
        bins=20,
        range=(0, 1),
        label=["right", "wrong"],
        color=["tab:blue", "tab:orange"],
    )
    axis.set(xlabel="score", ylabel="texts", yscale="log", title="How sure, right and wrong")
    axis.legend()
    figure.savefig(file, dpi=110)


def _draw_reliability(
    dev: Sequence[Labelled], predicted: Sequence[str], sure: NDArray[np.float32], file: Path
) -> None:
    is_right = np.array([a.label == b for a, b in zip(dev, predicted, strict=True)])
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    filled = [n for n in range(BINS) if (bins == n).any()]
    figure, axis = _figure(5, 5)
    axis.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    means = [(sure[bins == n].mean(), is_right[bins == n].mean()) for n in filled]
    axis.plot(*zip(*means, strict=True), "o-")
    axis.set(xlabel="score", ylabel="share of right predictions", title="Do scores come true?")
    figure.savefig(file, dpi=110)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _render(template: Path, **known: Any) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined,
        autoescape=".html" in template.name,  # noqa: S701  # the card is Markdown
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(**known)


def _embedded(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
