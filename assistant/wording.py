"""What a company may reword: its opening hours, its greeting and the assistant's fixed sentences.

Each has a name: ``people``, ``greeting.en``, ``saying.zh.thanks``.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from assistant.company import People
from assistant.errors import SettingsError
from assistant.writing.templates import Sayings

LANGUAGES = ("en", "zh")
PEOPLE = "people"
# Characters of a text; longer is no sentence for a chat.
LONGEST = 1000
# What fills the gaps of a saying in a preview, by language.
EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Replace a card",
        "part": "How much is a new card?",
        "minutes": "4",
        "day": "Monday",
        "time": "08:00",
        "zone": "Europe/London",
    },
    "zh": {
        "title": "补换卡",
        "part": "补卡多少钱？",
        "minutes": "4",
        "day": "周一",
        "time": "08:00",
        "zone": "Europe/London",
    },
}


@cache
def original_sayings() -> Mapping[str, Mapping[str, str]]:
    """Return the sayings of the files, by language and name."""
    return {lang: dict(found.sayings) for lang, found in Sayings.load_all().items()}


def check_wording(name: str, value: Any) -> Any:
    """Return a value as it is kept.

    Raises:
        SettingsError: There is no such name, or the value is wrong.
    """
    if name == PEOPLE:
        return _people(value)
    kind, _, rest = name.partition(".")
    lang, _, saying = rest.partition(".")
    known = original_sayings().get(lang, {})
    if kind == "greeting" and lang in LANGUAGES and not saying:
        return _text(name, value)
    if kind == "saying" and saying in known:
        text = _text(name, value)
        _must_have_gaps(name, text, gaps_of(known[saying]))
        return text
    raise SettingsError(f"Expected the name of a setting that can be changed, found {name!r}.")


def gaps_of(text: str) -> frozenset[str]:
    """Return the names of the gaps of a sentence, such as company for ``{{ company }}``.

    Raises:
        SettingsError: It holds more than words and gaps: nothing of it is to be run.
    """
    from jinja2 import Environment, TemplateSyntaxError, nodes

    try:
        parsed = Environment(autoescape=False).parse(text)  # noqa: S701  # nothing is rendered
    except TemplateSyntaxError as error:
        raise SettingsError(
            f"Expected text with gaps such as {{{{ company }}}}: {error.message}.", key="braces"
        ) from None
    found = set()
    for node in parsed.body:
        parts = node.nodes if isinstance(node, nodes.Output) else [node]
        for part in parts:
            if isinstance(part, nodes.Name):
                found.add(part.name)
            elif not isinstance(part, nodes.TemplateData):
                raise SettingsError(
                    "Expected text with gaps such as {{ company }} and nothing else in braces.",
                    key="braces",
                )
    return frozenset(found)


def _must_have_gaps(name: str, text: str, wanted: frozenset[str]) -> None:
    found = gaps_of(text)
    if found != wanted:
        raise SettingsError(
            f"{name}: expected {_listed(wanted)}, found {_listed(found)}.",
            key="gaps" if wanted else "no_gaps",
            wanted=" ".join(f"{{{{ {gap} }}}}" for gap in sorted(wanted)),
        )


def _listed(gaps: frozenset[str]) -> str:
    return " and ".join(f"{{{{ {gap} }}}}" for gap in sorted(gaps)) or "no gaps"


def _text(name: str, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > LONGEST:
        raise SettingsError(
            f"{name}: expected a text of 1 to {LONGEST:,} characters, found {len(text):,}.",
            key="text_length",
            most=f"{LONGEST:,}",
            found=f"{len(text):,}",
        )
    return text


def _people(value: Any) -> Any:
    try:
        return People.model_validate(value).model_dump()
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors()
        )
        where = {str(issue["loc"][0]) for issue in error.errors() if issue["loc"]}
        key = f"people_{where.pop()}" if len(where) == 1 else "people"
        raise SettingsError(f"{PEOPLE}: {said}", key=key) from None
