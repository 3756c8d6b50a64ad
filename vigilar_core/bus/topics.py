"""Topics as pure functions of ids. Every internal topic begins with ``vigilar/``.

Ids that reach a topic are limited to :data:`ID_PATTERN`, so a name can never carry
a wildcard (``+``, ``#``), a separator (``/``) or a reserved ``$`` into one
(MQTT 5.0, section 4.7).
"""

from __future__ import annotations

import re

#: What an id may look like: a letter or digit, then letters, digits, ``_`` or ``-``; 64 at most.
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_ID = re.compile(ID_PATTERN)

ALL = "vigilar/#"
ALL_CAMERAS = "vigilar/camera/#"
ALL_SENSORS = "vigilar/sensor/#"
#: Committed events as the ledger re-publishes them.
COMMITTED = "vigilar/ledger/committed"
#: "Send me all events after N", answered on :func:`replay`.
REPLAY_REQUEST = "vigilar/ledger/replay/request"
#: "I have handled everything up to N", remembered by the ledger for each service.
CURSOR = "vigilar/ledger/cursor"
#: Events that caused each other beyond the hop limit.
EVENT_LOOP = "vigilar/system/event_loop"
SYSTEM_HEALTH = "vigilar/system/health"
ARM_STATE = "vigilar/system/arm_state"
SYSTEM_ALERT = "vigilar/system/alert"
UPS_STATUS = "vigilar/ups/status"
UPS_POWER_LOSS = "vigilar/ups/power_loss"
UPS_LOW_BATTERY = "vigilar/ups/low_battery"


def check_id(value: str) -> str:
    """The id itself.

    :raises ValueError: it could not stand in a topic
    """
    if not _ID.fullmatch(value):
        raise ValueError(
            f"{value[:80]!r} is not an id: letters, digits, '_' and '-' only, 64 at most"
        )
    return value


def camera(camera_id: str, *levels: str) -> str:
    return "/".join(("vigilar/camera", check_id(camera_id), *levels))


def motion_start(camera_id: str) -> str:
    return camera(camera_id, "motion", "start")


def motion_end(camera_id: str) -> str:
    return camera(camera_id, "motion", "end")


def heartbeat(camera_id: str) -> str:
    return camera(camera_id, "heartbeat")


def sensor(sensor_id: str, event_type: str) -> str:
    return f"vigilar/sensor/{check_id(sensor_id)}/{check_id(event_type)}"


def acknowledgement(service: str) -> str:
    """Where the ledger tells a publisher which of its events are committed."""
    return f"vigilar/ledger/acknowledgement/{service_level(service)}"


def replay(service: str) -> str:
    return f"vigilar/ledger/replay/{service_level(service)}"


def service_state(service: str) -> str:
    """``online``/``offline`` of a service, retained; offline is its last will."""
    return f"vigilar/service/{service_level(service)}/state"


def spool_state(service: str) -> str:
    """What a service had to drop from its spool for want of room, retained."""
    return f"vigilar/service/{service_level(service)}/spool"


def service_level(service: str) -> str:
    """A service name as one topic level: ``camera:hall`` → ``camera.hall``."""
    return ".".join(check_id(part) for part in service.split(":"))


def matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT topic filter covers a topic (MQTT 5.0, section 4.7)."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic.startswith("$") != pattern.startswith("$"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)
