"""The protocol of a generator: messages in, text out."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from assistant.messages import PromptMessage


class Generator(Protocol):
    """Chat messages in, text out, piece by piece."""

    @property
    def name(self) -> str:
        """The name that replies record."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which it may word an answer."""

    @property
    def has_adapter(self) -> bool:
        """Whether ``adapter=True`` is possible."""

    @property
    def is_remote(self) -> bool:
        """Whether text may leave this machine; personal data is then masked first."""

    def generate(
        self,
        messages: Sequence[PromptMessage],
        *,
        max_tokens: int = 160,
        adapter: bool = False,
    ) -> Iterator[str]:
        """Yield pieces of the greedy continuation; closing the iterator stops the work.

        A reader that stops reading does not delay other calls.

        Args:
            messages: Roles and contents, the last one the user's.
            max_tokens: The maximum number of tokens to write.
            adapter: Whether to use the fine-tuned weights.

        Raises:
            GeneratorError: The model or its server fails, before the first piece or later.
        """
