"""The tests; what they need comes in packages, so that none waits for a model hub."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
