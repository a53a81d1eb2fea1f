"""The assistant in the terminal: ``python -m assistant "I lost my card"``."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.messages import Message, Reply

EPILOG = """examples:
  %(prog)s "I lost my card"
  %(prog)s --json "我的卡丢了怎么办？"
  %(prog)s --knowledge ./help-centre "how do I return shoes?"
  %(prog)s --batch questions.jsonl --out replies.jsonl
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant") -> int:
    """Answer one question, or a file of them; return 2 if the input cannot be used."""
    given = _arguments(arguments, prog)
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        return _run(given)
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"assistant: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("assistant: stopped", file=sys.stderr)
        return 130


def _arguments(arguments: Sequence[str] | None, prog: str) -> argparse.Namespace:
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Ask the assistant in the terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("question", nargs="?", help="the question to answer")
    parser.add_argument("--json", action="store_true", help="print the whole reply as JSON")
    parser.add_argument(
        "--batch",
        type=Path,
        metavar="FILE",
        help='a file of JSON lines {"question": …, "history": [{"role": …, "content": …}]}; '
        "the history is optional",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file for --batch's replies")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    if (given.question is None) == (given.batch is None):
        parser.error("expected a question or --batch FILE, but not both")
    if given.batch and not given.out:
        parser.error("expected --out FILE along with --batch")
    return given


def _run(given: argparse.Namespace) -> int:
    from assistant.config import settings_of

    settings = settings_of(given)
    if given.batch:
        lines = _lines(given.batch)
        return _answer_all(_open(settings), lines, given.out)
    from assistant.message import safety

    # Reject a bad message before loading models for it.
    safety.check(given.question, settings.max_characters)
    assistant = _open(settings)
    if given.json:
        print(json.dumps(assistant.reply(given.question).to_dict(), ensure_ascii=False, indent=2))
        return 0
    for item in assistant.stream(given.question):
        if isinstance(item, str):
            print(item, end="", flush=True)
        else:
            print(_sources(item))
    return 0


def _open(settings: Any) -> "Assistant":
    from assistant.assistant import Assistant

    if not settings.state.exists():
        folder = settings.state.resolve()
        print(f"Storing prepared models and indexes in {folder}", file=sys.stderr)
    return Assistant.from_config(settings)


def _sources(reply: "Reply") -> str:
    lines = [f'  [{c.number}] {c.title} ({c.article}): "{c.quote}"' for c in reply.citations]
    return "\n" + "\n".join(lines)


def _lines(file: Path) -> list[str]:
    from assistant.errors import AssistantError

    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise AssistantError(f"Expected a UTF-8 file of JSON lines at {file}: {error}") from None


def _answer_all(assistant: "Assistant", lines: Sequence[str], out: Path) -> int:
    """Write a reply or an ``error`` for each line; return 1 if any line failed."""
    from tqdm import tqdm

    failed = 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for record in tqdm(_replies(assistant, lines), total=len(lines), unit="question"):
            failed += "error" in record
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
    if failed:
        print(
            f"assistant: {failed} of {len(lines)} lines failed; see their `error`", file=sys.stderr
        )
    return 1 if failed else 0


def _replies(assistant: "Assistant", lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    from assistant.errors import AssistantError

    for number, line in enumerate(lines, 1):
        try:
            question, history = _parse(line)
            yield {"question": question, **assistant.reply(question, history).to_dict()}
        except AssistantError as error:
            yield {"line": number, "error": str(error)}


def _parse(line: str) -> tuple[str, list["Message"]]:
    from assistant.errors import AssistantError

    try:
        row = json.loads(line)
        history = [_earlier(message) for message in row.get("history") or []]
        if isinstance(row["question"], str):
            return row["question"], history
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise AssistantError(
        'Expected {"question": "…", "history": [{"role": "user", "content": "…"}]}, '
        f"found {line[:80]!r}"
    )


def _earlier(sent: dict[str, Any]) -> "Message":
    from assistant.message.history import SentDecision, earlier_message

    decision = sent.get("frontdesk")
    return earlier_message(
        sent["role"],
        sent["content"],
        None if decision is None else SentDecision.model_validate(decision),
    )


if __name__ == "__main__":
    sys.exit(main())
