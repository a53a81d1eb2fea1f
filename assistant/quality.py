"""Shows how far the assistant can be trusted: ``frontdesk quality``."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.store.database import Database

EPILOG = """examples:
  %(prog)s trust     of answers given at 80 %%, how many were right
  %(prog)s caution --to 6     what another caution would have done in the last days
  %(prog)s runs --json     what the console has measured
  %(prog)s adapters     what words answers, and what the gate decided
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.quality") -> int:
    """Print what the command line asks for; return 2 if it cannot be read."""
    given = _parser(prog).parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        figures, lines = _told(given)
    except (AssistantError, OSError) as error:
        print(f"quality: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures, ensure_ascii=False, indent=1, default=str) if given.json else lines)
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="How far the assistant can be trusted, by what is kept.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    trust = verbs.add_parser("trust", help="of the judged answers, how many were right")
    caution = verbs.add_parser("caution", help="what another caution would have done")
    caution.add_argument("--to", type=float, required=True, help="the other caution, 0.5 to 100")
    caution.add_argument("--days", type=int, default=30, help="default: %(default)s")
    runs = verbs.add_parser("runs", help="what evaluations found out, the latest first")
    shown = verbs.add_parser("adapters", help="what words answers, and what the gate decided")
    for verb in (trust, caution, runs):
        verb.add_argument("--demo", action="store_true", help="of what was invented to show it")
    for verb in (trust, caution, runs, shown):
        verb.add_argument("--json", action="store_true", help="print JSON")
        add_arguments(verb)
    return parser


def _told(given: argparse.Namespace) -> tuple[Any, str]:
    """Return what is asked for, as JSON can hold it and as lines."""
    from assistant.config import settings_of
    from assistant.store.database import Database

    settings = settings_of(given)
    if given.verb == "adapters":
        return _adapters(settings)
    database = Database.open(settings.database_url)
    if given.verb == "trust":
        return _trust(database, demo=given.demo)
    if given.verb == "caution":
        return _caution(database, settings, given)
    return _runs(database, demo=given.demo)


def _trust(database: "Database", *, demo: bool) -> tuple[Any, str]:
    from dataclasses import asdict

    from assistant.reports.trust import FEWEST, trust_curve

    trust = trust_curve(database, demo=demo)
    lines = []
    for bucket in trust.buckets:
        if not bucket.judged:
            continue
        low, high = bucket.interval
        said = f"{bucket.share:.0%} right, 95 % interval {low:.0%} to {high:.0%}"
        said = said if bucket.is_enough else f"fewer than {FEWEST}: too few to tell"
        lines.append(f"{bucket.low:.0%} to {bucket.high:.0%}: {bucket.judged} judged, {said}")
    if trust.unknown:
        lines.append(f"{trust.unknown} judged answers have no probability: they are older than it.")
    return asdict(trust), "\n".join(lines) or "Nobody has judged an answer yet."


def _caution(
    database: "Database", settings: "Settings", given: argparse.Namespace
) -> tuple[Any, str]:
    from dataclasses import asdict

    from assistant.config import checked
    from assistant.reports.caution import preview

    then = float(checked("caution", given.to))
    seen = preview(database, (settings.caution, then), days=given.days, demo=given.demo)
    told = seen.replies - seen.unknown
    lines = [f"caution {seen.now:g}: {seen.answered} of {told} messages are answered"]
    for name, change in (("more", seen.more), ("fewer", seen.fewer)):
        lines.append(
            f"caution {then:g}: {change.replies} {name}, of which {change.thumbs_down} with a "
            f"thumb down and {change.thumbs_up} with a thumb up"
        )
    lines.append(f"of {seen.unknown} of {seen.replies} messages it cannot be told")
    return asdict(seen), "\n".join(lines)


def _runs(database: "Database", *, demo: bool) -> tuple[Any, str]:
    from dataclasses import asdict

    from assistant.reports.evaluations import DIALOGUES, QUESTIONS, evaluations

    found = {kind: evaluations(database, kind, demo=demo) for kind in (DIALOGUES, QUESTIONS)}
    lines = [
        f"{point.created:%Y-%m-%d %H:%M} run {point.run}, {kind}: {point.name} {point.share:.0%} "
        f"({point.interval})"
        for kind, points in found.items()
        for point in points
    ]
    figures = {kind: [asdict(point) for point in points] for kind, points in found.items()}
    return figures, "\n".join(lines) or "Nothing was run from the console yet."


def _adapters(settings: "Settings") -> tuple[Any, str]:
    from dataclasses import asdict

    from assistant.reports.adapters import adapters

    there = adapters(settings)
    lines = [f"serving: {there.serving or 'none, answers are extractive'}"]
    lines += [f"trained: {one.folder}" for one in there.candidates]
    for one in there.decisions:
        lines.append(f"{one.at:%Y-%m-%d %H:%M} {one.candidate}: {one.verdict}")
        lines += [f"  {reason}" for reason in one.reasons]
        lines += [f"  fails now: {name}" for name in one.broken]
        lines += [f"  passes now: {name}" for name in one.mended]
    return asdict(there), "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
