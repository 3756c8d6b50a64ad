"""The event kinds of the runtime itself."""

from __future__ import annotations

from vigilar_core.bus import topics
from vigilar_core.events import EventKind, Severity

RUNTIME_KINDS: tuple[EventKind, ...] = (
    EventKind(
        "service_started",
        "vigilar/service/{service}/started",
        Severity.DEBUG,
        "{name} runs",
        timeline=False,
    ),
    EventKind(
        "service_failed",
        "vigilar/service/{service}/failed",
        Severity.NOTICE,
        "{name} stopped by itself",
        "{reason}. It is started again.",
    ),
    EventKind(
        "service_degraded",
        "vigilar/service/{service}/degraded",
        Severity.CRITICAL,
        "{name} does not work",
        "{reason}. It is tried again and again.",
    ),
    EventKind(
        "service_recovered",
        "vigilar/service/{service}/recovered",
        Severity.NOTICE,
        "{name} works again",
    ),
    EventKind(
        "service_unhealthy",
        "vigilar/service/{service}/health/{plugin}/worse",
        Severity.WARNING,
        "{name} reports trouble",
        "{plugin}: {reason}. {fix}",
    ),
    EventKind(
        "service_healthy",
        "vigilar/service/{service}/health/{plugin}/better",
        Severity.NOTICE,
        "{name} is well again",
        "{plugin} reports no trouble any more.",
    ),
    EventKind(
        "plugin_broken",
        "vigilar/plugin/{plugin}/broken",
        Severity.CRITICAL,
        "The plugin {plugin} does not work",
        "{reason}",
    ),
    EventKind(
        "plugin_detached",
        "vigilar/camera/{camera}/plugin/{plugin}/detached",
        Severity.CRITICAL,
        "{plugin} no longer works on the camera {camera}",
        "{reason}",
    ),
    EventKind(
        "configuration_reloaded",
        "vigilar/system/configuration/reloaded",
        Severity.NOTICE,
        "The configuration was read again",
        "Restarted: {restarted}.",
    ),
    EventKind(
        "configuration_refused",
        "vigilar/system/configuration/refused",
        Severity.WARNING,
        "The changed configuration was refused",
        "{reason} The former one stays in force.",
    ),
    EventKind(
        "clock_jumped",
        "vigilar/system/clock/jumped",
        Severity.WARNING,
        "The clock was set by {seconds} s",
        "Times of events before and after differ by that much; their order is right.",
    ),
    EventKind(
        "event_loop",
        topics.EVENT_LOOP,
        Severity.WARNING,
        "Events that cause each other were stopped",
        "{service}: {cause_kind} on {cause}",
    ),
)
