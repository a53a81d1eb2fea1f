"""Explains how a message is understood: ``python -m assistant.explain "I lost my card"``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.findings import Findings
    from assistant.intents.explainer import Explanation

# The characters of the longest bar: a phrase that carries the whole score.
BAR = 20


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.explain") -> int:
    """Print the decision and its rule, intent, sentiment, nearest examples and phrases.

    Returns:
        2 for a bad message or what cannot be used, 130 after Ctrl-C, else 0.
    """
    given = _arguments(arguments, prog)
    if given.rules:
        _print_rules()
        return 0
    from assistant.errors import AssistantError, InvalidMessageError
    from assistant.message import safety
    from knowledge.errors import KnowledgeError

    try:
        text = safety.check(given.message, max_characters=4000)
        if safety.is_emoji_alone(text):  # the classifier does not decide about these
            raise InvalidMessageError("Expected words, found only emoji.", "no_words")
        findings, explanation = _explained(text, given)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"explain: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if given.json:
        decided = {
            "route": dataclasses.asdict(findings.route),
            "risks": findings.message.risks,
        }
        shown = {**dataclasses.asdict(explanation), **decided}
        print(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _print_decision(findings)
        _print(explanation)
    return 0


def _arguments(arguments: Sequence[str] | None, prog: str) -> argparse.Namespace:
    from assistant.config import BANK

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show what a reply would do, by which rule, and which intent a message has.",
        epilog='Example: %(prog)s "I left my card on the bus"',
    )
    parser.add_argument("message", nargs="?", default="", help="a customer's message")
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
    parser.add_argument(
        "--rules", action="store_true", help="print the table of decisions and exit"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args(arguments)


def _explained(text: str, given: argparse.Namespace) -> "tuple[Findings, Explanation]":
    """Return what the assistant finds out about a first message, and why it has its intent."""
    from assistant.assistant import Assistant
    from assistant.config import load_settings
    from assistant.intents.explainer import IntentExplainer

    settings = load_settings(
        knowledge=given.knowledge,
        state=given.state,
        embedder=given.embedder,
        strategy="extractive",
    )
    assistant = Assistant.from_config(settings)
    explainer = IntentExplainer(
        assistant.listener.intents, assistant.listener.embedder, given.state
    )
    return assistant.consider(text), explainer.explain(text)


def _print_rules() -> None:
    """Print the table of decisions with the thresholds in force."""
    from assistant.policy import FittedPolicy, GeneralPolicy
    from assistant.routing.rules import RULES

    for number, rule in enumerate(RULES, 1):
        print(f"{number:2}  {rule.name:9} if {rule.applies}: {rule.decides}")
        for name in rule.thresholds:
            values = {getattr(policy, name) for policy in (FittedPolicy, GeneralPolicy)}
            print(f"{'':14}{name} {' or '.join(f'{value:g}' for value in sorted(values))}")
        print(f"{'':14}{rule.why}")


def _print_decision(findings: "Findings") -> None:
    """Print what the reply does, the rule that decides so, and the likeliest risk."""
    route, risks = findings.route, findings.message.risks
    likeliest = max(risks, key=risks.__getitem__)
    urgent = ", urgent" if route.urgent else ""
    print(f"reply         {route.action} because of {route.reason}{urgent}")
    print(f"rule          {route.rule}")
    print(f"risk          {likeliest} {risks[likeliest]:.2f}")


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
