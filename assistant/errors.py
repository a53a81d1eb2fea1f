"""Errors of the assistant package.

AssistantError
├── InvalidMessageError   the customer's message is not valid
├── SettingsError         a setting is unknown or has a wrong value
├── IntentsError          an intents file or a classifier's file is not valid
├── TemplateError         a template is not valid, or lacks a value
├── GeneratorError        the generator cannot be loaded or does not answer
├── StoreError            the database cannot be reached, read or written
├── ConversationError     there is no such conversation or message, or it is not the customer's
├── BusyError             the same message is being answered already
└── HandoffError          a conversation is not there to be taken, or somebody else has it
"""


class AssistantError(Exception):
    """Base class. The message names what was expected, what was found and what to do.

    Attributes:
        key: The name of the sentence that pages of the console show instead, in their language; ""
            for none.
        values: What fills that sentence.
    """

    def __init__(self, message: str = "", *, key: str = "", **values: object) -> None:
        """Take the message, and what pages say instead."""
        super().__init__(message)
        self.key, self.values = key, values


class InvalidMessageError(AssistantError):
    """Raised for a message that is empty, too long or unreadable."""

    def __init__(self, message: str, code: str) -> None:
        """Take the text of the error and, as the code, the name of the saying for the customer."""
        super().__init__(message)
        self.code = code


class SettingsError(AssistantError):
    """Raised for an unknown setting or a wrong value; the message names its source."""


class IntentsError(AssistantError):
    """Raised when an intents file or a classifier's file is not valid; the message names it."""


class TemplateError(AssistantError):
    """Raised when a template file is not valid or a value for it is missing."""


class GeneratorError(AssistantError):
    """Raised when the generator cannot be loaded or its server fails."""


class StoreError(AssistantError):
    """Raised when the database cannot be reached, read or written."""


class ConversationError(AssistantError):
    """Raised when a conversation or a message does not exist or belongs to somebody else."""


class BusyError(AssistantError):
    """Raised when a message that was sent again is being answered already."""


class HandoffError(AssistantError):
    """Raised when a handoff does not exist, has ended, or is another agent's."""
