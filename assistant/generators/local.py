"""Generates text with a model in this process."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import GeneratorError
from assistant.generators.adapters import base_of, quiet_loading, same_model
from assistant.generators.in_process import InProcess
from assistant.messages import PromptMessage
from knowledge.models.bfloat16 import has_bfloat16


class TransformersGenerator(InProcess):
    """A causal model on this machine, with an optional adapter.

    The weights are in bfloat16 where the processor supports it, in float32 elsewhere.
    """

    def __init__(
        self,
        model: str,
        name: str,
        languages: frozenset[str],
        adapter: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """Load the weights.

        Args:
            model: A folder or a hub name.
            name: The name that replies record.
            languages: The languages that the model speaks.
            adapter: Returns the current PEFT adapter. It is enabled for single calls; a changed
                adapter is loaded at the next call that uses it.

        Raises:
            GeneratorError: The weights cannot be loaded.
        """
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        super().__init__(name, languages, adapter)
        self._loaded: Path | None = None
        self._loaded_as = ""
        dtype = torch.bfloat16 if has_bfloat16() else torch.float32
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model)
            self._model: Any = AutoModelForCausalLM.from_pretrained(model, dtype=dtype)
        except (OSError, ValueError) as error:
            raise GeneratorError(
                f"Expected a causal language model in {model}, found: {error}"
            ) from None
        if current := adapter():
            self._load(current)

    def generate(
        self,
        messages: Sequence[PromptMessage],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
    ) -> Iterator[str]:
        """Yield pieces of the greedy continuation; see ``Generator``.

        The model writes into an unbounded queue, at its own pace: ``max_tokens`` bounds the text.
        """
        from transformers import TextIteratorStreamer

        wanted = self._wanted(adapter)
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        stop = threading.Event()
        work = self._worker.submit(self._write, messages, wanted, streamer, stop, max_tokens)
        try:
            yield from streamer
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

    def _write(
        self,
        messages: Sequence[PromptMessage],
        adapter: Path | None,
        streamer: Any,
        stop: threading.Event,
        max_tokens: int,
    ) -> None:
        """Run the model until it ends, fails or is stopped; its text goes to the streamer."""
        try:
            with self._lock:
                if adapter and adapter != self._loaded:
                    self._load(adapter)
                self._run(messages, self._loaded_as if adapter else "", streamer, stop, max_tokens)
        finally:
            # Without it, a failure would leave the reader waiting forever.
            streamer.text_queue.put(streamer.stop_signal)

    def _run(
        self,
        messages: Sequence[PromptMessage],
        adapter: str,
        streamer: Any,
        stop: threading.Event,
        max_tokens: int,
    ) -> None:
        import torch
        from transformers import StoppingCriteriaList

        def stopped(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((ids.shape[0],), stop.is_set(), dtype=torch.bool)

        inputs = self._tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode(), self._switched(adapter):
            self._model.generate(
                **inputs,
                max_new_tokens=max_tokens,
                streamer=streamer,
                do_sample=False,
                # Answers repeat the prompt's words, so guesses from it are often right.
                prompt_lookup_num_tokens=5,
                stopping_criteria=StoppingCriteriaList([stopped]),
            )

    def _load(self, folder: Path) -> None:
        """Load the adapter that words answers and delete the previous one."""
        name = "b" if self._loaded_as == "a" else "a"
        self._add(folder, name)
        if self._loaded_as:
            self._model.delete_adapter(self._loaded_as)
            # Deleting one adapter enables the others.
            self._model.disable_adapters()
        self._loaded, self._loaded_as = folder, name

    def _add(self, folder: Path, name: str) -> None:
        """Load an adapter into the model, disabled."""
        try:
            made_for = base_of(folder)
            # A model in a folder may have any name; the shapes must then decide.
            if not same_model(made_for, self._name) and not Path(self._name).is_dir():
                raise ValueError(f"one made for {made_for}")
            with quiet_loading():
                self._model.load_adapter(str(folder), adapter_name=name)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise GeneratorError(
                f"Expected an adapter for {self._name} in {folder}, found: {error}"
            ) from None
        self._model.disable_adapters()

    @contextlib.contextmanager
    def _switched(self, name: str) -> Iterator[None]:
        """Enable an adapter inside the block; an empty name enables none."""
        if name:
            self._model.enable_adapters()
            self._model.set_adapter(name)
        try:
            yield
        finally:
            if name:
                self._model.disable_adapters()
