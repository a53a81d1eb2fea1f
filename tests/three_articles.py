"""A knowledge folder of three short articles with a passage each, and a canned dialogue."""

from pathlib import Path

CARD, FEE, ROOM = "A card costs five pounds.", "The fee is two pounds.", "Rooms open at noon."
# A canned dialogue of theirs.
DIALOGUE = """test_cases:
  - test_case: the price of a card
    metadata: {language: en, bucket: plain, critical: true}
    steps:
      - user: "how much does a card cost?"
        assertions:
          - bot_uttered: {text_matches: "five pounds"}
"""


def write_articles(docs: Path) -> Path:
    """Write the articles into a new folder and return it."""
    docs.mkdir()
    for name, text in (("card", CARD), ("fee", FEE), ("room", ROOM)):
        (docs / f"{name}.md").write_text(text)
    return docs
