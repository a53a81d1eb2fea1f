"""Fits which sentence answers, and whether any does: ``python -m tuning.evidence``.

Learned from the help centres of other trades in ``tuning/data/companies``: which sentences of what
retrieval returns hold the answer that we wrote, and which questions nothing there answers. Judged
on the development companies. Written to ``assistant/weights/evidence``, which the assistant reads.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from assistant.evidence import Read
    from assistant.evidence_features import Table
    from knowledge.embedder import Embedder
    from knowledge.lexical import LexicalIndex
    from tuning.companies import Company

FOLDS = 5
PENALTY, REGULARISATION = 1e-3, 0.3
# Of what customers ask, so much is taken to be answered nowhere in the documents.
UNANSWERED_SHARE = 0.2
FLOORS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)
CARD = """# evidence

Two linear models over what retrieval found: which sentence answers, and whether any does. Weights
by name as JSON, for the assistant's own embedder. Apache-2.0, as the project.

Repeat it:

```
python -m tuning.evidence
```

Fitted on {questions} questions to the help centres in `tuning/data/companies`, all written for this
project. On its development companies, none of which was fitted on:

{report}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the sentences that were read; ``gold`` marks those that hold the answer."""

    company: str
    lang: str
    question: str
    answerable: bool
    read: "Read"
    gold: NDArray[np.bool_]
    lexical: "LexicalIndex"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, report and write the weights."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.evidence",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.evidence --output var/evidence",
    )
    parser.add_argument("--output", type=Path, help="a folder; default: the assistant's own")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    from assistant.evidence_scorer import SHIPPED
    from knowledge.model_files import open_embedder
    from tuning.companies import load_companies
    from tuning.outputs import write_json, write_text

    embedder = open_embedder(None, given.state)
    train = cases(load_companies("train"), embedder)
    dev = cases(load_companies("dev"), embedder)
    weights = fit(train, embedder.query_name)
    report = judged(dev, weights)
    print(report)
    folder = given.output or SHIPPED.parent
    write_json(folder / SHIPPED.name, weights)
    write_text(folder / "README.md", CARD.format(questions=len(train), report=report))
    return 0


def cases(companies: "Sequence[Company]", embedder: "Embedder") -> list[Case]:
    """Return the cases of all the companies' questions, as the assistant would read them."""
    from tqdm import tqdm

    return [case for c in tqdm(companies, unit="company") for case in _of_company(c, embedder)]


def _of_company(company: "Company", embedder: "Embedder") -> Iterator[Case]:
    from assistant.evidence import EvidenceSelector
    from tuning.retrieval_data import retriever_of

    retriever, selector = retriever_of(company.articles, embedder), EvidenceSelector(embedder)
    vectors = embedder.encode_queries([pair.question for pair in company.pairs])
    for pair, vector in zip(company.pairs, vectors, strict=True):
        hits = retriever.retrieve({pair.question: vector}, company.lang)
        read = selector.read(pair.question, hits, retriever.lexical, vector)
        yield Case(
            company.id,
            company.lang,
            pair.question,
            bool(pair.article),
            read,
            _gold(pair.answer, pair.article, read),
            retriever.lexical,
        )


def _gold(answer: str, article: str, read: "Read") -> NDArray[np.bool_]:
    """Return which of the sentences hold an answer."""
    from tuning.rows import supporting_sentences

    marks = np.zeros(len(read.sentences), dtype=bool)
    if not article:
        return marks
    for passage in {id(e.passage): e.passage for e in read.sentences}.values():
        if passage.article == article:
            rows = [n for n, e in enumerate(read.sentences) if e.passage is passage]
            held = supporting_sentences(answer, passage.text, passage.lang)
            marks[[rows[n] for n in held]] = True
    return marks


def fit(train: Sequence[Case], embedder: str) -> dict[str, Any]:
    """Return the weights as ``EvidenceScorer.load`` reads them.

    Whether a question is answered is learned from sentences that were scored by weights which had
    not seen its company.
    """
    from assistant.evidence_features import QUESTION_FEATURES, SENTENCE_FEATURES
    from assistant.evidence_scorer import BIAS

    names = sorted({case.company for case in train})
    rows: dict[int, Table] = {}
    for fold in range(FOLDS):
        held = set(names[fold::FOLDS])
        weights = fit_sentences([case for case in train if case.company not in held])
        rows |= {
            number: _question_row(case, case.read.table @ weights)
            for number, case in enumerate(train)
            if case.company in held
        }
    table = np.array([rows[number] for number in range(len(train))])
    values, bias = fit_questions(table, np.array([case.answerable for case in train]))
    sentence = fit_sentences(train)
    return {
        "embedder": embedder,
        "sentence": {n: float(w) for n, w in zip(SENTENCE_FEATURES, sentence, strict=True)},
        "question": {n: float(w) for n, w in zip(QUESTION_FEATURES, values, strict=True)}
        | {BIAS: bias},
    }


