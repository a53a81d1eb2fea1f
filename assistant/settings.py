"""Shows and changes settings: ``frontdesk settings``."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.reports.setting_list import SettingLine

# Who uses this command, in the audit.
WHO = "terminal"

EPILOG = """examples:
  %(prog)s show                       what is set, and where each value comes from
  %(prog)s show --json
  %(prog)s set caution 5              a running server follows within seconds
  %(prog)s set greeting.en "Welcome! What can I look up for you?"
  %(prog)s set people '{"timezone": "Europe/London", "hours": {"monday": "08:00-18:00"}}'
  %(prog)s unset caution
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.settings") -> int:
    """Do what the command line says; return 2 if it cannot be done."""
    from assistant.config import ServeOptions, add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="The settings of a server. What is set here is kept in the database: over the "
        "file, under the environment and the command line.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    show = verbs.add_parser("show", help="show every setting; of secrets, whether they are set")
    show.add_argument("--json", action="store_true", help="print them as JSON")
    set_ = verbs.add_parser("set", help="keep a value, of a setting or of the wording")
    unset = verbs.add_parser("unset", help="let the file's value count again")
    for verb in (set_, unset):
        verb.add_argument("name", help="such as caution, people, greeting.en or saying.en.thanks")
    set_.add_argument("value", help="of people: JSON")
    for verb in (show, set_, unset):
        add_arguments(verb, ServeOptions)
    given = parser.parse_args(arguments)
    from assistant.errors import AssistantError

    try:
        print(_do(given))
    except (AssistantError, OSError) as error:
        print(f"settings: {error}", file=sys.stderr)
        return 2
    return 0


def _do(given: argparse.Namespace) -> str:
    from assistant.config import settings_of
    from assistant.reports.setting_list import setting_lines
    from assistant.store.database import Database
    from assistant.store.kept_settings import KeptSettings

    settings = settings_of(given)
    kept = KeptSettings(Database.open(settings.database_url))
    if given.verb == "set":
        kept.set(given.name, _value(given.name, given.value), WHO)
        is_fixed = given.name in type(settings).model_fields and settings.is_fixed(given.name)
        told = f"Kept: {given.name}."
        place = settings.place_of(given.name) if is_fixed else ""
        return f"{told} The {place} sets another value here, which counts." if is_fixed else told
    if given.verb == "unset":
        kept.unset(given.name, WHO)
        return f"The file's {given.name} counts again."
    rows = kept.rows()
    lines = setting_lines(settings, rows)
    wording = {name: row.value for name, row in rows.items() if not hasattr(settings, name)}
    if given.json:
        shown = {"settings": [dataclasses.asdict(line) for line in lines], "wording": wording}
        return json.dumps(shown, ensure_ascii=False, indent=1, default=str)
    return "\n".join([*map(_text, lines), *(f"{n}: {v} (console)" for n, v in wording.items())])


def _text(line: "SettingLine") -> str:
    if line.is_secret:
        return f"{line.name}: {'set' if line.value == 'yes' else 'not set'} ({line.place})"
    by = f", {line.author} on {line.created:%Y-%m-%d %H:%M}" if line.created else ""
    return f"{line.name}: {line.value} ({line.place}{by})"


def _value(name: str, given: str) -> object:
    from assistant.errors import SettingsError
    from assistant.wording import PEOPLE

    if name != PEOPLE:
        return given
    try:
        return json.loads(given)
    except ValueError as error:
        raise SettingsError(f"Expected JSON for {PEOPLE}: {error}.") from None


if __name__ == "__main__":
    sys.exit(main())
