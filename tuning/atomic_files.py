"""Writes files and folders whole or not at all: a full disk or Ctrl-C leaves what was there."""

import json
import os
import shutil
from pathlib import Path
from typing import Any


def write_text(file: Path, text: str) -> None:
    """Write a file, and its folder where there is none, in one step.

    Raises:
        OSError: There is no room; a former file stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f"{file.name}.part")
    half.write_text(text, encoding="utf-8")
    os.replace(half, file)


def write_json(file: Path, data: Any) -> None:
    """Write data as JSON in one step; see ``write_text``."""
    write_text(file, json.dumps(data, indent=1, ensure_ascii=False))


def staged(folder: Path) -> Path:
    """Return an empty folder beside one, to fill before ``put_in_place``."""
    beside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    return beside


def put_in_place(beside: Path, folder: Path) -> None:
    """Let a filled folder take another's place; the former one gives way last."""
    former = folder.with_name(f"{folder.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    if folder.exists():
        os.replace(folder, former)
    os.replace(beside, folder)
    shutil.rmtree(former, ignore_errors=True)
