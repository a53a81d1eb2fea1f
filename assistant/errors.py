"""Errors of the assistant package.

AssistantError
├── InvalidMessageError   the customer's message cannot be taken
├── SettingsError         a setting is unknown or has a wrong value
├── IntentsError          an intents file is wrong
├── TemplateError         a template is wrong, or is rendered with the wrong values
└── GeneratorError        the language model cannot be loaded or does not answer
"""


class AssistantError(Exception):
    """Base class: the message says what was expected, what was found and what to do."""


class InvalidMessageError(AssistantError):
    """Raised when a message is empty, too long or unreadable; ``code`` names the saying."""

    def __init__(self, message: str, code: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


class SettingsError(AssistantError):
    """Raised when a settings file holds an unknown key or a value of the wrong kind."""


class IntentsError(AssistantError):
    """Raised when an intents file cannot be read; the message names the file."""


class TemplateError(AssistantError):
    """Raised when a template file is wrong or a value for it is missing."""


class GeneratorError(AssistantError):
    """Raised when the generator cannot be loaded, or its server fails."""
