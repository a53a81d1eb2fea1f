"""Every command as a subcommand of one: ``frontdesk ask "I lost my card"``."""

import importlib
import subprocess
import sys

import click

# Each subcommand with the module that implements it, also started by ``python -m MODULE``, and its
# function, if that is not ``main``.
COMMANDS = {
    "serve": ("assistant.serve", "Serve the chat page and the HTTP interface."),
    "ask": ("assistant.__main__", "Answer one question, or a file of them, in the terminal."),
    "chat": ("assistant.chat", "Talk to the assistant in the terminal; the conversation is kept."),
    "index": ("knowledge.build_index", "Bring the index of a folder of documents up to date."),
    "expand": ("assistant.expand", "Write messages by which the passages are found."),
    "check": ("knowledge.check", "Find contradictions, duplicates and broken links in a folder."),
    "search": ("knowledge.search", "Show the passages retrieved for a question."),
    "articles": ("assistant.articles.__main__", "List, write and publish articles, checked first."),
    "explain": ("assistant.explain", "Show how a message is understood, and why."),
    "figures": ("assistant.figures", "Show what became of the conversations, and how fast."),
    "conversations": ("assistant.conversations", "Find conversations, or show one turn by turn."),
    "proofread": ("assistant.proofread", "Show the figures of a text that no article supports."),
    "inbox": ("assistant.inbox", "Show which conversations wait for a person, and who has which."),
    "settings": ("assistant.settings", "Show and change the settings of a server."),
    "demo": ("assistant.demo.__main__", "Show the console with invented conversations."),
    "keys": ("assistant.keys", "Make and revoke the keys of programs on other machines."),
    "users": ("assistant.users", "Add and remove the people of the company who sign in."),
    "data": ("assistant.data", "Give out, erase or purge what is kept of customers."),
    "quality": ("assistant.quality", "Show how far the assistant's probabilities can be trusted."),
    "backup": ("assistant.backup", "Copy all conversations into a file."),
    "restore": ("assistant.backup:restore", "Bring a copy of all conversations back."),
    "doctor": ("assistant.doctor", "Say what is installed, found and missing, and how fast it is."),
    "dialogues": ("tuning.dialogues", "Run canned dialogues against the assistant."),
}


class _Subcommand(click.Command):
    """A subcommand whose arguments are parsed by its module."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = args
        return args

    def invoke(self, ctx: click.Context) -> None:
        try:
            ctx.exit(_run(str(self.name), ctx.args))
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(
    epilog='Example: frontdesk ask "How much is a replacement card?"',
    context_settings={"help_option_names": ["-h", "--help"]},
    commands=[_Subcommand(name, help=summary) for name, (_, summary) in COMMANDS.items()],
)
@click.version_option(package_name="frontdesk")
def main() -> None:
    """Answer customers from a help centre: in the terminal, in a browser or over HTTP."""


def _run(name: str, arguments: list[str]) -> int:
    module, _, function = COMMANDS[name][0].partition(":")
    if module.startswith("tuning."):  # which this package must not import
        return subprocess.call([sys.executable, "-m", module, *arguments])  # noqa: S603  # ours
    run = getattr(importlib.import_module(module), function or "main")
    code: int = run(arguments, prog=f"frontdesk {name}")
    return code


if __name__ == "__main__":
    main(prog_name="python -m assistant.cli")
