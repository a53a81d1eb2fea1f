"""Tokens that say which conversation a browser may open; the page keeps them."""

from assistant.errors import ConversationError

DAY = 24 * 60 * 60


class Tokens:
    """Signs conversations."""

    def __init__(self, secret: str, days: int) -> None:
        """Take the secret and how many days a token is good for."""
        from itsdangerous import URLSafeTimedSerializer

        self.days = days
        self._serializer = URLSafeTimedSerializer(secret, salt="conversation")

    def sign(self, conversation: str) -> str:
        """Return a token for a conversation."""
        token = self._serializer.dumps(conversation)
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> str:
        """Return the conversation of a token.

        Raises:
            ConversationError: The token is not ours, or too old.
        """
        from itsdangerous import BadData

        try:
            return str(self._serializer.loads(token, max_age=self.days * DAY))
        except BadData:
            raise ConversationError(
                f"Expected a token of the last {self.days} days, found another one. "
                "Begin a new conversation."
            ) from None
