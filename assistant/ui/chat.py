"""The chat page: streams a reply, then shows the quotes that support it."""

import html
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import gradio as gr

from assistant.desk import WITH_PERSON, Desk
from assistant.errors import ConversationError, InvalidMessageError
from assistant.messages import Citation, Reply, Stream
from assistant.store.conversations import new_conversation
from assistant.web.access import Access, address_of
from assistant.web.gate import RefusedError
from assistant.web.tokens import Tokens
from assistant.web.turns import Turns
from knowledge.segmenter import language_of

logger = logging.getLogger(__name__)

PageMessage = dict[str, Any]
# The number of a sentence's source follows the sentence as a superscript.
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SOURCES = {"en": "Sources", "zh": "出处"}
_OPEN = {"en": "open in the article", "zh": "在文章中查看"}

# What the browser keeps before it has a token. Gradio never writes an empty value.
NONE = "none"
# Gradio hides what a browser keeps with it, from nobody: the page gets it too. Fixed, so that a
# token survives a restart.
BROWSER_SECRET = "frontdesk"  # noqa: S105  # no secret
# No message has so high a number.
NEWEST = 2**31 - 1

I18N = gr.I18n(
    en={
        "about": "I'm an automatic assistant, not a person. I answer from the help centre and "
        "show the words I rely on. [What is kept of this chat](/privacy?lang=en)",
        "delete": "Delete this conversation",
        "examples": "For example",
        # For screen readers. Gradio has no text for this key.
        "common.complete": "Answered",
    },
    **{
        "zh-CN": {
            "about": "我是自动助手，不是真人。我根据帮助中心回答，并给出所依据的原文。"
            "[本聊天保留哪些内容](/privacy?lang=zh)",
            "delete": "删除本对话",
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


def build_chat(desk: Desk, access: Access, turns: Turns) -> gr.Blocks:
    """Return the chat page, to be mounted with ``I18N``, ``CSS`` and ``THEME``.

    The browser keeps the token of its conversation alone; what was said is kept by the desk.

    Args:
        desk: Holds the conversations.
        access: Tells who asks, and signs the token.
        turns: Lets turns begin.
    """
    tokens = access.tokens

    def respond(
        message: str, history: list[PageMessage], token: str, request: gr.Request
    ) -> Iterator[tuple[list[PageMessage], str]]:
        def let_in(items: Stream) -> Stream:
            assert request.request  # noqa: S101  # a page sends one
            return turns.let_in(items, access.visitor(request.request), address_of(request.request))

        after = last_number(history)
        yield from stream_messages(desk, tokens, message, token, after, let_in)

    def delete(token: str) -> tuple[list[PageMessage], list[PageMessage], str]:
        if conversation := _conversation(desk, tokens, token):
            desk.conversations.delete(conversation)
        return [], [], NONE

    def restore(token: str) -> tuple[list[PageMessage], list[PageMessage]]:
        shown = earlier_messages(desk, tokens, token)
        return shown, shown

    company = desk.assistant.responder.company
    examples = [line for lang in ("en", "zh") for line in company.examples.get(lang, [])]
    page = gr.Blocks(analytics_enabled=False, fill_height=True)
    with page:
        mine = gr.BrowserState(NONE, storage_key="frontdesk", secret=BROWSER_SECRET)
        chat = gr.ChatInterface(
            respond,
            additional_inputs=[mine],
            additional_outputs=[mine],
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
            concurrency_limit=None,
            api_visibility="private",
            analytics_enabled=False,
        )
        shown = [chat.chatbot, chat.chatbot_state]
        page.load(restore, [mine], shown, show_progress="hidden", api_visibility="private")
        button = gr.Button(I18N("delete"), size="sm", variant="secondary", elem_id="delete")
        button.click(delete, [mine], [*shown, mine], api_visibility="private")
        # What was said stays until it is deleted; the page begins anew.
        chat.chatbot.clear(lambda: NONE, None, [mine], api_visibility="private")
    return page


def last_number(history: Sequence[PageMessage]) -> int:
    """Return the number of the last reply that the page shows; 0 for none.

    After an earlier message was changed, it is not the conversation's last one.
    """
    ids = [str((entry.get("metadata") or {}).get("id") or "") for entry in history]
    return max((int(one) for one in ids if one.isdecimal()), default=0)


def stream_messages(
    desk: Desk,
    tokens: Tokens,
    message: str,
    token: str,
    after: int,
    let_in: Callable[[Stream], Iterable[str | Reply]] = iter,
) -> Iterator[tuple[list[PageMessage], str]]:
    """Yield the messages of a reply as it grows, and the token of its conversation.

    An error becomes a message of its own.

    Args:
        desk: Holds the conversations.
        tokens: Signs the token.
        message: The customer's message.
        token: The browser's token; any other text begins a conversation.
        after: The number of the last reply that the page shows.
        let_in: Lets a turn begin, or refuses it.
    """
    text = ""
    saying = desk.assistant.responder.saying
    given = token
    try:
        known = _conversation(desk, tokens, token)
        conversation = known or new_conversation()
        # If nothing can be kept, it opens nothing, and the next message begins anew.
        token = tokens.sign(conversation)
        items = desk.serve(conversation, message, after=after, begins="" if known else "page")
        for item in let_in(items):
            if isinstance(item, str):
                text += item
                yield [_text_message(text)], token
            elif item.reason == WITH_PERSON:
                yield [_text_message(saying("person_reads", language_of(message)))], token
            else:
                yield reply_messages(item), token
    except InvalidMessageError as error:
        yield [_text_message(saying(error.code, language_of(message)))], given
    except RefusedError as error:
        seconds = str(error.retry_after)
        told = saying("too_many", language_of(message), seconds=seconds)
        yield [_text_message(told)], given
    except Exception:  # the outermost handler: a customer must never see a traceback
        logger.exception("a turn failed")
        yield [_text_message(saying("failed", language_of(message)))], token


def earlier_messages(desk: Desk, tokens: Tokens, token: str) -> list[PageMessage]:
    """Return the messages of the browser's conversation, for a page that is opened again.

    Args:
        desk: Holds the conversations.
        tokens: Signs the token.
        token: The browser's token.
    """
    shown: list[PageMessage] = []
    conversation = _conversation(desk, tokens, token)
    for message in desk.conversations.messages(conversation) if conversation else ():
        if message.reply:
            shown += reply_messages(message.reply)
        elif message.role == "user":
            shown.append({"role": "user", "content": _escaped(message.text)})
        elif message.role != "note":
            name = f"{message.author}: " if message.author else ""
            shown.append(_text_message(f"{name}{message.text}"))
        if message.state == "interrupted":
            failed = desk.assistant.responder.saying("failed", language_of(message.text))
            shown.append(_text_message(failed))
    return shown


def _conversation(desk: Desk, tokens: Tokens, token: str) -> str | None:
    """Return the conversation of a token; None if it is no token, too old, or was deleted."""
    try:
        conversation = tokens.read(token)
        desk.conversations.messages(conversation, after=NEWEST)
    except ConversationError:
        return None
    return conversation


def reply_messages(reply: Reply) -> list[PageMessage]:
    """Return the messages of a whole reply: the answer, and the list of sources if it has any."""
    answer: PageMessage = {
        "role": "assistant",
        "content": text_with_marks(reply),
        # Gradio keeps a message's id through edit and retry, and does not show it.
        "metadata": {"id": str(reply.number)},
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
