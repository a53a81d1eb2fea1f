"""Explains which intent a message has: ``python -m assistant.explain "I lost my card"``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.intents.explainer import Explanation

# The characters of the longest bar: a phrase that carries the whole score.
BAR = 20


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.explain") -> int:
    """Print intent, sentiment, nearest examples and phrases; return 2 for a bad message."""
    given = _arguments(arguments, prog)
    from assistant.errors import AssistantError, InvalidMessageError
    from assistant.message import safety
    from knowledge.errors import KnowledgeError

    try:
        text = safety.check(given.message, max_characters=4000)
        if safety.is_emoji_alone(text):  # the classifier does not decide about these
            raise InvalidMessageError("Expected words, found only emoji.", "no_words")
        explanation = _explained(text, given)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"explain: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if given.json:
        print(json.dumps(dataclasses.asdict(explanation), ensure_ascii=False, indent=2))
    else:
        _print(explanation)
    return 0


def _arguments(arguments: Sequence[str] | None, prog: str) -> argparse.Namespace:
    from assistant.config import BANK

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show which intent a message has, and why.",
        epilog='Example: %(prog)s "I left my card on the bus"',
    )
    parser.add_argument("message", help="a customer's message")
    parser.add_argument(
        "--knowledge",
        type=Path,
        default=BANK,
        metavar="FOLDER",
        help="a folder with intents; default: Lantern Bank's",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help="the folder of prepared models; default: %(default)s",
    )
    parser.add_argument("--embedder", help="a folder or hub name; default: the one that ships")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args(arguments)


def _explained(text: str, given: argparse.Namespace) -> "Explanation":
    from assistant.intents.classifier import IntentClassifier
    from assistant.intents.explainer import IntentExplainer
    from knowledge.models.model_files import open_embedder

    embedder = open_embedder(given.embedder, given.state)
    classifier = IntentClassifier.open(given.knowledge, embedder, given.state)
    return IntentExplainer(classifier, embedder, given.state).explain(text)


def _print(explanation: "Explanation") -> None:
    found = explanation.prediction
    print(f"intent        {found.intent} {found.score:.2f}")
    print(f"runner-up     {found.runner_up} {found.runner_up_score:.2f}")
    print(f"out of scope  {found.out_of_scope:.2f}")
    print(f"sentiment     {found.sentiment} {found.sentiment_score:.2f}")
    print("\nthe nearest examples")
    for text, intent, cosine in explanation.nearest:
        print(f"  {cosine:.2f}  {text}  ({intent})")
    print("\nhow much the score drops without each phrase")
    for phrase, change in explanation.phrases:
        print(f"  {change:+.2f}  {'█' * round(max(change, 0) * BAR):{BAR}}  {phrase}")


if __name__ == "__main__":
    sys.exit(main())
