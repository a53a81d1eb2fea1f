"""What a company's intents are and how a message scores against them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from assistant.intents.classifier_cache import fitted_classifier, trained_classifier
from assistant.intents.intent_files import OUT_OF_SCOPE, Intent, intents_files, load_all_intents
from assistant.intents.linear_classifier import Floats, LinearClassifier, probabilities
from assistant.intents.prototypes import Prototypes
from knowledge.models.embedder import Embedder, Vectors

# Logit of a name that is no intent of the message's language.
_IMPOSSIBLE = -1e9

Intents = Mapping[str, Mapping[str, Intent]]


@dataclass(frozen=True, slots=True)
class KnownIntents:
    """All that was read and fitted at one time; replaced as a whole.

    Attributes:
        intents: By language and name.
        classifier: Scores the intents that it was trained on.
        prototypes: Scores new intents and out-of-scope messages; None without trained weights.
        new: The example vectors of each intent that the classifier was not trained on.
        stamp: When the intents files were last written.
    """

    intents: Intents
    classifier: LinearClassifier
    prototypes: Prototypes | None
    new: Mapping[str, Vectors]
    stamp: tuple[float, ...]

    @classmethod
    def load(cls, knowledge: Path, embedder: Embedder, state: Path) -> Self:
        """Read the intents, with trained weights where they fit the embedder.

        Without such weights a classifier is fitted on the examples, once, within seconds.

        Raises:
            IntentsError: An intents file or the weights are wrong.
        """
        stamp = stamp_of(knowledge)
        intents = load_all_intents(knowledge)
        trained = trained_classifier(knowledge / "weights" / "intents", embedder.query_name)
        if trained is None:
            fitted = fitted_classifier(labelled(intents), embedder, state / "intents")
            return cls(intents, fitted, None, {}, stamp)
        classifier, prototypes = trained
        # Without prototypes a new intent scores nothing until the classifier is trained on it.
        new = {} if prototypes is None else _encoded(_untrained(intents, classifier), embedder)
        return cls(intents, classifier, prototypes, new, stamp)

    @property
    def names(self) -> list[str]:
        """The intents in the order of ``logits``: those of the training, then the new ones."""
        return [*self.classifier.labels, *self.new]

    def of(self, lang: str) -> Mapping[str, Intent]:
        """Return the intents of a language by name; those of English for any other."""
        return self.intents.get(lang, self.intents["en"])

    def logits(self, text: str, vector: Vectors) -> Floats:
        """Return the logit of each of ``names``, of shape (names,)."""
        logits: Floats = self.classifier.logits([text], vector[None])[0]
        if self.prototypes is None:
            return logits
        new = [self.prototypes.new_intent_logit(vector, examples) for examples in self.new.values()]
        return np.concatenate([logits, np.array(new, dtype=np.float32)], dtype=np.float32)

    def scores(self, text: str, logits: Floats, intents: Mapping[str, Intent]) -> Floats:
        """Return the probability of each of ``names``; 0 for one that is not among ``intents``."""
        allowed = np.array([name in intents for name in self.names])
        scaled = logits / self.classifier.temperature_of(text)
        return probabilities(np.where(allowed, scaled, _IMPOSSIBLE))

    def out_of_scope(self, logits: Floats, scores: Floats, vector: Vectors) -> float:
        """Return the probability, in [0, 1], that a message is out of scope."""
        reject = self.names.index(OUT_OF_SCOPE)
        if self.prototypes is None:
            return float(scores[reject])
        new = np.vstack(list(self.new.values())) if self.new else None
        return self.prototypes.out_of_scope(logits, vector, reject, new)


def labelled(intents: Intents) -> list[tuple[str, str]]:
    """Return (example, intent) of all languages, each once."""
    listed = [
        (text, intent.name)
        for by_name in intents.values()
        for intent in by_name.values()
        for text in intent.examples
    ]
    return list(dict.fromkeys(listed))


def stamp_of(knowledge: Path) -> tuple[float, ...]:
    """Return when each intents file was last written, in seconds; 0 for one that is missing."""
    files = intents_files(knowledge)
    return tuple(file.stat().st_mtime if file.is_file() else 0.0 for file in files)


def _untrained(intents: Intents, classifier: LinearClassifier) -> dict[str, list[str]]:
    examples: dict[str, list[str]] = {}
    for text, name in labelled(intents):
        if name not in classifier.labels:
            examples.setdefault(name, []).append(text)
    return examples


def _encoded(examples: Mapping[str, Sequence[str]], embedder: Embedder) -> dict[str, Vectors]:
    return {name: embedder.encode_queries(texts) for name, texts in examples.items()}
