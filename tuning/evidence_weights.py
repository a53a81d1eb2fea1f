"""Fits what a sentence is worth: ``python -m tuning.evidence_weights``.

Reads development questions with their hits as the assistant does, and fits by maximum likelihood
how a sentence's reading, its hit's score and its span score add up, and when any sentence answers:
on customers' messages and tidy questions, with a fifth of each taken to be unanswered; on the later
turns of conversations apart, with a tenth. ``--across`` fits instead what serves questions to
articles in the other language, on written rows, with two fifths. The report measures halves of the
questions with weights fitted on the other half.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuning.evidence_questions import EvidenceQuestion, read_across, read_questions

if TYPE_CHECKING:
    from assistant.evidence.evidence_weights import EvidenceWeights

# The assumed share of first messages that the documents do not answer, and of later ones: who was
# answered once goes on about the same.
UNANSWERED_SHARE, UNANSWERED_LATER = 0.2, 0.1
# Across languages the networks tell answers apart less well, so a quote must be likelier.
UNANSWERED_ACROSS = 0.4
# Against weights that a few questions would drive to infinity.
PENALTY = 1e-3
LANGUAGES = ("en", "zh")
# Of the probability that what is quoted answers, in the report.
THRESHOLDS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6)
# The weights of a sentence, and those of "what is quoted answers".
SENTENCE = ("reading", "hit", "span", "repeated", "cited", "said")
BEST = ("best_reading", "best_hit", "best_share", "best_bias")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, report and write.

    Returns:
        1 if something cannot be used, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tuning.evidence_weights",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.evidence_weights --dry-run",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument(
        "--across",
        action="store_true",
        help="fit those of questions to the other language's articles",
    )
    parser.add_argument("--dry-run", action="store_true", help="report, but write no weights")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what was read, as JSON")
    options = parser.parse_args(arguments)
    from assistant.config import load_settings
    from assistant.errors import AssistantError
    from assistant.evidence.evidence_weights import WEIGHTS_FILE
    from knowledge.errors import KnowledgeError
    from tuning.atomic_files import write_json

    try:
        settings = load_settings(state=options.state)
        read = read_across if options.across else read_questions
        questions = [q for lang in options.languages for q in read(settings, lang)]
    except (AssistantError, KnowledgeError, ValueError, OSError) as error:
        print(f"evidence_weights: {error}", file=sys.stderr)
        return 1
    if options.save:
        write_json(options.save, [_as_row(question) for question in questions])
    table = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
    for lang in options.languages:
        for later in (False,) if options.across else (False, True):
            asked = [q for q in questions if (q.lang, q.later) == (lang, later)]
            table |= _fitted(lang, asked, across=options.across)
            print("\n".join(_report(lang, asked)))
    if not options.dry_run:
        write_json(WEIGHTS_FILE, table)
    return 0


def _fitted(
    lang: str, asked: Sequence[EvidenceQuestion], *, across: bool
) -> dict[str, dict[str, float]]:
    """Return the weights of a language by their names in the table."""
    from assistant.evidence.evidence_weights import across_key, key

    if across:
        return {across_key(lang): asdict(fit(asked))}
    later = asked[0].later
    bare = [_without_spans(question) for question in asked]
    table = {key(lang, spans=False, later=later): asdict(fit(bare))}
    if any(question.span.any() for question in asked):
        table[key(lang, spans=True, later=later)] = asdict(fit(asked))
    return table


def _without_spans(question: EvidenceQuestion) -> EvidenceQuestion:
    """Return a question as if no span embedder had read; its hits' scores still know of one."""
    any_reading, any_hit, _ = question.features
    none = np.zeros_like(question.span)
    return replace(question, span=none, features=(any_reading, any_hit, 0.0))


def fit(questions: Sequence[EvidenceQuestion]) -> "EvidenceWeights":
    """Return the most likely weights of right sentences and of "any sentence answers"."""
    from assistant.evidence.evidence_weights import EvidenceWeights

    # A passage that the second network left out cannot answer.
    found = _fit_sentences([q for q in questions if np.isfinite(q.read[q.gold]).any()])
    sentence = EvidenceWeights(**dict(zip(SENTENCE, map(float, found), strict=True)))
    any_reading, any_hit, any_span, bias = _fit_any(questions)
    best = _fit_best(questions, sentence)
    fitted = replace(
        sentence,
        any_reading=any_reading,
        any_hit=any_hit,
        any_span=any_span,
        bias=bias,
        **dict(zip(BEST, best, strict=True)),
    )
    return EvidenceWeights(**{n: round(float(value), 4) for n, value in asdict(fitted).items()})


def _fit_sentences(questions: Sequence[EvidenceQuestion]) -> NDArray[np.float64]:
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    from assistant.evidence.evidence_weights import EvidenceWeights

    shares = _shares(questions)

    def loss(weights: NDArray[np.float64]) -> float:
        total = PENALTY * float(weights @ weights)
        shown = EvidenceWeights(**dict(zip(SENTENCE, weights, strict=True)))
        for question, share in zip(questions, shares, strict=True):
            logits = sentence_logits(question, shown)
            total += share * (logsumexp(logits) - logsumexp(logits[question.gold]))
        return total

    # Nothing that is found for a sentence speaks against it.
    start = [0.5, 0.5, 0.2, 0.2, 0.2, 0.2]
    found = minimize(loss, x0=start, bounds=[(0, None)] * len(start), method="L-BFGS-B")
    return np.asarray(found.x)


