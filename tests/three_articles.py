"""A knowledge folder of three short articles with a passage each."""

from pathlib import Path

CARD, FEE, ROOM = "A card costs five pounds.", "The fee is two pounds.", "Rooms open at noon."


def write_articles(docs: Path) -> Path:
    """Write the articles into a new folder and return it."""
    docs.mkdir()
    for name, text in (("card", CARD), ("fee", FEE), ("room", ROOM)):
        (docs / f"{name}.md").write_text(text)
    return docs
