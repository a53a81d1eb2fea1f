"""Tells what the customer wants: one linear head a language, over vectors or characters."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml
from numpy.typing import NDArray

from assistant.errors import IntentsError
from assistant.messages import Action
from knowledge.embedder import Embedder, Vectors
from knowledge.segmenter import Language, language_of

GENERAL = Path(__file__).with_name("general_intents")
LANGUAGES = ("en", "zh")
OUT_OF_SCOPE = "out_of_scope"
# The intent of "a question to some help centre", for a company that names no intents of its own.
ANY_QUESTION = "any_question"
# Chosen by cross-validation on the examples themselves; it also makes scores mean what they say:
# 0.80 on average, 81 % right on BANKING77's development rows.
INVERSE_REGULARISATION = 200.0


@dataclass(frozen=True, slots=True)
class Intent:
    """A class of messages with its examples in one language."""

    name: str
    action: Action
    article: str | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a message seems to want; scores are probabilities in [0, 1].

    ``articles`` gives each article the probability that it answers; it is None where the company
    has no intents of its own.
    """

    intent: str
    score: float
    action: Action
    article: str | None
    runner_up: str
    runner_up_score: float
    out_of_scope: float
    language: Language
    articles: Mapping[str, float] | None

    def blended_with(self, before: "Prediction") -> "Prediction":
        """Return this prediction with the mean of both messages' articles."""
        if self.articles is None or before.articles is None:
            return self
        names = {**self.articles, **before.articles}
        mean = {
            name: (self.articles.get(name, 0.0) + before.articles.get(name, 0.0)) / 2
            for name in names
        }
        return replace(self, articles=mean)


def load_intents(knowledge: Path, lang: str) -> list[Intent]:
    """Read the general intents and the company's own, from ``intents/<lang>.yml``, as one list.

    Files are Rasa NLU YAML 3.1; entries that are not intents (synonyms, lookups) are passed over.

    Raises:
        IntentsError: A file is not of that shape, or an example stands under two intents.
    """
    own = knowledge / "intents" / f"{lang}.yml"
    general = _read(GENERAL / f"{lang}.yml")
    if own.is_file():
        general = [entry for entry in general if entry["intent"] != ANY_QUESTION]
    merged: dict[str, Intent] = {}
    for entry in [*general, *(_read(own) if own.is_file() else [])]:
        known = merged.get(entry["intent"])
        merged[entry["intent"]] = _intent(entry, known)
    _refuse_ambiguous(merged.values(), own)
    return list(merged.values())


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        entries = [entry for entry in data["nlu"] if "intent" in entry]
        if all(isinstance(entry["examples"], str) for entry in entries):
            return entries
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise IntentsError(f"{file}: expected Rasa NLU YAML 3.1, found {error!r}") from None
    raise IntentsError(f"{file}: expected each intent's examples as text, one `- ` a line")


def _intent(entry: dict[str, Any], known: Intent | None) -> Intent:
    meta = entry.get("metadata") or {}
    examples = re.findall(r"^\s*-\s+(.+?)\s*$", entry["examples"], flags=re.MULTILINE)
    # Rasa marks entities as [words](name) or [words]{"entity": …}; only the words were typed.
    plain = [re.sub(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})", r"\1", line) for line in examples]
    return Intent(
        name=entry["intent"],
        action=Action(meta.get("action") or (known.action if known else Action.ANSWER)),
        article=meta.get("article") or (known.article if known else None),
        examples=(known.examples if known else ()) + tuple(plain),
    )


def _refuse_ambiguous(intents: Iterable[Intent], file: Path) -> None:
    seen: dict[str, str] = {}
    for intent in intents:
        for example in intent.examples:
            if seen.setdefault(example, intent.name) != intent.name:
                raise IntentsError(
                    f"{file}: expected each example under one intent, found {example!r} under "
                    f"{seen[example]} and {intent.name}. Remove one."
                )


