"""Generates text on a server that speaks OpenAI's chat completions."""

from collections.abc import Iterator, Sequence
from typing import Any

from assistant.errors import GeneratorError
from assistant.messages import PromptMessage

TIMEOUT_S = 60
# A customer is waiting: one retry bridges a dropped connection, more only delay the error.
RETRIES = 1


class ServedGenerator:
    """A model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp and others."""

    def __init__(self, url: str, model: str, key: str | None, adapter: str | None = None) -> None:
        """Create the client; nothing is sent yet.

        Args:
            url: The base URL, for example http://127.0.0.1:8000/v1.
            model: The model's name on that server.
            key: The server's key, if it needs one.
            adapter: The name under which the server offers the fine-tuned model, if it does.

        Raises:
            GeneratorError: The URL cannot be parsed.
        """
        from openai import OpenAI

        self._url, self._model, self._adapter = url, model, adapter
        try:
            # The client insists on a key; a server without keys ignores it.
            self._client = OpenAI(
                base_url=url, api_key=key or "none", timeout=TIMEOUT_S, max_retries=RETRIES
            )
        except Exception as error:  # the errors of its URL parser have no public base class
            raise self._failure(error) from None

    @property
    def name(self) -> str:
        """The name that replies record."""
        return self._model

    @property
    def languages(self) -> frozenset[str]:
        """Both languages: a served model is assumed to speak them."""
        return frozenset({"en", "zh"})

    @property
    def has_adapter(self) -> bool:
        """Whether ``adapter=True`` is possible."""
        return self._adapter is not None

    @property
    def is_remote(self) -> bool:
        """True: text leaves this process, and perhaps this machine."""
        return True

    def generate(
        self,
        messages: Sequence[PromptMessage],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
    ) -> Iterator[str]:
        """Yield pieces of the greedy continuation; see ``Generator``."""
        from openai import OpenAIError

        if adapter and not self._adapter:
            raise GeneratorError(
                "Expected an adapter for this generator, found none. Set `adapter`."
            )
        prompt: Any = list(messages)
        try:
            chunks = self._client.chat.completions.create(
                messages=prompt,
                model=self._adapter if adapter and self._adapter else self._model,
                max_tokens=max_tokens,
                temperature=0.0,
                stream=True,
            )
            # Closes the connection, and with it the server's work, when the reader stops early.
            with chunks:
                for chunk in chunks:
                    if chunk.choices and (piece := chunk.choices[0].delta.content):
                        yield piece
        except (OpenAIError, OSError, ValueError) as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> GeneratorError:
        # The client says only "Connection error."; its cause names the reason.
        reason = str(error.__cause__ or error).strip() or repr(error)
        return GeneratorError(
            f"Expected an OpenAI-compatible server with the model {self._model!r} at "
            f"{self._url}, found: {reason.splitlines()[0]}"
        )
