"""Reads intents files in Rasa NLU YAML 3.1, with the file and line of each example."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from assistant.errors import IntentsError
from assistant.messages import Action

GENERAL = Path(__file__).with_name("general")
LANGUAGES = ("en", "zh")
OUT_OF_SCOPE = "out_of_scope"
# The intent of any question to a help centre, for a company without intents of its own.
ANY_QUESTION = "any_question"

# The top-level keys of Rasa's training files. Only ``nlu`` is read.
_TOP = {"version", "nlu", "stories", "rules", "responses", "intents", "entities", "slots"}
_TOP |= {"actions", "forms", "session_config", "e2e_actions"}
_KINDS = {"intent", "synonym", "regex", "lookup"}
_ENTRY = {*_KINDS, "examples", "metadata"}
_METADATA = {"action", "article", "description"}
# The similarity from which an unknown key of the metadata counts as a typing error.
_TYPING_ERROR = 0.75
_EXAMPLE = re.compile(r"^\s*-\s+(.+?)\s*$")
# Rasa marks entities as [words](name) or [words]{"entity": …}. Only the words count.
_ENTITY = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True, slots=True)
class Example:
    """An example message with its file and line."""

    text: str
    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Intent:
    """A class of messages with its examples in one language.

    ``article`` is the id of the article that answers, if one does.
    """

    name: str
    action: Action
    article: str | None
    description: str | None
    located_examples: tuple[Example, ...]

    @property
    def examples(self) -> tuple[str, ...]:
        """The texts of the examples."""
        return tuple(example.text for example in self.located_examples)


def load_intents(knowledge: Path, lang: str) -> list[Intent]:
    """Return the general intents and those of the company's ``intents/<lang>.yml``.

    Raises:
        IntentsError: A file is not valid, an intent has no examples, or two intents share one.
    """
    company_file = knowledge / "intents" / f"{lang}.yml"
    intents = {intent.name: intent for intent in read_intents(GENERAL / f"{lang}.yml")}
    if company_file.is_file():
        intents.pop(ANY_QUESTION, None)
        intents |= {intent.name: intent for intent in read_intents(company_file, intents)}
    _refuse_ambiguous(intents.values())
    return list(intents.values())


def load_all_intents(knowledge: Path) -> dict[str, dict[str, Intent]]:
    """Return the intents by language and name.

    Intents that a company defines in one language only count in the other, too.

    Raises:
        IntentsError: As for ``load_intents``.
    """
    defined = [lang for lang in LANGUAGES if (knowledge / "intents" / f"{lang}.yml").is_file()]
    intents = {lang: {i.name: i for i in load_intents(knowledge, lang)} for lang in LANGUAGES}
    for lang in LANGUAGES:
        if defined and lang not in defined:
            intents[lang].pop(ANY_QUESTION, None)
            intents[lang] = {**intents[defined[0]], **intents[lang]}
    return intents


def intents_files(knowledge: Path) -> list[Path]:
    """Return the paths of a company's intents files, which need not exist."""
    return [knowledge / "intents" / f"{lang}.yml" for lang in LANGUAGES]


def read_intents(file: Path, known: Mapping[str, Intent] | None = None) -> Iterator[Intent]:
    """Yield the intents of a file. Synonyms, lookups and regular expressions are skipped.

    Args:
        file: A file in Rasa NLU YAML 3.1.
        known: Intents by name. An intent of the same name in the file adds its examples, and
            inherits the metadata that the file does not set.

    Raises:
        IntentsError: The file is not valid, or an intent has no examples.
    """
    root = _composed(file)
    _refuse_unknown(root, _TOP, file)
    for entry in _entries(_child(root, "nlu", file), file):
        _refuse_unknown(entry, _ENTRY, file)
        keys = {key.value: value for key, value in entry.value}
        if not keys.keys() & _KINDS:
            raise _wrong(file, entry, f"an entry with one of {_names(_KINDS)}", _names(keys))
        if "intent" in keys:
            yield _intent(keys, entry, file, (known or {}).get(str(keys["intent"].value)))


