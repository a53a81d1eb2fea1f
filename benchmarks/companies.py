"""How the assistant answers for companies it has never seen: ``python -m benchmarks.companies``.

Asks the development companies of ``tuning/data/companies``, each a folder of articles without
intents or weights of its own, three kinds of questions: those of their customers, similar ones that
no article answers, and out-of-scope messages (CLINC150, CrossWOZ).
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.messages import Reply
    from tuning.companies import Company

SEED = 3
STRANGE = 60
COLUMNS = ("right", "wrong", "offered", "clarify", "decline", "other")


def main() -> int:
    """Print the table; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.companies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.companies",
    )
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    from tuning.companies import load_companies
    from tuning.public_data import is_data_missing

    if is_data_missing("companies"):
        return 2
    found: dict[tuple[str, str], Counter[str]] = {}
    for company in load_companies("dev"):
        for kind, outcome in _outcomes(company, given.state):
            found.setdefault((company.lang, kind), Counter())[outcome] += 1
    heads = "right article | wrong article | asked back, right one offered | asked back else"
    print(f"| language | messages | {heads} | declined | other |")
    print("| --- " * 8 + "|")
    for (lang, kind), counts in sorted(found.items()):
        shares = " | ".join(f"{counts[name] / counts.total():.0%}" for name in COLUMNS)
        print(f"| {lang} | {kind} ({counts.total()}) | {shares} |")
    return 0


def _outcomes(company: "Company", state: Path) -> list[tuple[str, str]]:
    from assistant.assistant import Assistant
    from assistant.config import load_settings
    from tuning.companies import as_folder

    with as_folder(company) as folder:
        assistant = Assistant.from_config(load_settings(knowledge=folder, state=state))
        titles = {article.id: article.title for article in company.articles}
        return [
            (kind, _outcome(assistant.reply(text), right, titles.get(right)))
            for kind, text, right in _messages(company)
        ]


def _messages(company: "Company") -> Sequence[tuple[str, str, str]]:
    from tuning.public_data import out_of_scope

    asked = [("answered", p.question, p.article) for p in company.pairs if p.article]
    asked += [("near", p.question, "") for p in company.pairs if not p.article]
    strange = random.Random(SEED).sample(out_of_scope(company.lang, "dev"), STRANGE)
    return asked + [("out of scope", text, "") for text in strange]


def _outcome(reply: "Reply", right: str, title: str | None) -> str:
    if title in reply.choices:
        return "offered"
    if reply.action == "answer":
        first = reply.citations[0].article if reply.citations else None
        return "right" if first == right else "wrong"
    return str(reply.action) if reply.action in COLUMNS else "other"


if __name__ == "__main__":
    sys.exit(main())
