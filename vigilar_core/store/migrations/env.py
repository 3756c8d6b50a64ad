"""What Alembic runs for each distribution: connection and version table are handed in."""

from __future__ import annotations

from alembic import context

_given = context.config.attributes

context.configure(
    connection=_given["connection"],
    version_table=_given["version_table"],
    render_as_batch=True,
    transactional_ddl=False,  # the caller has a transaction open around all steps
)
context.run_migrations()
