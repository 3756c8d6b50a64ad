"""Pages of other plugins."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigilar_core.context import ServiceContext
from vigilar_core.web import WebPart

if TYPE_CHECKING:
    from vigilar_web.surroundings import Web

#: The hook through which other plugins contribute.
HOOK = "register_blueprint"
_log = logging.getLogger(__name__)


def parts(context: ServiceContext, web: Web) -> Sequence[WebPart]:
    """What the other running plugins contribute; who fails is left out and named in the web."""
    found: list[WebPart] = []
    for plugin, contribute in context.hosted(HOOK).items():
        try:
            found += contribute(web=web) or ()
        except Exception:  # noqa: BLE001 - the boundary to plugins
            # The web starts without the pages of this one.
            _log.exception("the pages of plugin %s are left out", plugin)
            web.broken_parts.append(plugin)
    return found
