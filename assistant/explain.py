"""Why a message is understood as it is: ``python -m assistant.explain "I lost my card"``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.intents.classifier import Explanation

# The longest bar, for a phrase that carries the whole score.
BAR = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Print intent, mood, nearest examples and what each phrase did; 2 for a bad message."""
    from assistant.config import BANK

    parser = argparse.ArgumentParser(
        prog="python -m assistant.explain",
        description="Tell which intent a message has, and why.",
        epilog='Example: python -m assistant.explain "I left my card on the bus"',
    )
    parser.add_argument("message", help="what a customer typed")
    parser.add_argument("--knowledge", type=Path, default=BANK, help="default: the bank")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument("--embedder", help="a folder or hub name; default: the one that ships")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError
    from assistant.message import safety
    from knowledge.errors import KnowledgeError

    try:
        text = safety.check(given.message, max_characters=4000)
        told = _explained(text, given)
    except (AssistantError, KnowledgeError) as error:
        print(f"explain: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(dataclasses.asdict(told), ensure_ascii=False, indent=2))
    else:
        _print(told)
    return 0


def _explained(text: str, given: argparse.Namespace) -> "Explanation":
    from assistant.intents.classifier import IntentClassifier
    from knowledge.models.model_files import open_embedder

    embedder = open_embedder(given.embedder, given.state)
    return IntentClassifier.open(given.knowledge, embedder, given.state).explain(text)


def _print(told: "Explanation") -> None:
    found = told.prediction
    print(f"intent        {found.intent} {found.score:.2f}")
    print(f"runner-up     {found.runner_up} {found.runner_up_score:.2f}")
    print(f"out of scope  {found.out_of_scope:.2f}")
    print(f"mood          {found.sentiment} {found.sentiment_score:.2f}")
    print("\nthe nearest examples")
    for text, intent, cosine in told.nearest:
        print(f"  {cosine:.2f}  {text}  ({intent})")
    print("\nwhat the score loses without each phrase")
    for phrase, change in told.phrases:
        print(f"  {change:+.2f}  {'█' * round(max(change, 0) * BAR):{BAR}}  {phrase}")


if __name__ == "__main__":
    sys.exit(main())
