"""Conversations, messages, quotes with their articles, feedback, handoffs, keys and users."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("updated", _TIME, nullable=False, index=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("rating", sa.Integer()),
        sa.Column("customer", sa.String(80), nullable=False, index=True),
    )
    op.create_table(
        "deleted",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created", _TIME, nullable=False),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("conversation_id", sa.String(32), _of("conversation.id"), nullable=False,
                  index=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("after", sa.Integer()),
        sa.Column("key", sa.String(64)),
        sa.Column("worker", sa.String(160)),
        sa.Column("answers", sa.Integer(), _of("message.id"), unique=True),
        sa.Column("action", sa.String(16), nullable=False, index=True),
        sa.Column("reply", sa.JSON()),
        sa.Column("versions", sa.JSON()),
        sa.UniqueConstraint("conversation_id", "number"),
        sa.UniqueConstraint("conversation_id", "key", name="uq_message_key"),
    )  # fmt: skip
    op.create_table(
        "article_version",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
    )
    op.create_table(
        "citation",
        sa.Column("message_id", sa.Integer(), _of("message.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("version", sa.String(64), sa.ForeignKey("article_version.hash"), nullable=False,
                  index=True),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
    )  # fmt: skip
    op.create_table(
        "feedback",
        sa.Column("message_id", sa.Integer(), _of("message.id"), primary_key=True),
        sa.Column("thumb", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
    )
    op.create_table(
        "handoff",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("conversation_id", sa.String(32), _of("conversation.id"), nullable=False,
                  index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("reminded", _TIME),
        sa.Column("taken", _TIME),
        sa.Column("agent", sa.String(80), nullable=False),
        sa.Column("typing", _TIME),
        sa.Column("ended", _TIME),
    )  # fmt: skip
    op.create_table(
        "contact",
        sa.Column("conversation_id", sa.String(32), _of("conversation.id"), primary_key=True),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False, index=True),
    )
    op.create_table(
        "user",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("stamp", sa.String(32), nullable=False),
        sa.Column("created", _TIME, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("created", _TIME, nullable=False, index=True),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("did", sa.String(40), nullable=False),
        sa.Column("on", sa.String(80), nullable=False),
    )
    op.create_table(
        "api_key",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("revoked", _TIME),
    )
    _make_tables_of_other_systems()


def _make_tables_of_other_systems() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("conversation_id", sa.String(32), _of("conversation.id"), nullable=False,
                  index=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", _TIME, nullable=False, index=True),
        sa.Column("sent", _TIME),
        sa.Column("given_up", _TIME),
    )  # fmt: skip
    op.create_table(
        "outside_conversation",
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("outside_id", sa.String(64), primary_key=True),
        sa.Column("conversation_id", sa.String(32), _of("conversation.id"), nullable=False,
                  index=True),
        sa.Column("opened", _TIME),
    )  # fmt: skip
    op.create_table(
        "outside_message",
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("outside_id", sa.String(64), primary_key=True),
        sa.Column("conversation_id", sa.String(32), _of("conversation.id"), nullable=False,
                  index=True),
    )  # fmt: skip


_TIME = sa.DateTime(timezone=True)


def _of(column: str) -> sa.ForeignKey:
    """Return a reference whose row goes with the one that it refers to."""
    return sa.ForeignKey(column, ondelete="CASCADE")
