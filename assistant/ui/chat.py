"""The chat page: streams a reply, then shows the quotes that support it."""

import html
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import gradio as gr
from pydantic import ValidationError

from assistant.assistant import Assistant
from assistant.errors import InvalidMessageError
from assistant.message.history import SentDecision, earlier_message
from assistant.messages import Citation, Message, Reply
from knowledge.segmenter import language_of

logger = logging.getLogger(__name__)

PageMessage = dict[str, Any]
# The number of a sentence's source follows the sentence as a superscript.
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_NO_SUPERSCRIPTS = str.maketrans("", "", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SOURCES = {"en": "Sources", "zh": "出处"}
_OPEN = {"en": "open in the article", "zh": "在文章中查看"}

I18N = gr.I18n(
    en={
        "about": "I'm an automatic assistant, not a person. I answer from the help centre and "
        "show the words I rely on.",
        "examples": "For example",
        # For screen readers. Gradio has no text for this key.
        "common.complete": "Answered",
    },
    **{
        "zh-CN": {
            "about": "我是自动助手，不是真人。我根据帮助中心回答，并给出所依据的原文。",
            "examples": "例如",
            "common.complete": "已回答",
            "status.queue_position": "排队第 {position} 位，共 {size} 位",
        }
    },
)
CSS = """
.gradio-container { max-width: 60rem !important; margin: 0 auto !important; }
.frontdesk-sources ol { margin: 0; padding-inline-start: 1.4em; }
.frontdesk-sources li { margin-block: .35em; }
"""
# The fonts of the system: none to load, and the same look in Chinese and English.
THEME = gr.themes.Default(font=["system-ui", "Noto Sans CJK SC", "sans-serif"])


def build_chat(assistant: Assistant) -> gr.ChatInterface:
    """Return the chat page of an assistant, to be mounted with ``I18N``, ``CSS`` and ``THEME``."""

    def respond(message: str, history: list[PageMessage]) -> Iterator[list[PageMessage]]:
        yield from stream_messages(assistant, message, history)

    company = assistant.responder.company
    examples = [line for lang in ("en", "zh") for line in company.examples.get(lang, [])]
    return gr.ChatInterface(
        respond,
        title=" · ".join(dict.fromkeys(company.name.values())),
        description=I18N("about"),  # type: ignore[arg-type]  # the annotation is too narrow
        chatbot=gr.Chatbot(
            show_label=False,
            height="65vh",
            layout="bubble",
            buttons=["copy"],
            allow_tags=False,
            elem_id="conversation",
        ),
        textbox=gr.Textbox(
            # In both languages, since Gradio drops a translated one after the first message.
            placeholder="Type your question … / 请输入您的问题……",
            show_label=False,
            lines=1,
            max_lines=6,
            submit_btn=True,
            stop_btn=True,
            elem_id="question",
        ),
        examples=[[line] for line in examples] or None,
        examples_label=I18N("examples"),
        editable=True,
        cache_examples=False,
        flagging_mode="never",
        concurrency_limit=4,
        api_visibility="private",
        analytics_enabled=False,
    )


def stream_messages(
    assistant: Assistant, message: str, history: Sequence[PageMessage]
) -> Iterator[list[PageMessage]]:
    """Yield the messages of a reply as it grows. An error becomes a message of its own.

    Args:
        assistant: The assistant.
        message: The customer's message.
        history: The conversation before it, as Gradio keeps it.
    """
    text = ""
    try:
        for item in assistant.stream(message, conversation(history)):
            if isinstance(item, str):
                text += item
                yield [_text_message(text)]
            else:
                yield reply_messages(item)
    except InvalidMessageError as error:
        yield [_text_message(assistant.responder.saying(error.code, language_of(message)))]
    except Exception:  # the outermost handler: a customer must never see a traceback
        logger.exception("a turn failed")
        yield [_text_message(assistant.responder.saying("failed", language_of(message)))]


def conversation(history: Sequence[PageMessage]) -> list[Message]:
    """Return the conversation with the decision of each reply, without the lists of sources."""
    messages = []
    for entry in history:
        metadata = entry.get("metadata") or {}
        if metadata.get("title"):  # a list of sources
            continue
        role: Literal["user", "assistant"] = "user" if entry["role"] == "user" else "assistant"
        text = _text(entry["content"]).translate(_NO_SUPERSCRIPTS)
        messages.append(earlier_message(role, text, _decision(metadata.get("id"))))
    return messages


def _decision(metadata_id: Any) -> SentDecision | None:
    try:
        return SentDecision.model_validate_json(metadata_id) if metadata_id else None
    except ValidationError:
        # Not from this page. The decision is then recovered from the text.
        return None


def reply_messages(reply: Reply) -> list[PageMessage]:
    """Return the messages of a whole reply: the answer, and the list of sources if it has any."""
    # Gradio keeps a message's id through edit, retry and undo, and does not show it.
    decision = json.dumps(SentDecision.of(reply).model_dump(mode="json"), ensure_ascii=False)
    answer: PageMessage = {
        "role": "assistant",
        "content": text_with_marks(reply),
        "metadata": {"id": decision},
    }
    if reply.choices:
        answer["options"] = [{"value": choice, "label": choice} for choice in reply.choices]
    if not reply.citations:
        return [answer]
    title = f"{_SOURCES[reply.language]} ({len(reply.sources)})"
    source_list = {
        "role": "assistant",
        "content": source_list_html(reply),
        "metadata": {"title": title},
    }
    return [answer, source_list]


def text_with_marks(reply: Reply) -> str:
    """Return the text with the number of its source after each run of sentences from it."""
    numbers = {cited: source.number for source in reply.sources for cited in source.citations}
    sources = [numbers.get(support.citation or 0) for support in reply.support]
    text, position = "", 0
    for support, source, after in zip(reply.support, sources, [*sources[1:], None], strict=False):
        end = reply.text.index(support.sentence, position) + len(support.sentence)
        mark = str(source).translate(_SUPERSCRIPTS) if source and source != after else ""
        text += reply.text[position:end] + mark
        position = end
    return _escaped(text + reply.text[position:])


def source_list_html(reply: Reply) -> str:
    """Return each cited article with its quotes and a link to each, as an HTML list."""
    quotes = {citation.number: citation for citation in reply.citations}
    lines = []
    for source in reply.sources:
        title = html.escape(source.title)
        cited = "".join(_quote(quotes[number], reply.language) for number in source.citations)
        lines.append(f'<li value="{source.number}"><b>{title}</b><ul>{cited}</ul></li>')
    return f'<div class="frontdesk-sources"><ol>{"".join(lines)}</ol></div>'


def _quote(citation: Citation, lang: str) -> str:
    label = f"{html.escape(citation.title)}: {_OPEN[lang]}"
    return (
        f"<li><q>{html.escape(citation.quote)}</q> "
        f'<a href="{html.escape(citation.url)}" target="_blank" rel="noopener" '
        f'aria-label="{label}">{_OPEN[lang]}</a></li>'
    )


def _text_message(text: str) -> PageMessage:
    return {"role": "assistant", "content": _escaped(text)}


def _escaped(text: str) -> str:
    # Articles and customers' messages must not add HTML to the page.
    return html.escape(text, quote=False)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return html.unescape(content)
    if isinstance(content, dict):
        return html.unescape(str(content.get("text") or ""))
    return "\n".join(_text(block) for block in content)
