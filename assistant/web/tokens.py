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

    def sign(self, conversation: str, customer: str = "") -> str:
        """Return a token for a conversation.

        Args:
            conversation: The id of the conversation.
            customer: Who it is, as the company's site has signed; "" for anybody. The token
                carries it, because nothing is kept of a conversation before its first message.
        """
        token = self._serializer.dumps([conversation, customer] if customer else conversation)
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> str:
        """Return the conversation of a token.

        Raises:
            ConversationError: The token is not ours, or too old.
        """
        return self._read(token)[0]

    def customer(self, token: str) -> str:
        """Return who a token was given to, or "" for anybody. Raises as ``read``."""
        return self._read(token)[1]

    def _read(self, token: str) -> tuple[str, str]:
        from itsdangerous import BadData

        try:
            held = self._serializer.loads(token, max_age=self.days * DAY)
        except BadData:
            raise ConversationError(
                f"Expected a token of the last {self.days} days, found another one. "
                "Begin a new conversation."
            ) from None
        conversation, customer = held if isinstance(held, list) else (held, "")
        return str(conversation), str(customer)
