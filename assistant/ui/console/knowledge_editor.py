"""The editor on the page Knowledge: write a draft, try it, and publish it."""

from typing import Any

import gradio as gr

from assistant.ui.console.frame import Frame
from assistant.ui.console.knowledge_drafting import FIELDS, Drafting

# Shows the draft's own address once it has one: loading the page again must not lose it.
NAME_DRAFT = (
    "(n) => { if (/^\\d+$/.test(n)) history.replaceState(null, '', `knowledge?draft=${n}`);"
    " return n; }"
)


def build(console: gr.Blocks, frame: Frame) -> None:
    """Add the editor to the page; it is shown if the address asks for it."""
    head = gr.HTML()
    number, path, seen = (gr.Textbox(visible=False) for _ in range(3))
    with gr.Row(visible=False, elem_classes="fd-editor") as editor:
        with gr.Column(scale=3, min_width=300):
            parts = _inputs(frame)
            with gr.Row():
                save = gr.Button(frame.text("knowledge.save"))
                publish = gr.Button(frame.text("knowledge.publish"))
                drop = gr.Button(frame.text("knowledge.drop"))
            said = gr.HTML()
            rebase = gr.Button(frame.text("knowledge.rebase"), visible=False)
            running = gr.HTML()
            question = gr.Textbox(label=frame.text("knowledge.try"), max_length=1000)
            ask = gr.Button(frame.text("knowledge.ask"))
            answers = gr.HTML()
        with gr.Column(scale=2, min_width=300):
            side = gr.HTML()
    timer = gr.Timer(2, active=False)

    drafting = Drafting(frame)
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    private: dict[str, Any] = {"api_visibility": "private"}
    fields = [parts[name] for name in FIELDS]
    once = [parts["name"], parts["lang"]]
    state = [number, path, seen, said, rebase]
    console.load(
        drafting.show, None, [head, editor, side, *state, running, timer, *fields], **quiet
    )
    typed, kept = [number, path, seen, *fields], [*state, *once]
    progress = [running, timer]
    save.click(drafting.keep, typed, kept, **private).success(
        None, number, number, js=NAME_DRAFT, **private
    )
    publish.click(drafting.keep, typed, kept, **private).success(
        drafting.publish, number, progress, **private
    ).success(None, number, number, js=NAME_DRAFT, **private)
    ask.click(drafting.keep, typed, kept, **private).success(
        drafting.attempt, [number, question], answers, **private
    ).success(None, number, number, js=NAME_DRAFT, **private)
    drop.click(drafting.put_aside, number, said, **private)
    rebase.click(drafting.accept, number, [said, rebase], **private)
    timer.tick(drafting.look, number, progress, **quiet)


def _inputs(frame: Frame) -> dict[str, Any]:
    """Return the fields of the editor, in the order in which they are shown."""
    text = frame.text
    languages = [(text("knowledge.lang_en"), "en"), (text("knowledge.lang_zh"), "zh")]
    parts: dict[str, Any] = {
        "title": gr.Textbox(label=text("knowledge.title"), max_length=200),
        "name": gr.Textbox(
            label=text("knowledge.name"), info=text("knowledge.name_about"), max_length=80
        ),
        "lang": gr.Radio(languages, value=frame.lang, label=text("knowledge.lang")),
        "body": gr.Textbox(
            label=text("knowledge.body"), info=text("knowledge.body_about"), lines=18, max_lines=40
        ),
        "questions": gr.Textbox(
            label=text("knowledge.questions"),
            info=text("knowledge.questions_about"),
            lines=3,
            max_lines=12,
        ),
    }
    with gr.Row():
        for name in ("valid_from", "valid_to"):
            parts[name] = gr.Textbox(
                label=text(f"knowledge.{name}"),
                placeholder=text("knowledge.day"),
                max_length=10,
                min_width=140,
            )
    parts["translation_of"] = gr.Textbox(visible=False)
    return parts
