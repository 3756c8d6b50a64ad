"""The core of Vigilar: contracts and plumbing. Every ability is a plugin."""

from __future__ import annotations

__version__ = "0.1.0"