class Head:
    """Multinomial logistic regression over a text's vector, or over its character n-grams."""

    def __init__(self, weights: dict[str, NDArray[np.float32]], spec: dict[str, Any]) -> None:
        """Take what ``fit`` or a file gives: arrays ``coef``, ``bias`` (and ``idf``); a spec."""
        self.labels: list[str] = spec["labels"]
        self._weights = weights
        self._spec = spec
        self._vectorizer = (
            _vectorizer(spec["vocabulary"], weights["idf"]) if spec["ngrams"] else None
        )

    @classmethod
    def fit(cls, intents: Sequence[Intent], embedder: Embedder | None) -> Self:
        """Fit on the intents' examples.

        Args:
            intents: At least two.
            embedder: What the head reads; None for character n-grams.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        texts = [example for intent in intents for example in intent.examples]
        names = [intent.name for intent in intents for _ in intent.examples]
        weights, vocabulary = {}, None
        if embedder:
            features: Any = embedder.encode_queries(texts)
        else:
            vectorizer = TfidfVectorizer(**NGRAMS).fit(texts)
            # The factor stands in for a weaker penalty: rows of n-grams have length 1 as well.
            features = vectorizer.transform(texts) * NGRAM_SCALE
            vocabulary = {term: int(row) for term, row in vectorizer.vocabulary_.items()}
            weights["idf"] = vectorizer.idf_.astype(np.float32)
        model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=500).fit(features, names)
        # safetensors writes the memory as it lies, and scikit-learn's lies column by column.
        weights["coef"] = np.ascontiguousarray(model.coef_, dtype=np.float32)
        weights["bias"] = model.intercept_.astype(np.float32)
        labels = [str(label) for label in model.classes_]
        return cls(weights, {"labels": labels, "ngrams": not embedder, "vocabulary": vocabulary})

    def predict_proba(self, text: str, vector: Vectors) -> NDArray[np.float32]:
        """Return the probability of each label, of shape (len(labels),), summing to 1."""
        if self._vectorizer is not None:
            row: Any = self._vectorizer.transform([text]) * NGRAM_SCALE
            logits = np.asarray(row @ self._weights["coef"].T)[0] + self._weights["bias"]
        else:
            logits = self._weights["coef"] @ vector + self._weights["bias"]
        exponents = np.exp(logits - logits.max())
        return np.asarray(exponents / exponents.sum(), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors`` and ``labels.json``."""
        from safetensors.numpy import save_file

        save_file(self._weights, folder / "model.safetensors")
        (folder / "labels.json").write_text(json.dumps(self._spec, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        from safetensors.numpy import load_file

        spec = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        return cls(load_file(folder / "model.safetensors"), spec)


NGRAMS: dict[str, Any] = {"analyzer": "char", "ngram_range": (1, 2), "sublinear_tf": True}
NGRAM_SCALE = 2.0


def _vectorizer(vocabulary: dict[str, int], idf: NDArray[np.float32]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(vocabulary=vocabulary, **NGRAMS)
    vectorizer.idf_ = idf
    return vectorizer


class IntentClassifier:
    """Predicts the intent of a message in the message's own language."""

    def __init__(self, intents: Mapping[str, Sequence[Intent]], heads: Mapping[str, Head]) -> None:
        """Take the intents and the fitted head of each language."""
        self._intents = {lang: {i.name: i for i in listed} for lang, listed in intents.items()}
        self._heads = dict(heads)

    @classmethod
    def open(cls, knowledge: Path, embedder: Embedder, state: Path) -> Self:
        """Load the classifier of a knowledge folder, or fit it on the examples (seconds, once).

        Raises:
            IntentsError: An intents file is wrong.
        """
        intents = {lang: load_intents(knowledge, lang) for lang in LANGUAGES}
        heads = {}
        for lang, listed in intents.items():
            reader = embedder if lang in embedder.languages else None
            where = (
                state
                / "intents"
                / _fingerprint(listed, embedder.query_name if reader else "ngrams")
            )
            if not where.exists():
                _save(Head.fit(listed, reader), where)
            heads[lang] = Head.load(where)
        return cls(intents, heads)

    def predict(self, text: str, vector: Vectors) -> Prediction:
        """Return what a message wants.

        Args:
            text: The message.
            vector: Its vector, of shape (dimension,), as retrieval uses it too.
        """
        language = language_of(text)
        lang = language if language in self._heads else "en"
        head, intents = self._heads[lang], self._intents[lang]
        scores = head.predict_proba(text, vector)
        first, second = (int(row) for row in np.argsort(-scores)[:2])
        intent = intents[head.labels[first]]
        return Prediction(
            intent=intent.name,
            score=float(scores[first]),
            action=intent.action,
            article=intent.article,
            runner_up=head.labels[second],
            runner_up_score=float(scores[second]),
            out_of_scope=float(scores[head.labels.index(OUT_OF_SCOPE)]),
            language=language,
            articles=_by_article(intents, head.labels, scores),
        )


def _by_article(
    intents: Mapping[str, Intent], labels: Sequence[str], scores: NDArray[np.float32]
) -> dict[str, float] | None:
    if ANY_QUESTION in intents:
        return None
    total: dict[str, float] = {}
    for label, score in zip(labels, scores, strict=True):
        article = intents[label].article
        if article:
            total[article] = total.get(article, 0.0) + float(score)
    return total


def _fingerprint(intents: Sequence[Intent], reader: str) -> str:
    listed = json.dumps([(i.name, i.examples) for i in intents], ensure_ascii=False)
    recipe = f"{INVERSE_REGULARISATION} {NGRAMS} {NGRAM_SCALE} {reader}"
    return hashlib.sha256(f"{recipe}\n{listed}".encode()).hexdigest()[:16]


def _save(head: Head, where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fitting-", dir=where.parent) as staging:
        built = Path(staging) / "head"
        built.mkdir()
        head.save(built)
        try:
            os.replace(built, where)
        except OSError:
            # Another process may have fitted the same head in the meantime.
            if not where.exists():
                raise