def fit_sentences(train: Sequence[Case]) -> "Table":
    """Return the weights of ``SENTENCE_FEATURES`` under which the right sentences are likeliest.

    A softmax over the sentences of one question (listwise; Cao et al. 2007), whose right ones share
    the likelihood.
    """
    import torch

    known = [case for case in train if case.gold.any()]
    table = np.concatenate([case.read.table for case in known])
    centre, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    features = torch.tensor((table - centre) / spread)
    gold = torch.tensor(np.concatenate([case.gold for case in known]))
    owner = torch.tensor(np.repeat(np.arange(len(known)), [len(case.gold) for case in known]))
    weights = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def shared(scores: torch.Tensor, owners: torch.Tensor) -> torch.Tensor:
        """Return the logarithm of each question's sum of exponents."""
        return (
            torch.zeros(len(known), dtype=torch.float64).scatter_add(0, owners, scores.exp()).log()
        )

    def loss() -> torch.Tensor:
        search.zero_grad()
        scores = features @ weights
        scores = scores - scores.max().detach()
        lost = (shared(scores, owner) - shared(scores[gold], owner[gold])).mean()
        lost = lost + PENALTY * weights.square().sum()
        lost.backward()  # type: ignore[no-untyped-call]
        return lost

    search.step(loss)  # type: ignore[no-untyped-call]
    return np.asarray(weights.detach().numpy() / spread)


def fit_questions(table: "Table", answerable: NDArray[np.bool_]) -> tuple["Table", float]:
    """Return the weights of ``QUESTION_FEATURES``, and the bias, that tell answerable questions.

    Args:
        table: Of shape (questions, features).
        answerable: Of shape (questions,).
    """
    from sklearn.linear_model import LogisticRegression

    centre, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    share = UNANSWERED_SHARE / (1 - UNANSWERED_SHARE)
    counts = np.where(answerable, 1.0, share * answerable.sum() / (~answerable).sum())
    model = LogisticRegression(C=REGULARISATION, max_iter=3000)
    model.fit((table - centre) / spread, answerable, sample_weight=counts)
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ centre)


def _question_row(case: Case, scores: "Table") -> "Table":
    from assistant.evidence_features import question_features

    return question_features(case.question, case.read.table, scores, case.read.hits, case.lexical)


def judged(dev: Sequence[Case], weights: dict[str, Any]) -> str:
    """Return a report in Markdown of what weights are worth on cases that they have not seen."""
    from sklearn.metrics import roc_auc_score

    from assistant.evidence_scorer import EvidenceScorer

    scorer = EvidenceScorer(weights["sentence"], weights["question"])
    lines = [
        "| language | questions | right sentence first | nearest first | among two | AUROC of "
        "answerable | of the hit's score |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    floors = []
    for lang in sorted({case.lang for case in dev}):
        own = [case for case in dev if case.lang == lang]
        known = [case for case in own if case.answerable]
        order = [np.argsort(-scorer.sentences(case.read.table)) for case in known]
        first, two = (
            np.mean([c.gold[o[:n]].any() for c, o in zip(known, order, strict=True)])
            for n in (1, 2)
        )
        nearest = np.mean([case.gold[np.argmax(case.read.table[:, 0])] for case in known])
        said = np.array(
            [
                scorer.answerable(_question_row(case, scorer.sentences(case.read.table)))
                for case in own
            ]
        )
        hit = np.array([max(h.score for h in case.read.hits) for case in own])
        truth = np.array([case.answerable for case in own])
        lines.append(
            f"| {lang} | {len(known)} and {len(own) - len(known)} unanswered | {first:.2f} | "
            f"{nearest:.2f} | {two:.2f} | {roc_auc_score(truth, said):.2f} | "
            f"{roc_auc_score(truth, hit):.2f} |"
        )
        for floor in FLOORS:
            lost, passed = (said[truth] < floor).mean(), (said[~truth] >= floor).mean()
            floors.append(f"| {lang} | {floor:.2f} | {lost:.3f} | {passed:.3f} |")
    lines += ["", "| language | floor | answerable below | unanswered above |"]
    return "\n".join([*lines, "| --- | --- | --- | --- |", *floors])


if __name__ == "__main__":
    sys.exit(main())
