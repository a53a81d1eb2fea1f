"""What every generator offers: messages in, text out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from assistant.messages import PromptMessage


class Generator(Protocol):
    """Chat messages in, text out, piece by piece."""

    @property
    def name(self) -> str:
        """What a reply records."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which it may word an answer."""

    @property
    def has_adapter(self) -> bool:
        """Whether ``adapter=True`` is possible."""

    @property
    def is_remote(self) -> bool:
        """Whether text leaves this machine, so that personal data is masked before."""

    def generate(
        self,
        messages: Sequence[PromptMessage],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
        avoid: str = "",
    ) -> Iterator[str]:
        """Yield pieces of the greedy continuation; closing the iterator stops the work.

        Args:
            messages: Roles and contents, the last one the user's.
            max_tokens: The most tokens to write.
            adapter: Whether to use the fine-tuned weights.
            avoid: What no sentence may begin with, where the generator can be told so.

        Raises:
            GeneratorError: The model or its server fails.
        """

    def adapted(self, adapter: Path) -> tuple[Any, Any] | None:
        """Return the network with an adapter in it, and its tokenizer; see ``Embedder``.

        None where the network is not on this machine.
        """
