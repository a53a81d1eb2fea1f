"""Generates text from a GGUF in 8 or 4 bits: with OpenVINO GenAI or llama.cpp, each an extra."""

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import GeneratorError
from assistant.generators.in_process import InProcess
from assistant.messages import PromptMessage

# Tokens of prompt and text together; a prompt has some 250.
CONTEXT = 4096


class PackedGenerator(InProcess, ABC):
    """A causal model in a file, with its adapter merged in: one file for each of both.

    Subclasses run it.
    """

    def __init__(
        self,
        file_of: Callable[[Path | None], Path],
        name: str,
        languages: frozenset[str],
        adapter: Callable[[], Path | None] = lambda: None,
        threads: int = 2,
    ) -> None:
        """Load the model with its adapter, if it has one, or else alone.

        Args:
            file_of: Returns the file of the model with an adapter, or of the model alone.
            name: The name that replies record.
            languages: The languages that the model speaks.
            adapter: Returns the current PEFT adapter; a changed one is loaded at its first call.
            threads: The processor's cores to use.

        Raises:
            GeneratorError: The model cannot be loaded.
        """
        super().__init__(name, languages, adapter)
        self._file_of, self._threads = file_of, threads
        self._loaded: dict[Path | None, Any] = {}
        self._engine(adapter())

    def generate(
        self,
        messages: Sequence[PromptMessage],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
    ) -> Iterator[str]:
        """Yield pieces of the greedy continuation; see ``Generator``."""
        wanted = self._wanted(adapter)
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        stop = threading.Event()

        def write() -> None:
            try:
                with self._lock:
                    self._run(self._engine(wanted), messages, max_tokens, pieces.put, stop)
            finally:
                # Without it, a failure would leave the reader waiting forever.
                pieces.put(None)

        work = self._worker.submit(write)
        try:
            yield from iter(pieces.get, None)
            work.result()
        except GeneratorError:
            raise
        except Exception as error:
            raise GeneratorError(
                f"Expected text from {self._name}, found {type(error).__name__}: {error}"
            ) from error
        finally:
            # Reached at the end and when the reader closes the stream early.
            stop.set()

    def _engine(self, adapter: Path | None) -> Any:
        """Return the model with an adapter; the one with another adapter is let go."""
        if adapter not in self._loaded:
            file = self._file_of(adapter)
            try:
                engine = self._open(file)
            except Exception as error:  # neither library's errors have a public base class
                raise GeneratorError(
                    f"Expected a causal language model in {file}, found: "
                    f"{(str(error).strip() or type(error).__name__).splitlines()[0]}"
                ) from None
            if adapter:  # one with an adapter and one without, at most
                self._loaded = {known: one for known, one in self._loaded.items() if not known}
            self._loaded[adapter] = engine
        return self._loaded[adapter]

    @abstractmethod
    def _open(self, file: Path) -> Any:
        """Return what runs the model of a file."""

    @abstractmethod
    def _run(
        self,
        engine: Any,
        messages: Sequence[PromptMessage],
        max_tokens: int,
        put: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        """Put the pieces of the continuation until it ends or is stopped."""


class OpenVinoGenerator(PackedGenerator):
    """Runs a model with OpenVINO GenAI, which remembers how a prompt begins."""

    def _open(self, file: Path) -> Any:
        import openvino_genai

        scheduler = openvino_genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.cache_size = 1  # GB
        return openvino_genai.LLMPipeline(
            str(file), "CPU", scheduler_config=scheduler, INFERENCE_NUM_THREADS=self._threads
        )

    def _run(
        self,
        engine: Any,
        messages: Sequence[PromptMessage],
        max_tokens: int,
        put: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        import openvino_genai

        def take(piece: str) -> Any:
            put(piece)
            status = openvino_genai.StreamingStatus
            return status.CANCEL if stop.is_set() else status.RUNNING

        options = openvino_genai.GenerationConfig()
        options.max_new_tokens, options.do_sample = max_tokens, False
        engine.generate(openvino_genai.ChatHistory(list(messages)), options, take)


class LlamaGenerator(PackedGenerator):
    """Runs a model with llama.cpp, which remembers how the last prompt began."""

    def _open(self, file: Path) -> Any:
        import xllamacpp

        options = xllamacpp.CommonParams()
        options.model.path = str(file)
        options.n_ctx, options.n_parallel, options.verbosity = CONTEXT, 1, -1
        options.cpuparams.n_threads = options.cpuparams_batch.n_threads = self._threads
        return xllamacpp.Server(options)

    def _run(
        self,
        engine: Any,
        messages: Sequence[PromptMessage],
        max_tokens: int,
        put: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        failed: list[str] = []

        def take(part: Any) -> bool:
            if "error" in part:
                failed.append(str(part["error"]))
            for choice in part.get("choices", ()):
                put(choice["delta"].get("content") or "")
            return stop.is_set()

        options = {"max_tokens": max_tokens, "temperature": 0, "stream": True}
        engine.handle_chat_completions({"messages": list(messages), **options}, take)
        if failed:
            raise GeneratorError(f"Expected text from {self._name}, found: {failed[0]}")
