"""Reference pages written from what the code declares, so that they cannot fall behind it."""

from __future__ import annotations

from vigilar_core.reference.generated import files, main, outdated, write

__all__ = ["files", "main", "outdated", "write"]
