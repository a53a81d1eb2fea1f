"""The assertions that a canned dialogue can make about a reply."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from assistant.messages import Reply


def failed_assertions(reply: Reply, assertions: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield one line for each assertion that does not hold."""
    for assertion in assertions:
        for name, value in assertion.items():
            holds = ASSERTIONS.get(name)
            if holds is None:
                yield f"unknown assertion {name!r}; known are {', '.join(ASSERTIONS)}"
            elif not holds(reply, value):
                yield f"{name}: expected {value!r}, found {_described(reply)}"


def _described(reply: Reply) -> str:
    cited = ", ".join(dict.fromkeys(c.article for c in reply.citations)) or "nothing"
    return f"{reply.action} ({reply.intent} {reply.intent_score}), citing {cited}: {reply.text!r}"


def _intent_was(reply: Reply, value: dict[str, Any]) -> bool:
    is_named: bool = reply.intent == value["name"]
    return is_named and reply.intent_score >= float(value.get("min_score", 0.0))


def _bot_uttered(reply: Reply, value: dict[str, str]) -> bool:
    return re.search(value["text_matches"], reply.text) is not None


def _cited(reply: Reply, value: dict[str, str]) -> bool:
    return any(citation.article == value["article"] for citation in reply.citations)


def _all_supported(reply: Reply, value: bool) -> bool:
    is_supported = bool(reply.support) and all(s.citation for s in reply.support)
    return is_supported is value


def _language_is(reply: Reply, value: str) -> bool:
    return reply.language == value


def _no_personal_data(reply: Reply, value: bool) -> bool:
    # The company's own number is not personal data: its articles, which are cited, contain it.
    quoted = " ".join(citation.quote for citation in reply.citations)
    personal = [data for s in reply.support for data in _personal_data(s.sentence)]
    return all(data in quoted for data in personal) is value


def _personal_data(sentence: str) -> Sequence[str]:
    from assistant.message.safety import mask

    kept = re.split(r"\[(?:email|iban|id|card|phone)\]", mask(sentence))
    masked = re.fullmatch("(.+)".join(map(re.escape, kept)), sentence, re.DOTALL)
    return masked.groups() if masked else [sentence]


ASSERTIONS: dict[str, Callable[[Reply, Any], bool]] = {
    "intent_was": _intent_was,
    "action_was": lambda reply, value: reply.action == value,
    "bot_uttered": _bot_uttered,
    "bot_did_not_utter": lambda reply, value: not _bot_uttered(reply, value),
    "cited": _cited,
    "all_supported": _all_supported,
    "language_is": _language_is,
    "no_personal_data": _no_personal_data,
}
