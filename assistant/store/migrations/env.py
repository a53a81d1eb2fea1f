"""What Alembic runs: it applies the steps over the connection that ``database.py`` opened."""

from alembic import context

from assistant.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite changes a table by making a new one.
    render_as_batch=True,
)
context.run_migrations()
