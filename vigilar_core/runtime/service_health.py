"""The regular health check of a service, in the service's own loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vigilar_core.bus import topics
from vigilar_core.config.secret import redact_url
from vigilar_core.context import ServiceContext
from vigilar_core.health import Health, HealthState
from vigilar_core.plugins.host import PluginHost

CHECK_EVERY_S = 10.0
#: Told the supervisor: plugin → state, reason, fix, figures.
Report = Callable[[Mapping[str, Any]], None]

log = logging.getLogger(__name__)


class HealthCheck:
    """Asks the plugins of a service how they are and passes it on.

    :param plugins: those of them that implement ``health_check`` are asked
    :param report: tells the supervisor, whether or not there is a broker
    """

    def __init__(
        self, context: ServiceContext, host: PluginHost, plugins: Sequence[str], report: Report
    ) -> None:
        self._context = context
        self._host = host
        self._plugins = [each for each in plugins if "health_check" in host.hooks_of(each)]
        self._report = report
        self._next_s = context.clock.monotonic_s()
        self._states: dict[str, HealthState] = {}

    def turn(self) -> None:
        """Called once each turn of the loop; checks when it is time."""
        now_s = self._context.clock.monotonic_s()
        if now_s < self._next_s or not self._plugins:
            return
        self._next_s = now_s + CHECK_EVERY_S
        answers = {plugin: self._ask(plugin) for plugin in self._plugins}
        for plugin, health in answers.items():
            self._tell_change(plugin, health)
        data = {plugin: _plain(health) for plugin, health in answers.items()}
        name = self._context.service.name
        self._report(data)
        self._context.bus.publish_state(
            f"vigilar/service/{topics.service_level(name)}/health", {"plugins": data}
        )

    def _ask(self, plugin: str) -> Health:
        try:
            health = self._host.call_one(plugin, "health_check")
        except Exception as error:
            # The boundary to plugins: one that cannot answer is not well.
            log.exception("health_check of plugin %s failed", plugin)
            return Health(HealthState.FAILED, f"health_check failed: {error!r}")
        if not isinstance(health, Health):
            return Health(HealthState.FAILED, f"health_check answered {type(health).__name__}")
        return health

    def _tell_change(self, plugin: str, health: Health) -> None:
        before = self._states.get(plugin, HealthState.OK)
        self._states[plugin] = health.state
        if before == health.state:
            return
        name = self._context.service.name
        better = health.state is HealthState.OK
        self._context.bus.publish_event(
            f"vigilar/service/{topics.service_level(name)}/health/{plugin}/"
            + ("better" if better else "worse"),
            name=name,
            state=health.state.value,
            reason=redact_url(health.reason),
            fix=redact_url(health.fix),
        )


def _plain(health: Health) -> dict[str, Any]:
    return {
        "state": health.state.value,
        "reason": redact_url(health.reason),
        "fix": redact_url(health.fix),
        "figures": dict(health.figures),
    }
