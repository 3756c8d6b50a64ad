"""Live pictures: fragments over WebSocket into the browser, HLS, and single pictures."""

from __future__ import annotations
