"""The table of decisions: the first row that applies wins.

``frontdesk explain --rules`` prints it with the thresholds in force. ``Router`` applies it; each
``Route`` names its row.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table.

    Attributes:
        name: What a route calls it.
        applies: When it decides.
        decides: The action.
        thresholds: The attributes of ``Policy`` that it depends on.
        why: The reason for its place and its threshold.
    """

    name: str
    applies: str
    decides: str
    thresholds: tuple[str, ...]
    why: str


RULES = (
    Rule(
        "crisis",
        "distress, coercion, a threat or a fraud in progress is likely, taken together",
        "handoff, urgent",
        ("crisis",),
        "A cry for help may hold a question or an order; neither comes first.",
    ),
    Rule(
        "harm",
        "help with a wrong is surely wanted, or likely and no article answers",
        "refuse",
        ("harm", "surely_harm"),
        "Articles about fraud or the overdraft would read as help.",
    ),
    Rule(
        "insult",
        "there is nothing but an insult",
        "small_talk",
        ("insult",),
        "Some article is always nearest to an insult.",
    ),
    Rule(
        "order",
        "the message gives the assistant orders",
        "refuse",
        (),
        "An order cannot change a reply, and the customer should know.",
    ),
    Rule(
        "language",
        "it is neither English nor Chinese",
        "decline",
        (),
        "Nothing that follows was trained on it.",
    ),
    Rule(
        "person",
        "a person is wanted",
        "handoff",
        ("wish", "surely_wished", "surely_aside", "likely_aside"),
        "Nobody should have to ask twice. Where no article answers, a likely wish is enough.",
    ),
    Rule(
        "aside",
        "a later message thanks or takes leave",
        "small_talk",
        ("surely_aside", "likely_aside"),
        "It is no question, though it may hold an article's words.",
    ),
    Rule(
        "intent",
        "the intent is small talk, a wish for a person or a complaint that no article helps",
        "what intents.yml says",
        ("sure",),
        "Companies define these intents themselves. They need no article.",
    ),
    Rule(
        "outside",
        "it is out of scope and no hit is sure, or surely foreign and no intent is sure",
        "decline; a person after two declines in a row",
        ("strange", "outside", "surely_outside"),
        "It is decided before reading, because a reader always finds some sentence.",
    ),
    Rule(
        "pick",
        "the customer picked an article of a clarifying question",
        "answer",
        ("certain",),
        "The customer knows best. Doubt is told.",
    ),
    Rule(
        "pushback",
        "a later message says that the last reply missed, and nothing else answers",
        "handoff",
        ("pushback",),
        "The same words again would help nobody.",
    ),
    Rule(
        "account",
        "only the customer's own account can tell",
        "answer what holds for everybody, or decline; a person is offered",
        ("account",),
        "An article's usual time is no answer to where this customer's money is.",
    ),
    Rule(
        "unread",
        "no sentence is likely to answer",
        "decline; a person after two in a row",
        ("floor", "doubtful", "near"),
        "A wrong fee is worse than none.",
    ),
    Rule(
        "unclear",
        "some sentence answers, but it is not clear which",
        "clarify",
        ("clear_sentence", "clear_later"),
        "Asking back once is better than a wrong answer; asking twice in a row is not.",
    ),
    Rule(
        "clear",
        "what would be quoted answers",
        "answer",
        ("clear_sentence", "clear_later", "angry"),
        "Anger is acknowledged, and its matter helped.",
    ),
)
