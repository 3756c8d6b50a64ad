"""The store: SQLAlchemy Core tables in SQLite or PostgreSQL, owned by whoever declares them.

Importing this package does not import SQLAlchemy; workers in the path of frames rely on it.
"""

from __future__ import annotations

from vigilar_core.store.declaration import Projection, Tables

__all__ = ["Projection", "Tables"]
