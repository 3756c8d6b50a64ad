"""Our own pages, one module a subject, mounted the same way as another plugin's."""

from __future__ import annotations

from collections.abc import Sequence

from vigilar_core.web import WebPart
from vigilar_web.pages import (
    account,
    api,
    events,
    feed,
    health,
    home,
    setup,
    sign_in,
    system,
    users,
)

PARTS: Sequence[WebPart] = (
    home.part,
    events.part,
    feed.part,
    system.part,
    users.part,
    account.part,
    sign_in.part,
    setup.part,
    health.part,
    api.part,
    api.documents_part,
)

__all__ = ["PARTS"]
