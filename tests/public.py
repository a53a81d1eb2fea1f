"""The public data sets, where this machine has them."""

import os
from pathlib import Path

import pytest


def data() -> Path:
    """Return the folder of public data sets, or skip the test."""
    folder = os.environ.get("FRONTDESK_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("FRONTDESK_DATA names no folder of public data sets")
    return Path(folder)