def _intent(
    keys: Mapping[str, yaml.Node], entry: yaml.Node, file: Path, known: Intent | None
) -> Intent:
    name = str(keys["intent"].value)
    examples = tuple(_examples(keys.get("examples"), name, entry, file))
    if not examples:
        raise _wrong(file, entry, f"at least one example under {name}", "none")
    meta = _metadata(keys.get("metadata"), file)
    try:
        action = Action(meta.get("action") or (known.action if known else Action.ANSWER))
    except ValueError:
        raise _wrong(file, entry, f"an action of {_names(Action)}", meta["action"]) from None
    return Intent(
        name,
        action,
        meta.get("article") or (known.article if known else None),
        meta.get("description") or (known.description if known else None),
        (known.located_examples if known else ()) + examples,
    )


def _examples(node: yaml.Node | None, name: str, entry: yaml.Node, file: Path) -> Iterator[Example]:
    if node is None:
        return
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(file, node, f"the examples of {name} as text, one `- ` a line", node.tag)
    # Only a block, which starts below its `|`, has one example on each line of the file.
    is_block = node.style == "|"
    first = node.start_mark.line + (2 if is_block else 1)
    for row, line in enumerate(str(node.value).splitlines()):
        example = _EXAMPLE.match(line)
        if example:
            text = _ENTITY.sub(r"\1", example.group(1))
            yield Example(text, file, first + row if is_block else first)
        elif line.strip():
            raise _wrong(file, entry, f"`- ` before each example of {name}", repr(line.strip()))


def _metadata(node: yaml.Node | None, file: Path) -> dict[str, str]:
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(file, node, "metadata as `key: value` lines", node.tag)
    for key, _ in node.value:
        similar = difflib.get_close_matches(str(key.value), _METADATA, 1, _TYPING_ERROR)
        if similar and key.value not in _METADATA:
            raise _wrong(file, key, f"{similar[0]!r}", f"the unknown key {key.value!r}")
    return {str(k.value): str(v.value) for k, v in node.value if k.value in _METADATA}


def _refuse_ambiguous(intents: Iterable[Intent]) -> None:
    seen: dict[str, tuple[str, Example]] = {}
    for intent in intents:
        for example in intent.located_examples:
            name, first = seen.setdefault(example.text, (intent.name, example))
            if name != intent.name:
                raise IntentsError(
                    f"{example.file}, line {example.line}: expected each example under one intent, "
                    f"found {example.text!r} under {intent.name} and, in {first.file}, line "
                    f"{first.line}, under {name}. Remove one."
                )


def _composed(file: Path) -> yaml.Node:
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
        raise IntentsError(f"{file}: expected Rasa NLU YAML 3.1, found {problem}") from None
    if not isinstance(root, yaml.MappingNode):
        raise IntentsError(f"{file}: expected Rasa NLU YAML 3.1, found no `key: value` lines.")
    return root


def _child(root: yaml.Node, name: str, file: Path) -> yaml.Node:
    for key, value in root.value:
        if key.value == name:
            return value  # type: ignore[no-any-return]
    raise IntentsError(f"{file}: expected Rasa NLU YAML 3.1 with the key {name!r}, found none.")


def _entries(node: yaml.Node, file: Path) -> Sequence[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _wrong(file, node, "a list of intents", node.tag)
    for entry in node.value:
        if not isinstance(entry, yaml.MappingNode):
            raise _wrong(file, entry, "`intent:` and `examples:`", repr(entry.value))
    return list(node.value)


def _refuse_unknown(node: yaml.Node, known: Iterable[str], file: Path) -> None:
    for key, _ in node.value:
        if key.value not in set(known):
            raise _wrong(file, key, f"one of {_names(known)}", f"the unknown key {key.value!r}")


def _wrong(file: Path, node: yaml.Node, expected: str, found: str) -> IntentsError:
    line = node.start_mark.line + 1
    return IntentsError(f"{file}, line {line}: expected {expected}, found {found}.")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(str(name) for name in names))
