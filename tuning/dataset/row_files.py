"""Makes training rows for the answering model: ``python -m tuning.dataset --out FOLDER``.

Help centres of many trades (``tuning/data/companies``) and, from the public data in FRONTDESK_DATA,
XQuAD and ABCD's guidelines become prompt-completion rows, rendered by the templates that serve.
``train.jsonl`` and ``dev.jsonl`` hold different companies. Rows that fail a check are left out and
counted: a figure in the completion that was not read, personal data, a prompt that stands twice or
in both parts.
"""

import argparse
import json
import random
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from tuning.dataset.answer_rows import Row

PARTS = ("train", "dev")
# Answered questions that come once more without their article.
MISSING = 0.1
# What an ablation may leave out.
LEAVABLE = ("xquad", "abcd", "unanswerable", "near", "combined", "others")


def write_rows(given: argparse.Namespace, embedder: "Embedder") -> dict[str, dict[str, object]]:
    """Write ``train.jsonl``, ``dev.jsonl`` and ``report.json``; return the report.

    Args:
        given: The command's arguments.
        embedder: Finds what lies near a question.
    """
    from assistant.writing.templates import PromptTemplate
    from tuning.atomic_files import write_json, write_text

    templates = {lang: PromptTemplate.load("answer_tuned", lang) for lang in given.languages}
    report: dict[str, dict[str, object]] = {}
    seen: set[str] = set()
    # The development rows first, so that what stands in both is left out of training.
    for part in reversed(PARTS):
        rows, refused = _checked(_made(part, given, embedder), seen)
        random.Random(given.seed).shuffle(rows)
        lines = [json.dumps(r.render(templates[r.lang]), ensure_ascii=False) for r in rows]
        write_text(given.out / f"{part}.jsonl", "".join(f"{line}\n" for line in lines))
        report[part] = _report(rows, lines, refused)
    hashes = {t.lang: f"{t.id}@{t.version}:{t.hash}" for t in templates.values()}
    whole = {**report, "templates": hashes, "seed": given.seed, "without": given.without}
    write_json(given.out / "report.json", whole)
    return report


def _made(part: str, given: argparse.Namespace, embedder: "Embedder") -> Iterator["Row"]:
    from tqdm import tqdm

    from assistant.evidence.selector import EvidenceSelector
    from tuning.companies import load_companies
    from tuning.dataset.answer_rows import RowMaker

    selector = EvidenceSelector(embedder)
    companies = [c for c in load_companies(part) if c.lang in given.languages]
    if part == "train" and "others" in given.without:
        companies = companies[:1]
    elif part == "train" and "en" in given.languages and "abcd" not in given.without:
        from tuning.dataset.abcd import abcd_company

        companies.append(abcd_company())
    for company in tqdm(companies, unit="company", desc=part):
        near = "near" not in given.without
        maker = RowMaker(company, embedder, given.seed, near=near, selector=selector)
        for row in maker.rows(missing=given.missing):
            if not _is_left_out(row.kind, given.without):
                yield row
    if part == "train" and "xquad" not in given.without:
        from tuning.dataset.xquad import xquad_rows

        for lang in given.languages:
            yield from xquad_rows(lang, embedder, given.xquad, given.seed)


def _is_left_out(kind: str, without: Sequence[str]) -> bool:
    if "unanswerable" in without and kind.startswith("decline"):
        return True
    combined = ("two_questions", "injection", "history", "follow_up")
    return "combined" in without and kind in combined


def _checked(rows: Iterable["Row"], seen: set[str]) -> "tuple[list[Row], Counter[str]]":
    """Return the rows that pass, and why the others do not.

    Args:
        rows: As made.
        seen: What stands in rows that were kept before; grows.
    """
    kept, refused = [], Counter[str]()
    for row in rows:
        read = [*(message.text for message in row.history), *(h.passage.text for h in row.hits)]
        key = " ".join([row.question, *read])
        if problem := _problem(row):
            refused[problem] += 1
        elif key in seen:
            refused["stands twice"] += 1
        else:
            seen.add(key)
            kept.append(row)
    return kept, refused


def _problem(row: "Row") -> str | None:
    from assistant.grounding.grounder import figures
    from assistant.message.safety import mask

    read = " ".join(hit.passage.text for hit in row.hits)
    if not row.completion.strip():
        return "nothing to say"
    if not figures(row.completion) <= figures(read):
        return "a figure that was not read"
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
