"""The chat page: streams an answer, then shows the exact words that back it."""

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
from assistant.messages import Message, Reply
from knowledge.segmenter import language_of

logger = logging.getLogger(__name__)

PageMessage = dict[str, Any]
# A superscript after a sentence says which source backs it.
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_NO_SUPERSCRIPTS = str.maketrans("", "", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SOURCES = {"en": "Sources", "zh": "出处"}
_OPEN = {"en": "open in the article", "zh": "在文章中查看"}

I18N = gr.I18n(
    en={
        "about": "I'm an automatic assistant, not a person. I answer from the help centre and "
        "show the words I rely on.",
        "examples": "For example",
        # What a screen reader is told; Gradio's own bundle lacks it.
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
# The system's own fonts: nothing to load, and Chinese and English look alike.
THEME = gr.themes.Default(font=["system-ui", "Noto Sans CJK SC", "sans-serif"])


def build_chat(assistant: Assistant) -> gr.ChatInterface:
    """Return the chat page of an assistant; mount it with ``I18N`` and ``CSS``."""

    def respond(message: str, history: list[PageMessage]) -> Iterator[list[PageMessage]]:
        yield from stream_messages(assistant, message, history)

    names = assistant.company.name
    examples = [line for lang in ("en", "zh") for line in assistant.company.examples.get(lang, [])]
    return gr.ChatInterface(
        respond,
        title=" · ".join(dict.fromkeys(names.values())),
        description=I18N("about"),  # type: ignore[arg-type]  # its annotation is too narrow
        chatbot=gr.Chatbot(
            show_label=False,
            height="65vh",
            layout="bubble",
            buttons=["copy"],
            allow_tags=False,
            elem_id="conversation",
        ),
        textbox=gr.Textbox(
            # Gradio drops a translated placeholder after the first message, so it is in both.
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
    """Yield the assistant's messages as they grow; every problem becomes a sentence.

    Args:
        assistant: Who answers.
        message: What was typed.
        history: The conversation before, as Gradio holds it.
    """
    text = ""
    try:
        for item in assistant.stream(message, conversation(history)):
            if isinstance(item, str):
                text += item
                yield [{"role": "assistant", "content": _escaped(text)}]
            else:
                yield finished(item)
    except InvalidMessageError as error:
        yield [_plain(assistant.saying(error.code, language_of(message)))]
    except Exception:  # the outermost handler: a customer must never see a traceback
        logger.exception("a turn failed")
        yield [_plain(assistant.saying("failed", language_of(message)))]


def conversation(history: Sequence[PageMessage]) -> list[Message]:
    """Return what was said so far with what each reply decided, without the lists of sources."""
    said = []
    for entry in history:
        metadata = entry.get("metadata") or {}
        if metadata.get("title"):
            continue
        role: Literal["user", "assistant"] = "user" if entry["role"] == "user" else "assistant"
        text = _text(entry["content"]).translate(_NO_SUPERSCRIPTS)
        said.append(earlier_message(role, text, _decision(metadata.get("id"))))
    return said


def _decision(kept: Any) -> SentDecision | None:
    try:
        return SentDecision.model_validate_json(kept) if kept else None
    except ValidationError:
        # The page sends back what it was given; anything else is as good as nothing.
        return None


def finished(reply: Reply) -> list[PageMessage]:
    """Return the messages of a whole reply: the answer with its marks, and the sources."""
    # Gradio keeps a message's id and shows it nowhere, so what was decided travels in it.
    decision = json.dumps(SentDecision.of(reply).model_dump(mode="json"), ensure_ascii=False)
    answer: PageMessage = {
        "role": "assistant",
        "content": marked(reply),
        "metadata": {"id": decision},
    }
    if reply.choices:
        answer["options"] = [{"value": choice, "label": choice} for choice in reply.choices]
    if not reply.citations:
        return [answer]
    title = f"{_SOURCES[reply.language]} ({len(reply.citations)})"
    return [answer, {"role": "assistant", "content": sources(reply), "metadata": {"title": title}}]


def marked(reply: Reply) -> str:
    """Return the text with, after each backed sentence, the number of its source."""
    text, position = "", 0
    for said in reply.support:
        start = reply.text.index(said.sentence, position)
        end = start + len(said.sentence)
        mark = str(said.citation).translate(_SUPERSCRIPTS) if said.citation else ""
        text += reply.text[position:end] + mark
        position = end
    return _escaped(text + reply.text[position:])


def sources(reply: Reply) -> str:
    """Return the exact quoted words with links to the articles, as HTML."""
    opened = _OPEN[reply.language]
    lines = [
        f'<li value="{c.number}"><q>{html.escape(c.quote)}</q> — '
        f'<a href="{html.escape(c.url)}" target="_blank" rel="noopener" '
        f'aria-label="{html.escape(c.title)}: {opened}">{html.escape(c.title)}</a></li>'
        for c in reply.citations
    ]
    return f'<div class="frontdesk-sources"><ol>{"".join(lines)}</ol></div>'


def _plain(text: str) -> PageMessage:
    return {"role": "assistant", "content": _escaped(text)}


def _escaped(text: str) -> str:
    # Articles and typed words are data: no HTML of theirs may reach the page.
    return html.escape(text, quote=False)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return html.unescape(content)
    if isinstance(content, dict):
        return html.unescape(str(content.get("text") or ""))
    return "\n".join(_text(block) for block in content)