def sentence_logits(question: EvidenceQuestion, weights: "EvidenceWeights") -> NDArray[np.float64]:
    """Return each sentence's logit by the weights of ``SENTENCE``."""
    was_read = np.isfinite(question.read)
    logits = weights.reading * question.read[was_read]
    logits += weights.hit * question.hit[was_read] + weights.span * question.span[was_read]
    logits -= weights.repeated * question.repeated[was_read]
    logits += weights.cited * question.cited[was_read] - weights.said * question.said[was_read]
    found = np.full(len(was_read), -np.inf)
    found[was_read] = logits
    return found


def quoted_of(question: EvidenceQuestion, weights: "EvidenceWeights") -> tuple[list[int], float]:
    """Return which sentences would be quoted, and the log-odds of their share among all."""
    from scipy.special import softmax

    from assistant.evidence.reader import log_odds
    from assistant.evidence.selection import quoted_together

    shares = softmax(sentence_logits(question, weights))
    quoted = quoted_together(shares, question.articles)
    return quoted, log_odds(float(shares[quoted].sum()))


def _fit_any(questions: Sequence[EvidenceQuestion]) -> NDArray[np.float64]:
    features = np.array([question.features for question in questions])
    return _logistic(features, questions, np.array([q.answered for q in questions]))


def _fit_best(
    questions: Sequence[EvidenceQuestion], weights: "EvidenceWeights"
) -> NDArray[np.float64]:
    """Return weights and constant of "what is quoted answers"."""
    features, right = [], []
    for question in questions:
        quoted, share = quoted_of(question, weights)
        any_reading, any_hit, _ = question.features
        features.append((any_reading, any_hit, share))
        right.append(question.gold[quoted].any())
    return _logistic(np.array(features), questions, np.array(right))


def _logistic(
    features: NDArray[np.float64],
    questions: Sequence[EvidenceQuestion],
    right: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return weights and constant of a logistic function, at the assumed share of unanswered."""
    from sklearn.linear_model import LogisticRegression

    answered = np.array([question.answered for question in questions])
    shares = _shares(questions)
    share = _unanswered_share(questions[0])
    assumed = np.where(answered, 1 - share, share)
    found = np.where(answered, shares[answered].sum(), shares[~answered].sum())
    spread = features.std(axis=0) + 1e-9
    model = LogisticRegression(C=1 / PENALTY).fit(
        features / spread, right, sample_weight=shares * assumed / found * len(questions)
    )
    return np.concatenate([model.coef_[0] / spread, model.intercept_])


def _unanswered_share(question: EvidenceQuestion) -> float:
    if question.source.endswith("across"):
        return UNANSWERED_ACROSS
    return UNANSWERED_LATER if question.later else UNANSWERED_SHARE


def _shares(questions: Sequence[EvidenceQuestion]) -> NDArray[np.float64]:
    """Return each question's share of the likelihood: tidy ones and messages count half each."""
    tidy = np.array([question.source.endswith("tidy") for question in questions])
    shares = np.where(tidy, 0.5 / max(1, tidy.sum()), 0.5 / max(1, (~tidy).sum()))
    return np.asarray(shares, np.float64)


def _report(lang: str, questions: Sequence[EvidenceQuestion]) -> Iterator[str]:
    """Yield what weights that were fitted on the other half achieve, by set and by threshold."""
    from sklearn.metrics import roc_auc_score

    rows: dict[str, list[tuple[float, ...]]] = {}
    for half in (0, 1):
        weights = fit(questions[1 - half :: 2])
        for question in questions[half::2]:
            quoted, share = quoted_of(question, weights)
            any_reading, any_hit, _ = question.features
            likely = weights.answerable(*question.features)
            sure = min(likely, weights.best(any_reading, any_hit, share))
            right, gold = question.right[quoted[0]], question.gold[quoted].any()
            row = (question.answered, right, gold, likely, sure)
            rows.setdefault(question.source, []).append(tuple(map(float, row)))
    yield f"\n{lang}: {fit(questions)}"
    for source, listed in rows.items():
        answered, right, gold, likely, _ = np.array(listed, float).T
        known = answered == 1
        auroc = roc_auc_score(answered, likely) if 0 < known.sum() < len(known) else float("nan")
        yield (
            f"{source}: {known.sum()} answered, article {right[known].mean():.2f}, quoted "
            f"{gold[known].mean():.2f}, AUROC of any {auroc:.3f}"
        )
    answered, _, gold, _, sure = np.array([row for of in rows.values() for row in of], float).T
    known = answered == 1
    for threshold in THRESHOLDS:
        said = sure >= threshold
        yield (
            f"from {threshold:.2f} on: right {(gold * said)[known].mean():.2f}, wrong "
            f"{((1 - gold) * said)[known].mean():.2f}; of the unanswered {said[~known].mean():.2f}"
        )


def _as_row(question: EvidenceQuestion) -> dict[str, Any]:
    row = asdict(question)
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in row.items()}


if __name__ == "__main__":
    sys.exit(main())
