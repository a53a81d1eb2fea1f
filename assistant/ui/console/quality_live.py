"""Jobs of the page Quality while they run: how far they are, and a button that stops them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from assistant.articles.gate import environment_of
from assistant.errors import AssistantError, BusyError
from assistant.reports.evaluations import Progress, progress
from assistant.store.audit import Audit
from assistant.store.runs import Run
from assistant.ui.console.frame import Frame

# Seconds between two looks at what runs.
LOOK = 2
# No function is advertised; and what Gradio shows meanwhile would hide what stands there, as it
# does after an error.
QUIET: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

Draw = Callable[[gr.Request], Sequence[Any]]


class Live:
    """What runs, of some kinds, and all that changes on the page when it begins or ends."""

    def __init__(self, frame: Frame, kinds: Sequence[str], scope: str) -> None:
        """Add progress and the button to the page.

        Args:
            frame: The console.
            kinds: The kinds of the jobs.
            scope: What those must be allowed to do who start and stop them.
        """
        self.frame, self.kinds, self.scope = frame, kinds, scope
        # Opened with the page: what an earlier server left running is marked when this one starts.
        self._runs = frame.runs
        self._shown = gr.HTML()
        with gr.Row():
            self._stop = gr.Button(
                frame.text("quality.stop"), variant="stop", visible=False, scale=0, min_width=220
            )
        # What this tab shows: nothing is sent while it is still true.
        self._seen = gr.Textbox(visible="hidden", label="seen")
        self._timer = gr.Timer(LOOK, active=False)
        self._own = [self._shown, self._stop, self._seen, self._timer]
        self.outputs: list[Any] = []
        self._draw: Draw = lambda _: ()

    def connect(self, console: gr.Blocks, others: Sequence[Any], draw: Draw) -> None:
        """Draw all when the page is opened, and while something runs.

        Args:
            console: The console.
            others: What is drawn anew when a job begins or ends.
            draw: Returns the values of ``others``.
        """
        self.outputs, self._draw = [*self._own, *others], draw
        console.load(self.refresh, None, self.outputs, **QUIET)
        self._timer.tick(self.tick, self._seen, self.outputs, **QUIET)
        self._stop.click(self.stop, None, self.outputs, **QUIET)

    def refresh(self, request: gr.Request) -> list[Any]:
        """Return the values of all outputs."""
        self.frame.caller(request)
        latest = self._latest()
        running = [run for run in latest if run.state == "running"]
        may = self.frame.may(request, self.scope)
        shown = self.frame.html("quality_running.jinja", runs=_told(running))
        stop, timer = gr.Button(visible=bool(running) and may), gr.Timer(active=bool(running))
        return [shown, stop, _signature(latest), timer, *self._draw(request)]

    def tick(self, seen: str, request: gr.Request) -> Any:
        """Return what has changed since the last look."""
        self.frame.caller(request)
        latest = self._latest()
        signature = _signature(latest)
        if signature == seen:
            return [gr.skip() for _ in self.outputs]
        if _states(signature) != _states(str(seen)):
            return self.refresh(request)
        running = [run for run in latest if run.state == "running"]
        shown = self.frame.html("quality_running.jinja", runs=_told(running))
        return [shown, gr.skip(), signature, *(gr.skip() for _ in self.outputs[3:])]

    def start(self, request: gr.Request, kind: str, command: Sequence[str], on: str = "") -> None:
        """Start a job.

        Raises:
            gr.Error: Who asks may not, or one of this kind is running.
        """
        who = self.frame.caller(request, self.scope)
        try:
            settings = environment_of(self.frame.live.settings)
            number = self._runs.start(kind, command, who.name, on, environment=settings)
        except BusyError:
            raise gr.Error(self.frame.text("quality.busy"), print_exception=False) from None
        except AssistantError as error:
            raise gr.Error(self.frame.refusal(error), print_exception=False) from None
        Audit(self.frame.desk.conversations.database).note(who.name, kind, str(number))

    def stop(self, request: gr.Request) -> list[Any]:
        """Stop what runs of these kinds."""
        who = self.frame.caller(request, self.scope)
        for run in self._latest():
            if run.state == "running":
                self._runs.stop(run.id)
                database = self.frame.desk.conversations.database
                Audit(database).note(who.name, "stop", str(run.id))
        return self.refresh(request)

    def _latest(self) -> list[Run]:
        return [run for kind in self.kinds for run in self._runs.latest(kind, 1)]


def _told(running: Sequence[Run]) -> list[tuple[Run, Progress | None]]:
    return [(run, progress(run.log)) for run in running]


def _signature(latest: Sequence[Run]) -> str:
    states = ",".join(f"{run.id}{run.state}" for run in latest)
    return f"{states};{[progress(run.log) for run in latest]}"


def _states(signature: str) -> str:
    return signature.partition(";")[0]
