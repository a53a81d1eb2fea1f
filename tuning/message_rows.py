"""Makes the rows that teach a generator to write messages: ``python -m tuning.message_rows``.

A row is a passage of a help centre with messages, as customers type them, that it answers. A
generator trained on them writes such messages for passages that nobody has asked about, and search
finds the passages by these (doc2query, Nogueira et al. 2019, arXiv 1904.08375). Train it:
``python -m tuning.sft --config tuning/configs/messages_en.yaml``.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.writing.templates import PromptTemplate
    from tuning.customer_messages import HelpCentre

LANGUAGES = ("en", "zh")
# Messages of a row; a passage with more of them has several rows.
MESSAGES = 8
# The share of passages whose rows a training is judged by.
DEVELOPMENT = 0.04


def main(arguments: Sequence[str] | None = None) -> int:
    """Write ``train.jsonl`` and ``dev.jsonl``.

    Returns:
        1 if the messages cannot be read or the rows cannot be written, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tuning.message_rows",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m tuning.message_rows --language zh "
        "--out var/rows/messages-zh",
    )
    parser.add_argument("--language", choices=LANGUAGES, required=True, help="of the messages")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--seed", type=int, default=0, help="of the order; default: %(default)s")
    options = parser.parse_args(arguments)
    from assistant.writing.message_writer import LEARNT
    from knowledge.errors import KnowledgeError
    from tuning.atomic_files import write_json, write_text

    try:
        dev, train = make_rows(options.language, options.seed)
        for name, part in (("dev", dev), ("train", train)):
            lines = [json.dumps(row, ensure_ascii=False) for row in part]
            write_text(options.out / f"{name}.jsonl", "".join(f"{line}\n" for line in lines))
        write_json(options.out / LEARNT, learnt([*dev, *train]))
    except (KnowledgeError, ValueError, OSError) as error:
        print(f"message_rows: {error}", file=sys.stderr)
        return 1
    print(f"{len(train)} rows to train on and {len(dev)} to judge by in {options.out}")
    return 0


def learnt(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the sorted hashes of the rows' messages: a writer must not say them by heart."""
    from assistant.writing.message_writer import hash_message

    texts = [row["completion"][0]["content"] for row in rows]
    return sorted({hash_message(line) for text in texts for line in text.splitlines()})


def make_rows(lang: str, seed: int = 0) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of all help centres, shuffled: those to judge by, and those to train on.

    All rows of a passage are in the same part.

    Args:
        lang: "en" or "zh".
        seed: Of the order of rows, and of the messages in them.
    """
    from assistant.writing.templates import PromptTemplate
    from tuning.customer_messages import help_centres

    template = PromptTemplate.load("messages", lang)
    chance = random.Random(seed)
    of_passage = [rows for c in help_centres("train", lang) for rows in _rows(c, template, chance)]
    chance.shuffle(of_passage)
    held = max(1, round(DEVELOPMENT * len(of_passage)))
    parts = of_passage[:held], of_passage[held:]
    dev, train = ([row for rows in part for row in rows] for part in parts)
    chance.shuffle(train)
    return dev, train


def _rows(
    centre: "HelpCentre", template: "PromptTemplate", chance: random.Random
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each passage that has messages."""
    from knowledge.documents import Hit
    from tuning.span_embedder.cases import Corpus, cases_of

    corpus = Corpus.of(centre.name, centre.articles)
    asked: dict[int, list[str]] = {}
    for case in cases_of(centre, corpus):
        if case.passage >= 0:
            asked.setdefault(case.passage, []).append(" ".join(case.question.split()))
    for number, messages in asked.items():
        chance.shuffle(messages)
        prompt = template.render("", [Hit(corpus.passages[number], 1.0)])
        yield [
            _row(prompt, messages[start : start + MESSAGES])
            for start in range(0, len(messages), MESSAGES)
        ]


def _row(prompt: Any, messages: Sequence[str]) -> dict[str, Any]:
    completion = [{"role": "assistant", "content": "\n".join(messages)}]
    return {"prompt": prompt, "completion": completion, "kind": "messages"}


if __name__ == "__main__":
    sys.exit(main())
