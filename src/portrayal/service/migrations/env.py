"""Alembic's environment: the connection and its transaction come from `portrayal.service.migrations`."""

from __future__ import annotations

from alembic import context

from portrayal.service.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction holds all of it, and the lock
)
context.run_migrations()
