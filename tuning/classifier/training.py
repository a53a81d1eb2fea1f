"""Trains a classifier of texts: ``python -m tuning.classifier --config FILE``.

``method: head`` fits a linear head on the frozen encoder's vectors, in a minute or two; the
assistant takes it from ``weights/intents`` of a knowledge folder. ``full`` tunes all of an encoder,
``lora`` low-rank weights beside it. Written to the config's ``output``: safetensors, JSON, a model
card and, in ``report``, what it gets right and wrong on the development data, as JSON, pictures and
one page.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.generators.generator import Generator
    from assistant.intents.linear_classifier import LinearClassifier
    from knowledge.models.embedder import Embedder
    from tuning.classifier.config import ClassifierConfig
    from tuning.classifier.encoder import Tuned
    from tuning.classifier.labelled_texts import Labelled

# The share of the training rows that is held out where no development data is named.
HELD_OUT = 10


@dataclass(frozen=True, slots=True)
class Data:
    """The rows of a configuration, checked and kept apart."""

    train: "list[Labelled]"
    dev: "list[Labelled]"
    far: "list[Labelled]"
    leaked: int


def prepared(config: "ClassifierConfig") -> Data:
    """Read and check a configuration's data.

    Raises:
        DataError: It cannot be used.
    """
    from tuning.classifier.labelled_texts import check, read_all, without_held_out

    rows = read_all(config.train)
    dev, test = read_all(config.dev), read_all(config.test)
    if not dev:
        dev, rows = rows[::HELD_OUT], [row for n, row in enumerate(rows) if n % HELD_OUT]
    train = without_held_out(rows, [*dev, *test])
    if not train:
        from tuning.classifier.labelled_texts import DataError

        raise DataError("Expected training texts beside those that are held out, found none.")
    check(train, [*dev, *test])
    return Data(train, dev, read_all(config.out_of_scope), len(rows) - len(train))


def train(
    config: "ClassifierConfig", data: Data, state: Path, *, resume: bool, source: Path
) -> None:
    """Train, calibrate on the development rows, and write weights and report.

    Args:
        config: What to train.
        data: As ``prepared`` returns it.
        state: The state folder, where vectors are kept.
        resume: Whether to go on from the last checkpoint.
        source: The configuration's file, which the model card names.
    """
    from tuning.classifier.report import write_report

    begun = time.perf_counter()
    outcomes = []
    for part in config.parts():
        if part.method == "head":
            labels, logits = _train_head(part, data, state)
        else:
            labels, logits = _train_encoders(part, data, state, resume=resume)
        outcomes.append(_calibrated(logits, labels, data.dev))
        if config.members:
            _tell(f"{part.method} {part.encoder or ''}", logits, labels, data.dev)
    # A product of opinions (Hinton 2002); all members learn the same classes.
    logits = _calibrated(sum(outcomes), labels, data.dev)
    seconds = time.perf_counter() - begun
    summary = write_report(config, data.train, data.dev, labels, logits, seconds, source)
    print(
        f"development: accuracy {summary['accuracy']:.4f}, macro-F1 {summary['macro_f1']:.4f}, "
        f"calibration error {summary['calibration_error']:.3f}; {seconds:.0f} s. "
        f"Report: {config.output / 'report' / 'report.html'}"
    )


def _tell(name: str, logits: Any, labels: Sequence[str], dev: "Sequence[Labelled]") -> None:
    right = [labels[at] == row.label for at, row in zip(logits.argmax(axis=1), dev, strict=True)]
    print(f"{name}: development accuracy {sum(right) / len(right):.4f}", flush=True)


def _calibrated(logits: Any, labels: Sequence[str], dev: "Sequence[Labelled]") -> Any:
    """Return log-probabilities that come true on the development rows, for each language."""
    import numpy as np
    from scipy.special import log_softmax

    from assistant.intents.linear_classifier import temperature_for, temperatures

    right = np.array([labels.index(row.label) for row in dev])
    heat = temperatures([row.text for row in dev], logits, right)
    of_rows = [temperature_for(row.text, heat) for row in dev]
    return log_softmax(logits / np.array(of_rows)[:, None], axis=1)


def _train_head(
    config: "ClassifierConfig", data: Data, state: Path
) -> "tuple[list[str], NDArray[np.float32]]":
    import numpy as np

    from tuning.classifier.augmentation import augmented
    from tuning.classifier.fit_prototypes import fit_prototypes

    embedder = _embedder(config, state)
    generator = _generator(config, state)
    rows = augmented(data.train, config.augmentation, config.seeds[0], generator)
    rows = [*rows, *_label_names(rows, config.head.label_names)]
    texts, labels = [row.text for row in rows], [row.label for row in rows]
    dev, far = ([row.text for row in part] for part in (data.dev, data.far))
    encoded = _encoded(embedder, [*texts, *dev, *far], state, config.name)
    vectors, asked, strange = np.split(encoded, [len(texts), len(texts) + len(dev)])
    head = fit_head(config, rows, vectors, embedder.query_name)
    logits = head.logits(dev, asked)
    head = head.calibrated(dev, logits, [row.label for row in data.dev])
    if data.far:
        reject = config.out_of_scope_label
        neighbours = fit_prototypes(
            head, texts, labels, vectors, (far, strange), reject, config.seeds[0]
        )
        config.output.mkdir(parents=True, exist_ok=True)
        neighbours.save(config.output)
    head.save(config.output)
    return head.labels, logits


def fit_head(
    config: "ClassifierConfig", rows: "Sequence[Labelled]", vectors: Any, embedder: str
) -> "LinearClassifier":
    """Return the head of rows and their vectors, of shape (rows, dimension), uncalibrated."""
    from assistant.intents.linear_classifier import LinearClassifier

    return LinearClassifier.fit(
        [row.text for row in rows],
        [row.label for row in rows],
        vectors,
        embedder,
        weights=[row.weight for row in rows],
        regularisation=config.head.regularisation,
        share=config.head.terms,
        balanced=config.class_weights == "balanced",
        calibrate=False,
    )


def _train_encoders(
    config: "ClassifierConfig", data: Data, state: Path, *, resume: bool
) -> "tuple[list[str], NDArray[np.float32]]":
    import numpy as np

    from tuning.classifier.augmentation import augmented
    from tuning.classifier.encoder_training import train_encoder

    source, prompt = _source(config, state)
    texts = [row.text for row in data.dev]
    generator = _generator(config, state)
    found = []
    for seed in config.seeds:
        rows = augmented(data.train, config.augmentation, seed, generator)
        rows = [*rows, *_label_names(rows, config.head.label_names)]
        tuned = train_encoder(config, source, prompt, rows, data.dev, seed, resume=resume)
        found.append(tuned.logits(texts))
        _tell(f"{config.method} {source} seed {seed}", found[-1], tuned.labels, data.dev)
        _save(config, tuned, config.output / f"seed-{seed}")
    return list(tuned.labels), np.mean(found, axis=0)


def _save(config: "ClassifierConfig", tuned: "Tuned", folder: Path) -> None:
    """Write the encoder or its LoRA weights, the layer on top, the tokenizer and the labels."""
    import json

    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tuned.model.encoder.save_pretrained(folder)  # type: ignore[operator]
    tuned.tokenizer.save_pretrained(folder)
    save_file(
        {n: w.detach().contiguous() for n, w in tuned.model.classify.state_dict().items()},
        folder / "classify.safetensors",
    )
    about = {"labels": list(tuned.labels), "prompt": tuned.prompt, "pooling": config.pooling}
    (folder / "labels.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")


def _label_names(rows: "Sequence[Labelled]", weight: float) -> "list[Labelled]":
    from tuning.classifier.labelled_texts import Labelled

    if not weight:
        return []
    labels = sorted({row.label for row in rows})
    return [Labelled(label.replace("_", " "), label, weight, "label", 0) for label in labels]


def _embedder(config: "ClassifierConfig", state: Path) -> "Embedder":
    from knowledge.models.model_files import open_embedder

    return open_embedder(config.encoder, state)


def _generator(config: "ClassifierConfig", state: Path) -> "Generator | None":
    """Return what words paraphrases: the generator of the settings in the environment."""
    from assistant.config import load_settings
    from assistant.generators.open_generator import open_generator

    return open_generator(load_settings(state=state)) if config.augmentation.paraphrase else None


def _source(config: "ClassifierConfig", state: Path) -> tuple[str, str]:
    """Return where the encoder's weights are and what it wants before a text."""
    from knowledge.models.model_files import default_embedder_folder, encoder_source

    if config.encoder:
        return encoder_source(config.encoder, state), config.prompt or ""
    return default_embedder_folder(state), "query: " if config.prompt is None else config.prompt


def _encoded(embedder: "Embedder", texts: Sequence[str], state: Path, of: str) -> Any:
    """Return the vectors of many texts, of shape (len(texts), dimension), with a progress bar.

    Those of the last training of the same configuration are kept, so that one after a new example
    takes less.
    """
    import numpy as np
    from tqdm import tqdm

    name = hashlib.sha256(f"{of} {embedder.query_name}".encode()).hexdigest()[:12]
    kept = state / "classifier" / f"{name}.npz"
    known: dict[str, Any] = {}
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as before:
            known = dict(zip(before["texts"].tolist(), before["vectors"], strict=True))
    keys = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    # Texts of like length go together, so that little is padded.
    order = sorted(new, key=lambda key: len(new[key]))
    for at in tqdm(range(0, len(order), 256), desc="Encoding", unit="batch"):
        part = order[at : at + 256]
        known.update(zip(part, embedder.encode_queries([new[key] for key in part]), strict=True))
    vectors = np.stack([known[key] for key in keys])
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_suffix(".part")
    with half.open("wb") as file:
        np.savez(file, texts=np.array(keys), vectors=vectors)
    os.replace(half, kept)
    return vectors
