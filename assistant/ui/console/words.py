"""The words of the console's pages, one file for each page and language."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

FOLDER = Path(__file__).parent / "strings"
Lang = Literal["en", "zh"]
LANGUAGES: tuple[Lang, ...] = ("en", "zh")


@cache
def words(lang: Lang) -> Mapping[str, str]:
    """Return every text of a language by its key: the page, a dot and the text's name."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob(f"*.{lang}.yml")):
        page = path.name.partition(".")[0]
        texts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        found.update({f"{page}.{name}": str(text) for name, text in texts.items()})
    return found
