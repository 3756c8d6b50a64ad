"""The bus: how processes of one installation tell each other what happened."""

from __future__ import annotations

from vigilar_core.bus import topics
from vigilar_core.bus.api import Bus, Handler, Message

__all__ = ["Bus", "Handler", "Message", "topics"]
