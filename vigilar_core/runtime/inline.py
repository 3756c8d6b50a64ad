"""Calls of inline plugins, each guarded: one that fails costs only its own answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vigilar_core.clock import Clock

#: A method that fails this often in a row detaches its plugin from the camera.
DETACH_AFTER = 100
#: A failing method is logged at most this often.
REPORT_EVERY_S = 60.0
#: Methods that an inline plugin's object may have.
METHODS = (
    "on_connected",
    "on_packet",
    "on_frame",
    "on_motion",
    "on_disconnected",
    "on_tick",
    "on_close",
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class InlineCall:
    """One method of one plugin's object, looked up once."""

    plugin: str
    name: str
    method: Callable[..., Any]
    failures: int = 0
    total_failures: int = 0
    reported_s: float | None = None


class InlineCalls:
    """The methods of all plugins attached to one camera, by name and in order.

    :param camera: id, for the log
    :param detached: called with plugin and reason after a plugin was taken off
    """

    def __init__(self, camera: str, clock: Clock, detached: Callable[[str, str], None]) -> None:
        self._camera = camera
        self._clock = clock
        self._detached = detached
        self._calls: dict[str, list[InlineCall]] = {name: [] for name in METHODS}

    def attach(self, plugin: str, target: object) -> None:
        """Add a plugin's object."""
        for name in METHODS:
            method = getattr(target, name, None)
            if callable(method):
                self._calls[name].append(InlineCall(plugin, name, method))

    def of(self, name: str) -> list[InlineCall]:
        """The present calls of a method; the list is replaced, never changed, by a detachment."""
        return self._calls[name]

    def call(self, name: str, *values: object) -> None:
        """Call a method of every plugin that has it; results are dropped."""
        for each in self._calls[name]:
            try:
                each.method(*values)
                each.failures = 0
            except Exception as error:  # noqa: BLE001  # the boundary to plugins
                self.failed(each, error)

    def failed(self, call: InlineCall, error: Exception) -> None:
        """Count and report a failure; the hundredth in a row detaches the plugin."""
        call.failures += 1
        call.total_failures += 1
        now_s = self._clock.monotonic_s()
        if call.reported_s is None or now_s - call.reported_s >= REPORT_EVERY_S:
            call.reported_s = now_s
            log.error(
                "camera %s: %s of plugin %s failed, %d times so far",
                self._camera,
                call.name,
                call.plugin,
                call.total_failures,
                exc_info=error,
            )
        if call.failures >= DETACH_AFTER:
            self._detach(call, error)

    def failures(self) -> dict[str, int]:
        """Failures so far by plugin."""
        found: dict[str, int] = {}
        for calls in self._calls.values():
            for call in calls:
                found[call.plugin] = found.get(call.plugin, 0) + call.total_failures
        return found

    def _detach(self, call: InlineCall, error: Exception) -> None:
        closing = [each for each in self._calls["on_close"] if each.plugin == call.plugin]
        for name, calls in self._calls.items():
            self._calls[name] = [each for each in calls if each.plugin != call.plugin]
        for each in closing:
            try:
                each.method()
            except Exception:
                # The boundary to plugins: it is being taken off because it fails.
                log.exception("camera %s: on_close of plugin %s failed", self._camera, each.plugin)
        self._detached(call.plugin, f"{call.name} failed {call.failures} times in a row: {error!r}")
