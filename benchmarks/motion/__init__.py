"""How well and how cheaply motion is found, held against the Motion daemon."""

from __future__ import annotations
