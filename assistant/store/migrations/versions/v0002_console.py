"""What the team does in the console, and which conversations were invented to show it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    is_demo: sa.Column[bool] = sa.Column(
        "is_demo", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("conversation", is_demo)
    op.add_column("handoff", sa.Column("snoozed", _TIME))
    op.add_column("handoff", sa.Column("outcome", sa.String(40), nullable=False, server_default=""))
    op.create_table(
        "presence",
        sa.Column("conversation_id", sa.String(32),
                  sa.ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("seen", _TIME, nullable=False),
        sa.Column("wrote", _TIME),
    )  # fmt: skip
    op.create_table(
        "canned_reply",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("created", _TIME, nullable=False),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("created", _TIME, nullable=False),
    )
    op.create_table(
        "article_change",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("updated", _TIME, nullable=False),
        sa.Column("published", _TIME),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False, index=True),
        sa.Column("on", sa.String(80), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("worker", sa.String(160), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("ended", _TIME),
        sa.Column("result", sa.JSON()),
    )
    _make_summaries()


def _make_summaries() -> None:
    yes_or_no = ("disliked", "liked", "repeated", "handed", "declined", "thanked", "pending")
    texts = ("first_words", "intents", "actions", "strategies", "languages", "question", "said")
    op.create_table(
        "summary",
        sa.Column("conversation_id", sa.String(32),
                  sa.ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seen", _TIME, nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in yes_or_no),
        sa.Column("mood", sa.String(8), nullable=False),
        sa.Column("slowest", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Index("ix_summary_is_demo_created", "is_demo", "created"),
    )  # fmt: skip
