"""Why an article cannot be written or published."""

from assistant.errors import AssistantError


class ArticleEditError(AssistantError):
    """Raised when a draft, a path or an upload cannot be used; the message says why."""


class ChangedMeanwhileError(ArticleEditError):
    """Raised when the article, or the draft, is not any more what somebody began to change.

    Attributes:
        current: The text that is there now.
    """

    def __init__(self, message: str, current: str, *, key: str, **values: object) -> None:
        """Take the message, the text that is there now, and what pages say instead."""
        super().__init__(message, key=key, **values)
        self.current = current
