"""Plays customers' conversations turn by turn and judges each reply, once per strategy.

Each later turn is asked once more, alone and in words that need no conversation. The difference is
what the assistant loses because a customer relies on what was said before.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.messages import Action, Message, Reply
from tuning.evaluate.conversation_sets import Conversation, ConversationSet, Turn
from tuning.evaluate.judged_replies import is_possible, score_of, timed_reply, with_sources
from tuning.metrics import judge_reply, unsupported_figures

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.config import Settings

# The actions that are right where no answer is expected.
RIGHT_ACTIONS = {
    "decline": (Action.DECLINE, Action.HANDOFF),
    "small_talk": (Action.SMALL_TALK,),
    "handoff": (Action.HANDOFF,),
}


@dataclass(frozen=True, slots=True)
class Way:
    """How conversations are played.

    ``plain_history``: the history keeps only role and text, as many clients do. ``alone``: each
    later turn is also asked alone.
    """

    plain_history: bool = False
    alone: bool = True


@dataclass(frozen=True, slots=True)
class JudgedTurn:
    """The reply to one turn of a conversation under one strategy, with what is true of it.

    ``line`` is the conversation's in its file, from 1; ``number`` is the turn's, from 0.
    ``first_word`` is in seconds since the message. ``alone`` is the wording that needs no
    conversation, with the reply to it and its outcome; "" if it was not asked.
    """

    set: str
    lang: str
    strategy: str
    line: int
    number: int
    kind: str
    expected: str
    question: str
    reply: str
    action: str
    outcome: str
    unsupported: int
    first_word: float
    alone: str = ""
    alone_reply: str = ""
    alone_outcome: str = ""

    @property
    def is_later(self) -> bool:
        """Whether a turn came before."""
        return self.number > 0

    def score(self, caution: float) -> float:
        """Return 1 for a right reply, ``-caution`` for a wrong answer, 0 for any other."""
        return score_of(self.outcome, caution)

    def as_row(self) -> dict[str, Any]:
        """Return what ``evaluation.json`` stores."""
        return asdict(self)


def play_conversations(
    conversations: ConversationSet,
    settings: "Settings",
    strategies: Sequence[str],
    limit: int | None = None,
    way: Way = Way(),
) -> list[JudgedTurn]:
    """Play a set's conversations once per strategy and judge the replies.

    Args:
        conversations: The set; their articles replace the settings' ``knowledge``.
        settings: Of the assistant.
        strategies: Names; those that the generator does not support in the set's language are
            left out.
        limit: The maximum number of conversations.
        way: How they are played.
    """
    from tqdm import tqdm

    companies: dict[Path, list[Conversation]] = defaultdict(list)
    for conversation in conversations.conversations[:limit]:
        companies[conversation.articles].append(conversation)
    judged: list[JudgedTurn] = []
    total = sum(map(len, companies.values()))
    with tqdm(total=total, desc=conversations.name, unit="conversation") as bar:
        for group in companies.values():
            for turns in _play_company(group, settings, strategies, way):
                judged += turns
                bar.update()
    return judged


def _play_company(
    group: Sequence[Conversation], settings: "Settings", strategies: Sequence[str], way: Way
) -> Iterator[list[JudgedTurn]]:
    """Yield the turns of each conversation; all are with the same company."""
    from assistant.assistant import Assistant
    from tuning.question_sets import knowledge_folder

    with knowledge_folder(group[0].articles) as folder:
        assistant = Assistant.from_config(settings.model_copy(update={"knowledge": folder}))
        possible = [s for s in strategies if is_possible(assistant, s, group[0].lang)]
        for conversation in group:
            yield [
                turn
                for strategy in possible
                for turn in play_and_judge(assistant, conversation, strategy, way)
            ]


def play_and_judge(
    assistant: "Assistant",
    conversation: Conversation,
    strategy: str,
    way: Way = Way(),
) -> Iterator[JudgedTurn]:
    """Play one conversation with the replies that were given, and judge each."""
    history: list[Message] = []
    for number, turn in enumerate(conversation.turns):
        reply, first_word, _ = timed_reply(assistant, turn.question, history, strategy)
        alone = assistant.reply(turn.alone, (), strategy) if number and way.alone else None
        yield JudgedTurn(
            set=conversation.set,
            lang=conversation.lang,
            strategy=strategy,
            line=conversation.line,
            number=number,
            kind=turn.kind,
            expected=turn.expected,
            question=turn.question,
            reply=with_sources(reply),
            action=str(reply.action),
            outcome=outcome_of(turn, reply),
            unsupported=len(unsupported_figures(reply)),
            first_word=first_word,
            alone=turn.alone if alone else "",
            alone_reply=with_sources(alone) if alone else "",
            alone_outcome=outcome_of(turn, alone) if alone else "",
        )
        said = Message("assistant", reply.text) if way.plain_history else reply.message()
        history += [Message("user", turn.question), said]


def outcome_of(turn: Turn, reply: Reply) -> str:
    """Return what became of a turn: one of the ``OUTCOMES`` of ``tuning.evaluate.outcomes``."""
    if _is_right(turn, reply):
        return "right"
    if reply.action is Action.ANSWER:
        return "answered wrongly"
    return "asked back" if reply.action is Action.CLARIFY else "declined wrongly"


def _is_right(turn: Turn, reply: Reply) -> bool:
    if turn.expect in RIGHT_ACTIONS:
        return reply.action in RIGHT_ACTIONS[turn.expect]
    if turn.expect == "clarify_or_answer" and reply.action is Action.CLARIFY:
        return True
    verdict = judge_reply(turn.as_row(), reply)
    is_cited = verdict.right_article or not turn.articles
    # Unlike a single question, a handoff that quotes the facts is not what the customer wanted.
    return verdict.answered and verdict.facts and is_cited
