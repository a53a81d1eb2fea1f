"""Writes files and folders whole or not at all: a full disk or Ctrl-C keeps the previous ones."""

import json
import os
import shutil
from pathlib import Path
from typing import Any


def write_text(file: Path, text: str) -> None:
    """Write a file in one step, and create its folder if it is missing.

    Raises:
        OSError: The disk is full; the previous file stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, file)


def write_json(file: Path, data: Any) -> None:
    """Write data as JSON in one step; see ``write_text``."""
    write_text(file, json.dumps(data, indent=1, ensure_ascii=False))


def staged(folder: Path) -> Path:
    """Return an empty folder next to ``folder``, to fill before ``put_in_place``."""
    staging = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    return staging


def put_in_place(staging: Path, folder: Path) -> None:
    """Move a filled folder to its final place; the previous one is deleted last."""
    previous = folder.with_name(f"{folder.name}.former")
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        os.replace(folder, previous)
    os.replace(staging, folder)
    shutil.rmtree(previous, ignore_errors=True)
