"""Keeps what customers think of replies and of conversations."""

from assistant.errors import ConversationError
from assistant.message.safety import mask
from assistant.store.database import Database
from assistant.store.summaries import forget_summary
from assistant.store.tables import FeedbackRow, MessageRow, conversation_row, now


class Feedback:
    """Keeps judgements."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def rate(self, conversation: str, rating: int) -> None:
        """Keep a customer's rating of a conversation, from 1 to 5.

        Raises:
            ConversationError: There is no such conversation.
        """
        with self._database.write() as session:
            conversation_row(session, conversation).rating = rating

    def judge(
        self, conversation: str, number: int, thumb: int, reason: str = "", correction: str = ""
    ) -> None:
        """Keep what a customer thinks of a reply; it replaces what was thought before.

        Args:
            conversation: The id of the conversation.
            number: The reply's number in it.
            thumb: 1 for up, -1 for down, 0 to take it back.
            reason: Why.
            correction: What would have been right.

        Raises:
            ConversationError: There is no such reply.
        """
        from sqlalchemy import select

        with self._database.write() as session:
            conversation_row(session, conversation)
            wanted = (
                MessageRow.conversation_id == conversation,
                MessageRow.number == number,
                MessageRow.role != "user",
            )
            row = session.scalars(select(MessageRow).where(*wanted)).one_or_none()
            if row is None:
                raise ConversationError(f"Expected the number of a reply, found {number}.")
            said = {"thumb": thumb, "reason": mask(reason), "correction": mask(correction)}
            session.merge(FeedbackRow(message_id=row.id, created=now(), **said))
            forget_summary(session, conversation)
