"""Reads the public data sets, which are not part of the project, from FRONTDESK_DATA."""

import csv
import itertools
import json
import os
import re
import sys
from pathlib import Path

from tuning.json_lines import read_json_lines


def data_folder() -> Path:
    """Return the folder that the environment variable FRONTDESK_DATA names.

    Raises:
        FileNotFoundError: The variable is not set, or there is no such folder.
    """
    folder = os.environ.get("FRONTDESK_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    raise FileNotFoundError(
        f"Expected the folder of public data sets in FRONTDESK_DATA, found {folder!r}. "
        f"Set it, for example: FRONTDESK_DATA=~/data"
    )


def is_data_missing(command: str) -> bool:
    """Return whether the public data is missing; if so, print what the user has to do."""
    try:
        data_folder()
    except FileNotFoundError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return True
    return False


def banking77(part: str) -> list[tuple[str, str]]:
    """Return (question, intent) of BANKING77's training file.

    Args:
        part: "dev" for DialoGLUE's development split of that file; "train" for all other rows.
    """
    rows = _rows("fewshot_intents/fewshot_intents.csv")
    dev = [r for r in rows if r["dataset"] == "BANKING77" and r["split"] == "valid"]
    if part == "dev":
        return [(row["text"], intent_name(row["label"])) for row in dev]
    held_out = {_key(row["text"]) for row in dev}
    return [
        (row["text"], intent_name(row["category"]))
        for row in _rows("banking77/train.csv")
        if _key(row["text"]) not in held_out
    ]


def out_of_scope(lang: str, part: str) -> list[str]:
    """Return messages that no bank can answer: CLINC150's in English, CrossWOZ's in Chinese.

    Args:
        lang: "en" or "zh".
        part: "train" or "dev"; each is one half of CrossWOZ.
    """
    if lang == "en":
        split = {"train": "train", "dev": "val"}[part]
        rows = _rows("clinc150/clinc150.csv")
        return [r["text"] for r in rows if r["intent"] == "oos" and r["split"] == split]
    rows = _rows("crosswoz_zh_user/user_turns.csv")
    texts = [
        next(v for k, v in row.items() if k in ("text", "utterance", "content")) for row in rows
    ]
    return texts[::2] if part == "train" else texts[1::2]


def clinc150(part: str) -> list[tuple[str, str]]:
    """Return CLINC150's (text, intent) of "train" or "val", without out-of-scope texts."""
    rows = _rows("clinc150/clinc150.csv")
    kept = [row for row in rows if row["split"] == part and row["intent"] != "oos"]
    return [(row["text"], row["intent"]) for row in kept]


def xquad(lang: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return XQuAD's passages by id, and (question, id of its passage), in "en" or "zh".

    Both languages have the same order of passages and questions.
    """
    folder = data_folder() / "xquad_en_zh"
    passages = {
        str(row["id"]): row["text"] for row in read_json_lines(folder / f"contexts_{lang}.jsonl")
    }
    asked = read_json_lines(folder / f"questions_{lang}.jsonl")
    return passages, [(row["question"], str(row["context_id"])) for row in asked]


def xquad_answers(lang: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return XQuAD's passages by id, and (question, id of its passage, its first answer)."""
    passages, _ = xquad(lang)
    rows = read_json_lines(data_folder() / "xquad_en_zh" / f"questions_{lang}.jsonl")
    return passages, [(r["question"], str(r["context_id"]), r["answers"][0]) for r in rows]


def abcd_articles() -> dict[str, tuple[str, str]]:
    """Return the title and text of ABCD's guidelines, as one article per flow, by flow name."""
    file = data_folder() / "abcd_policies" / "guidelines.json"
    articles = {}
    for category, about in json.loads(file.read_text(encoding="utf-8")).items():
        for name, flow in about["subflows"].items():
            steps = [[step["text"], *step["subtext"]] for step in flow["actions"]]
            lines = [about["description"], *flow["instructions"], *itertools.chain(*steps)]
            articles[name] = (f"{category}: {name}", "\n\n".join(line for line in lines if line))
    return articles


def intent_name(label: str) -> str:
    """Return a BANKING77 label as the intent files write it: lower case, no question mark."""
    return label.lower().replace("?", "")


def _rows(name: str) -> list[dict[str, str]]:
    with (data_folder() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _key(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
