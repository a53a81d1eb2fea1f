"""Compares the strategies: ``python -m tuning.evaluate --out FOLDER``.

Asks the whole assistant the questions of the question sets, once per strategy, and judges the
replies by key facts, forbidden facts and the cited article. The sets ask Lantern Bank and companies
on which nothing was trained. --customers adds messages as customers really type them: sets
lantern-en-customers, lantern-zh-customers and one per help centre.

Conversations as customers type them are played turn by turn with the replies that were given, and
each later turn is asked once more alone, in words that need no conversation. Their sets end in
-talks; --customers adds those of the folder. Canned dialogues are played as well.

Shares have Wilson's 95 % intervals. Each strategy is also compared with the first one on the same
questions, with a paired bootstrap.

Writes evaluation.json and report.html, a self-contained page. --choose also writes the meaning of
the strategy auto into the state folder.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.evaluate.dialogue_files import DIALOGUES
from tuning.evaluate.judged_replies import STRATEGIES, JudgedReply, evaluate

if TYPE_CHECKING:
    from assistant.config import Settings
    from tuning.evaluate.conversation_sets import ConversationSet
    from tuning.evaluate.conversations import JudgedTurn
    from tuning.evaluate.played_dialogues import PlayedDialogue
    from tuning.question_sets import QuestionSet

EXAMPLES = """\
examples:
  python -m tuning.evaluate --strategies tuned extractive --out var/eval
  python -m tuning.evaluate --strategies extractive --customers $FRONTDESK_DATA/customers
  python -m tuning.evaluate --strategies extractive --sets lantern-en-talks companies-en-talks
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate and report; return 2 if something cannot be used."""
    from assistant.config import settings_of
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    given = _parser().parse_args(arguments)
    try:
        settings = settings_of(given)
        judged, played, turns = _measure(given, settings)
        _report(judged, played, turns, given.out)
        if given.json:
            from tuning.atomic_files import write_json
            from tuning.evaluate.report import figures

            write_json(given.json, figures(judged, played, turns))
        if given.choose:
            from tuning.evaluate.auto_strategy import write_choices

            print(f"auto: {write_choices(judged, settings)}")
    except (ValueError, AssistantError, KnowledgeError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    print(f"Wrote evaluation.json and report.html to {given.out}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog="python -m tuning.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "--strategies",
        nargs="+",
        default=list(STRATEGIES),
        metavar="STRATEGY",
        help="the others are compared with the first one; default: %(default)s",
    )
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="default: every set")
    parser.add_argument(
        "--customers",
        type=Path,
        metavar="PATH",
        help="a folder of customers' messages, usually $FRONTDESK_DATA/customers; those for "
        "development are asked, too",
    )
    parser.add_argument("--no-conversations", action="store_true", help="play no conversations")
    parser.add_argument(
        "--plain-history",
        action="store_true",
        help="keep only role and text of earlier messages in conversations and dialogues, as many "
        "clients do",
    )
    parser.add_argument(
        "--dialogues",
        type=Path,
        metavar="FOLDER",
        help="canned dialogues for the articles of --knowledge; default: Lantern Bank's, if every "
        "set is asked",
    )
    parser.add_argument(
        "--limit",
        type=int,
        help="use at most this many questions or conversations of each set, and dialogues",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("var/evaluation"), help="default: %(default)s"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the tables' figures alone to FILE"
    )
    parser.add_argument("--choose", action="store_true", help="update the strategy auto")
    add_arguments(parser)
    return parser


def _measure(
    given: argparse.Namespace, settings: "Settings"
) -> "tuple[list[JudgedReply], list[PlayedDialogue], list[JudgedTurn]]":
    from tuning.evaluate.conversations import Way, play_conversations
    from tuning.evaluate.dialogue_files import load_dialogues
    from tuning.question_sets import QuestionsError

    if unknown := set(given.strategies) - {*STRATEGIES, "auto"}:
        raise QuestionsError(f"Expected strategies among {STRATEGIES}, found {sorted(unknown)}.")
    folder = given.dialogues or _own_dialogues(given.sets, settings)
    dialogues = load_dialogues(folder)[: given.limit] if folder else []
    # All is read before anything is asked, which takes long.
    questions, conversations = _sets(given)
    judged = [
        reply
        for entry in questions
        for reply in evaluate(entry, settings, given.strategies, given.limit)
    ]
    way = Way(plain_history=given.plain_history)
    turns = [
        turn
        for entry in conversations
        for turn in play_conversations(entry, settings, given.strategies, given.limit, way)
    ]
    if not dialogues:
        return judged, [], turns
    from assistant.assistant import Assistant
    from tuning.evaluate.played_dialogues import play

    assistant = Assistant.from_config(settings)
    plain = given.plain_history
    return judged, play(assistant, dialogues, given.strategies, plain_history=plain), turns


def _sets(given: argparse.Namespace) -> "tuple[list[QuestionSet], list[ConversationSet]]":
    """Return the sets of questions and of conversations, or those of them that are named."""
    from tuning.evaluate.conversation_sets import conversation_set_names, load_conversation_sets

    if given.no_conversations:
        return _question_sets(given.sets, given.customers), []
    others = conversation_set_names(given.customers)
    names = given.sets and [name for name in given.sets if name not in others]
    questions = _question_sets(names, given.customers)
    return questions, load_conversation_sets(given.sets, given.customers)


def _question_sets(names: Sequence[str] | None, customers: Path | None) -> "list[QuestionSet]":
    """Return the shipped sets and the customers', or those of them that are named."""
    from tuning.evaluate.customer_sets import customer_sets
    from tuning.question_sets import load_question_sets

    theirs = {entry.name: entry for entry in (customer_sets(customers) if customers else [])}
    if names is None:
        return [*load_question_sets(), *theirs.values()]
    shipped = load_question_sets([name for name in names if name not in theirs])
    return shipped + [theirs[name] for name in names if name in theirs]


def _own_dialogues(sets: Sequence[str] | None, settings: "Settings") -> Path | None:
    from assistant.config import BANK

    is_whole = sets is None and settings.knowledge == BANK and DIALOGUES.is_dir()
    return DIALOGUES if is_whole else None


def _report(
    judged: Sequence[JudgedReply],
    played: "Sequence[PlayedDialogue]",
    turns: "Sequence[JudgedTurn]",
    out: Path,
) -> None:
    from tuning.evaluate.conversation_tables import conversation_tables
    from tuning.evaluate.outcomes import outcome_tables
    from tuning.evaluate.report import write_report
    from tuning.evaluate.tables import dialogue_table, gain_table, summarise

    write_report(judged, played, out, turns)
    tables = [summarise(judged).table(), *outcome_tables(judged), gain_table(judged)]
    tables += [*conversation_tables(turns), dialogue_table(played)]
    print("\n\n".join(table for table in tables if table))


if __name__ == "__main__":
    sys.exit(main())
