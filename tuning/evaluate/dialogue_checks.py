"""The assertions that a canned dialogue can make about a reply."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from assistant.grounding.claims import values
from assistant.messages import Reply


def failed_assertions(
    replies: Sequence[Reply], assertions: Sequence[dict[str, Any]]
) -> Iterator[str]:
    """Yield one line for each assertion about the last reply that does not hold.

    Args:
        replies: All replies of the dialogue so far.
        assertions: Names of ``ASSERTIONS`` with the values that they expect.
    """
    for assertion in assertions:
        for name, value in assertion.items():
            holds = ASSERTIONS.get(name)
            if holds is None:
                yield f"unknown assertion {name!r}; known are {', '.join(ASSERTIONS)}"
            elif not holds(replies, value):
                yield f"{name}: expected {value!r}, found {_described(replies[-1])}"


def _described(reply: Reply) -> str:
    cited = ", ".join(dict.fromkeys(c.article for c in reply.citations)) or "nothing"
    decided = f"{reply.action} because of {reply.reason} ({reply.intent} {reply.intent_score})"
    return f"{decided}, citing {cited}: {reply.text!r}"


def _intent_was(replies: Sequence[Reply], value: dict[str, Any]) -> bool:
    reply = replies[-1]
    is_named: bool = reply.intent == value["name"]
    return is_named and reply.intent_score >= float(value.get("min_score", 0.0))


def _bot_uttered(replies: Sequence[Reply], value: dict[str, str]) -> bool:
    return re.search(value["text_matches"], replies[-1].text) is not None


def _not_repeated(replies: Sequence[Reply], value: bool) -> bool:
    # Nothing is repeated in the first reply.
    is_new = all(replies[-1].text != previous.text for previous in replies[-2:-1])
    return is_new is value


def _cited(replies: Sequence[Reply], value: dict[str, str]) -> bool:
    return any(citation.article == value["article"] for citation in replies[-1].citations)


def _all_supported(replies: Sequence[Reply], value: bool) -> bool:
    support = replies[-1].support
    # A fixed sentence, such as one of sympathy, claims nothing.
    claiming = [s for s in support if s.citation or values(s.sentence)]
    is_supported = bool(claiming) and all(s.citation for s in claiming)
    return is_supported is value


def _no_personal_data(replies: Sequence[Reply], value: bool) -> bool:
    reply = replies[-1]
    # The company's own number is not personal data: its articles, which are cited, contain it.
    quoted = " ".join(citation.quote for citation in reply.citations)
    personal = [data for s in reply.support for data in _personal_data(s.sentence)]
    return all(data in quoted for data in personal) is value


def _personal_data(sentence: str) -> Sequence[str]:
    from assistant.message.safety import mask

    kept = re.split(r"\[(?:email|iban|id|card|phone)\]", mask(sentence))
    masked = re.fullmatch("(.+)".join(map(re.escape, kept)), sentence, re.DOTALL)
    return masked.groups() if masked else [sentence]


ASSERTIONS: dict[str, Callable[[Sequence[Reply], Any], bool]] = {
    "intent_was": _intent_was,
    "action_was": lambda replies, value: replies[-1].action == value,
    "reason_was": lambda replies, value: replies[-1].reason == value,
    "bot_uttered": _bot_uttered,
    "bot_did_not_utter": lambda replies, value: not _bot_uttered(replies, value),
    "not_repeated": _not_repeated,
    "cited": _cited,
    "all_supported": _all_supported,
    "language_is": lambda replies, value: replies[-1].language == value,
    "no_personal_data": _no_personal_data,
}
