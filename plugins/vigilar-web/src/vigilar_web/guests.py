"""Pages of other plugins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import cast

from vigilar_core.context import ServiceContext
from vigilar_core.errors import PluginBrokenError
from vigilar_core.plugins.host import PluginHost
from vigilar_core.web import WebPart
from vigilar_web.surroundings import Web

#: Our own name among the plugins.
OWN = "web"
_log = logging.getLogger(__name__)


def parts(context: ServiceContext, web: Web) -> Sequence[WebPart]:
    """What the other running plugins contribute; who fails is left out and named in the web."""
    host = PluginHost(on_failure=lambda plugin, hook, error: _failed(web, plugin, error))
    for name in _names(context):
        try:
            host.load([name])
        except PluginBrokenError as error:
            _failed(web, name, error)
    found: list[WebPart] = []
    for answer in host.call("register_blueprint", web=web):
        found += answer.value or ()
    return found


def _names(context: ServiceContext) -> Sequence[str]:
    known = getattr(context, "plugins_with", None)
    if known is None:
        return ()
    plugins_with = cast(Callable[[str], Sequence[str]], known)
    return [name for name in plugins_with("register_blueprint") if name != OWN]


def _failed(web: Web, plugin: str, error: BaseException) -> None:
    _log.error("the pages of plugin %s are left out", plugin, exc_info=error)
    web.broken_parts.append(plugin)
