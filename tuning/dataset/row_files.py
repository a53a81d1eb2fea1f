"""Collects the rows of all companies, checks them and writes them as JSON lines."""

import json
import random
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.customer_messages import Part

if TYPE_CHECKING:
    from assistant.evidence.ranker import SentenceRanker
    from knowledge.models.embedder import Embedder
    from tuning.dataset.answer_rows import Row
    from tuning.dataset.written_rows import Lang

PARTS: tuple[Part, ...] = ("train", "dev")
# The share of answered questions that are repeated without their article.
MISSING = 0.1
# What ``without`` may name: sources, kinds of rows, near distractors, all companies but one.
SKIPPABLE = ("xquad", "abcd", "customers", "written", "unanswerable", "near", "others")


def write_rows(
    out: Path,
    embedder: "Embedder",
    *,
    languages: "Sequence[Lang]",
    without: Sequence[str] = (),
    missing: float = MISSING,
    share: float = 1.0,
    seed: int = 0,
) -> dict[str, dict[str, object]]:
    """Write ``train.jsonl``, ``dev.jsonl`` and ``report.json``; return the report of each part.

    Args:
        out: The folder to write into.
        embedder: Retrieves the passages for a question.
        languages: ``en``, ``zh`` or both.
        without: What to leave out, from ``SKIPPABLE``.
        missing: The share of answered questions that are repeated without their article.
        share: The share of the companies' own questions to use.
        seed: The seed of all random choices.
    """
    from assistant.writing.templates import PromptTemplate
    from tuning.atomic_files import write_json, write_text

    templates: dict[str, PromptTemplate] = {
        lang: PromptTemplate.load("answer_tuned", lang) for lang in languages
    }
    report: dict[str, dict[str, object]] = {}
    seen: set[str] = set()
    # Development rows come first, so that a row of both parts is left out of training.
    for part in reversed(PARTS):
        made = _made(part, embedder, languages, without, missing, share, seed)
        rows, refused = _checked(made, seen)
        random.Random(seed).shuffle(rows)
        lines = [json.dumps(r.render(templates[r.lang]), ensure_ascii=False) for r in rows]
        write_text(out / f"{part}.jsonl", "".join(f"{line}\n" for line in lines))
        report[part] = _report(rows, lines, refused)
    hashes = {t.lang: f"{t.id}@{t.version}:{t.hash}" for t in templates.values()}
    facts = {"templates": hashes, "seed": seed, "without": list(without)}
    write_json(out / "report.json", {**report, **facts})
    return report


def _made(
    part: Part,
    embedder: "Embedder",
    languages: "Sequence[Lang]",
    without: Sequence[str],
    missing: float,
    share: float,
    seed: int,
) -> Iterator["Row"]:
    from tqdm import tqdm

    from assistant.evidence.ranker import SentenceRanker
    from tuning.companies import load_companies
    from tuning.dataset.answer_rows import RowMaker

    ranker = SentenceRanker.open(embedder)
    companies = [c for c in load_companies(part) if c.lang in languages]
    if part == "train" and "others" in without:
        companies = companies[:1]
    elif part == "train" and "en" in languages and "abcd" not in without:
        from tuning.dataset.abcd import abcd_company

        companies.append(abcd_company())
    near = "near" not in without
    for company in tqdm(companies, unit="company", desc=part):
        for row in RowMaker(company, embedder, seed, near=near, ranker=ranker).rows(
            missing=missing, share=share
        ):
            if "unanswerable" not in without or not row.kind.startswith("decline"):
                yield row
    for lang in languages:
        yield from _others(part, lang, embedder, ranker, without, seed)


def _others(
    part: Part,
    lang: "Lang",
    embedder: "Embedder",
    ranker: "SentenceRanker",
    without: Sequence[str],
    seed: int,
) -> Iterator["Row"]:
    """Yield the rows that come from elsewhere than the questions of companies."""
    from tuning.dataset.customer_rows import customer_rows
    from tuning.dataset.written_rows import written_rows
    from tuning.dataset.xquad import xquad_rows

    if "customers" not in without:
        yield from customer_rows(part, lang, embedder, ranker, seed)
    if "written" not in without:
        yield from written_rows(lang, part)
    if part == "train" and "xquad" not in without:
        yield from xquad_rows(lang, embedder, seed)


def _checked(rows: Iterable["Row"], seen: set[str]) -> "tuple[list[Row], Counter[str]]":
    """Return the rows that pass, and how many fail for each reason.

    Args:
        rows: The rows to check.
        seen: Question and passages of all rows that passed before; grows.
    """
    kept, refused = [], Counter[str]()
    for row in rows:
        texts = [*(message.text for message in row.history), *(h.passage.text for h in row.hits)]
        key = " ".join([row.question, *texts])
        if problem := _problem(row):
            refused[problem] += 1
        elif key in seen:
            refused["a duplicate"] += 1
        else:
            seen.add(key)
            kept.append(row)
    return kept, refused


def _problem(row: "Row") -> str | None:
    from assistant.grounding.grounder import figures
    from assistant.message.safety import mask

    passages = " ".join(hit.passage.text for hit in row.hits)
    if not row.completion.strip():
        return "an empty completion"
    if not figures(row.completion) <= figures(passages):
        return "a figure that is in no passage"
    if mask(row.question) != row.question:
        return "personal data"
    return None


def _report(
    rows: "Sequence[Row]", lines: Sequence[str], refused: Counter[str]
) -> dict[str, object]:
    declined = sum(row.kind.startswith("decline") for row in rows)
    return {
        "rows": len(rows),
        "companies": len({row.company for row in rows}),
        "languages": dict(Counter(row.lang for row in rows)),
        "kinds": dict(Counter(row.kind for row in rows).most_common()),
        "declined_share": round(declined / max(1, len(rows)), 3),
        "median_characters": statistics.median(map(len, lines)) if lines else 0,
        "longest_characters": max(map(len, lines), default=0),
        "refused": dict(refused),
    }
