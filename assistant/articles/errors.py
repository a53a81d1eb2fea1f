"""Why an article cannot be written or published."""

from assistant.errors import AssistantError


class ArticleEditError(AssistantError):
    """Raised when a draft, a path or an upload cannot be used; the message says why."""


class ChangedMeanwhileError(ArticleEditError):
    """Raised when the article, or the draft, is not any more what somebody began to change.

    Attributes:
        current: The text that is there now.
    """

    def __init__(self, message: str, current: str) -> None:
        """Take the message and the text that is there now."""
        super().__init__(message)
        self.current = current
