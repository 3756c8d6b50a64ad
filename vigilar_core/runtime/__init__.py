"""The runtime: one supervisor, its workers, and what a service is given to work with."""

from __future__ import annotations
