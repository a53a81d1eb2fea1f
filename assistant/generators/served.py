"""Writes text with any server that speaks OpenAI's chat completions."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.errors import GeneratorError
from assistant.messages import PromptMessage


class ServedGenerator:
    """Any server that speaks OpenAI's chat completions: vLLM, SGLang, llama.cpp and others."""

    def __init__(self, url: str, model: str, key: str | None, adapter: str | None = None) -> None:
        """Keep the address; nothing is sent yet.

        Args:
            url: The base URL, for example http://127.0.0.1:8000/v1.
            model: The model's name on that server.
            key: The server's key, if it wants one.
            adapter: The name under which the server offers the fine-tuned model, if it does.
        """
        from huggingface_hub import InferenceClient

        # The client wants some key; a server without one ignores it.
        self._client = InferenceClient(base_url=url, api_key=key or "none", timeout=60)
        self._url, self._model, self._adapter = url, model, adapter

    @property
    def name(self) -> str:
        """What replies record."""
        return self._model

    @property
    def languages(self) -> frozenset[str]:
        """A served model is taken to speak both our languages."""
        return frozenset({"en", "zh"})

    @property
    def has_adapter(self) -> bool:
        """Whether ``adapter=True`` is possible."""
        return self._adapter is not None

    @property
    def is_remote(self) -> bool:
        """Text leaves this process, perhaps this machine."""
        return True

    def generate(
        self,
        messages: Sequence[PromptMessage],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
        avoid: str = "",
    ) -> Iterator[str]:
        """Yield pieces of the greedy continuation; see ``Generator``."""
        from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

        if adapter and not self._adapter:
            raise GeneratorError(
                "Expected an adapter for this generator, found none. Set `adapter`."
            )
        del avoid  # the protocol of such servers has no word for it
        try:
            chunks = self._client.chat_completion(
                list(messages),
                model=self._adapter if adapter else self._model,
                max_tokens=max_tokens,
                temperature=0.0,
                stream=True,
            )
            for chunk in chunks:
                if chunk.choices and (piece := chunk.choices[0].delta.content):
                    yield piece
        except (HTTPError, OSError, ValueError) as error:
            raise GeneratorError(
                f"Expected an OpenAI-compatible server with the model {self._model!r} at "
                f"{self._url}, found: {str(error).splitlines()[0] if str(error) else error!r}"
            ) from None

    def adapted(self, adapter: Path) -> None:
        """Return None: the network is elsewhere."""
        del adapter
