"""Reads the public data sets, which stay outside the project, from the folder FRONTDESK_DATA."""

import csv
import os
import re
from pathlib import Path


def data_folder() -> Path:
    """Return the folder that FRONTDESK_DATA names.

    Raises:
        FileNotFoundError: The variable is not set, or names no folder.
    """
    named = os.environ.get("FRONTDESK_DATA")
    if named and Path(named).is_dir():
        return Path(named)
    raise FileNotFoundError(
        f"Expected the folder of public data sets in FRONTDESK_DATA, found {named!r}. "
        f"Set it, for example: FRONTDESK_DATA=~/data"
    )


def banking77(part: str) -> list[tuple[str, str]]:
    """Return (question, intent) of BANKING77's own training file.

    Args:
        part: "train", without the development rows; or "dev", DialoGLUE's split of the same file.
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
    """Return messages that are none of a bank's: CLINC150 in English, CrossWOZ in Chinese.

    Args:
        lang: "en" or "zh".
        part: "train" or "dev"; CrossWOZ is cut into halves.
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


def intent_name(label: str) -> str:
    """Return BANKING77's label as we write it: lower case, without the question mark."""
    return label.lower().replace("?", "")


def _rows(name: str) -> list[dict[str, str]]:
    with (data_folder() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _key(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
