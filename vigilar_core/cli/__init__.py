"""The command line: ``vigilar``. Commands are imported when they are used, never for the help."""

from __future__ import annotations

from vigilar_core.cli.root import main

__all__ = ["main"]
