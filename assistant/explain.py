"""Explains which intent a message has: ``python -m assistant.explain "I lost my card"``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.intents.explainer import Explanation

# The characters of the longest bar: a phrase that carries the whole score.
BAR = 20


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.explain") -> int:
    """Print what is decided first, intent, sentiment, nearest examples and phrases.

    Returns:
        2 for a bad message or what cannot be used, 130 after Ctrl-C, else 0.
    """
    given = _arguments(arguments, prog)
    from assistant.errors import AssistantError, InvalidMessageError
    from assistant.message import safety
    from knowledge.errors import KnowledgeError

    try:
        text = safety.check(given.message, max_characters=4000)
        if safety.is_emoji_alone(text):  # the classifier does not decide about these
            raise InvalidMessageError("Expected words, found only emoji.", "no_words")
        explanation, risks = _explained(text, given)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"explain: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if given.json:
        shown = {**dataclasses.asdict(explanation), "risks": risks}
        print(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _print_first(risks)
        _print(explanation)
    return 0


def _arguments(arguments: Sequence[str] | None, prog: str) -> argparse.Namespace:
    from assistant.config import BANK

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show what is decided first, which intent a message has, and why.",
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


def _explained(text: str, given: argparse.Namespace) -> "tuple[Explanation, Mapping[str, float]]":
    """Return the explanation of the intent, and the probabilities of the risks."""
    from assistant.intents.classifier import IntentClassifier
    from assistant.intents.explainer import IntentExplainer
    from assistant.intents.risks import ORDINARY, RiskClassifier
    from knowledge.models.model_files import open_embedder

    embedder = open_embedder(given.embedder, given.state)
    classifier = IntentClassifier.open(given.knowledge, embedder, given.state)
    explanation = IntentExplainer(classifier, embedder, given.state).explain(text)
    risks = RiskClassifier.open(embedder)
    return explanation, risks.predict(text) if risks else ORDINARY


def _print_first(risks: "Mapping[str, float]") -> None:
    """Print the likeliest risk, and what it decides before intents and articles are asked."""
    from assistant.policy import GeneralPolicy
    from assistant.routing import Router

    likeliest = max(risks, key=risks.__getitem__)
    route = Router(GeneralPolicy()).of_risk(risks)
    decided = f"{route.action} because of {route.reason}" if route else "nothing"
    print(f"risk          {likeliest} {risks[likeliest]:.2f}, decides {decided}")


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
