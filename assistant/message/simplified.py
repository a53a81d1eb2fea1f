"""Turns Traditional Chinese into Simplified, in which articles and networks read."""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

_CHINESE = re.compile("[\u4e00-\u9fff]")
# OpenCC keeps apart what the mainland writes with one character wherever money is meant.
_ACCOUNT = re.compile("(?<!蚊)帐(?![篷幕子])")


def simplified(text: str) -> str:
    """Return a text with Simplified characters (OpenCC); one without Chinese as it is."""
    if not _CHINESE.search(text):
        return text
    return _ACCOUNT.sub("账", str(_converter().convert(text)))


@cache
def _converter() -> "OpenCC":
    from opencc import OpenCC

    return OpenCC("t2s")
