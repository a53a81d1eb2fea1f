"""The request of a chat completion, in OpenAI's format."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.errors import InvalidMessageError
from assistant.message.history import SentDecision, earlier_message
from assistant.messages import Message

MODEL = "frontdesk"
MAX_MESSAGES = 200


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextPart(_Strict):
    """A part of a message's content. Only text is accepted."""

    type: Literal["text"]
    text: str


class RequestMessage(_Strict):
    """A message of the conversation. System and developer messages are ignored.

    An assistant's message may come back with its object ``frontdesk``. OpenAI's clients also send
    back the fields from ``refusal`` on; only empty ones are accepted.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None
    frontdesk: SentDecision | None = None
    refusal: None = None
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None
    tool_calls: list[Any] | None = Field(None, max_length=0)

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class StreamOptions(_Strict):
    """OpenAI's options of a stream."""

    include_usage: bool = False


class ChatRequest(_Strict):
    """A chat completion request. Sampling options are accepted and have no effect.

    ``after`` is the number of the last message that this one follows, where a customer changed an
    earlier one: what lies in between is replaced.
    """

    messages: Annotated[list[RequestMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    model: str = MODEL
    conversation_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    after: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] = 1
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None

    def conversation(self) -> tuple[str, list[Message]]:
        """Return the customer's message and the history before it, oldest first.

        Raises:
            InvalidMessageError: The last message is not the user's.
        """
        messages = [m for m in self.messages if m.role in ("user", "assistant")]
        if not messages or messages[-1].role != "user":
            raise InvalidMessageError("Expected the last message to be the user's.", "empty")
        history = [
            earlier_message("user" if m.role == "user" else "assistant", m.text, m.frontdesk)
            for m in messages[:-1]
        ]
        return messages[-1].text, history
