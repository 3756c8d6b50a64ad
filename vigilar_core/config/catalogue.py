"""Which package owns which part of the configuration, installed or not.

Lets a message name the package that is missing, and lets the keys of a plugin that is switched
off stay in the file. An installed plugin speaks for itself; this page is for the absent ones.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Any key of the section and of what lies below it.
WHOLE: tuple[str, ...] = ("*",)

#: Distribution → path of a section → its keys.
OWNERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "vigilar-camera-rtsp": {
        "cameras": (
            "rtsp_url",
            "detect_url",
            "rtsp_transport",
            "rtsp_timeout_ms",
            "rtsp_reconnect_s",
            "audio",
            "idle_fps",
            "motion_fps",
            "idle_decode",
            "resolution_capture",
            "resolution_motion",
            "options",
        ),
    },
    "vigilar-motion": {
        "cameras": (
            "method",
            "motion_sensitivity",
            "motion_min_area_px",
            "motion_zones",
            "zones",
        ),
    },
    "vigilar-recorder": {
        "storage": ("encrypt_recordings",),
        "cameras": (
            "record_continuous",
            "record_on_motion",
            "continuous",
            "pre_motion_buffer_s",
            "pre_motion_buffer_mb",
            "post_motion_buffer_s",
            "max_recording_s",
            "retention_days",
        ),
    },
    "vigilar-live": {"live": WHOLE, "remote": WHOLE},
    "vigilar-web": {"web": WHOLE, "kiosk": WHOLE},
    "vigilar-alarm": {"rules": WHOLE},
    "vigilar-sensors": {"sensors": WHOLE, "zigbee2mqtt": WHOLE},
    "vigilar-ups-nut": {"ups": WHOLE},
    "vigilar-presence": {"presence": WHOLE},
    "vigilar-health": {
        "health": (
            "enabled",
            "disk_warn_pct",
            "disk_critical_pct",
            "daily_digest",
            "daily_digest_time",
        ),
    },
    "vigilar-prune": {
        "health": ("auto_prune", "auto_prune_target_pct"),
        "storage": ("max_disk_usage_gb", "free_space_floor_gb"),
    },
    "vigilar-local": {"alerts.local": WHOLE},
    "vigilar-push": {"alerts.web_push": WHOLE},
    "vigilar-email": {"alerts.email": WHOLE},
    "vigilar-webhook": {"alerts.webhook": WHOLE},
    "vigilar-detect": {"detection": WHOLE, "vehicles": WHOLE},
    "vigilar-pets": {"pets": WHOLE},
    "vigilar-visitors": {"visitors": WHOLE},
    "vigilar-highlights": {"highlights": WHOLE},
    "vigilar-evidence": {"evidence": WHOLE},
}

#: Distributions that are part of Vigilar itself.
FIRST_PARTY: frozenset[str] = frozenset(OWNERS)


def owner_of(path: str, key: str) -> str | None:
    """The distribution that a key of a table belongs to, ``None`` when no known one."""
    return next(
        (name for name, sections in OWNERS.items() if _covers(sections, path, key)),
        None,
    )


def leads_on(path: str) -> bool:
    """Whether a table is shared, or holds sections of somebody: its keys tell whose they are."""
    return any(
        section.startswith(f"{path}.") or (section == path and keys != WHOLE)
        for sections in OWNERS.values()
        for section, keys in sections.items()
    )


def keys_of(path: str) -> frozenset[str]:
    """All keys and sections that some distribution has in a table; for guessing what was meant."""
    found: set[str] = set()
    for sections in OWNERS.values():
        found.update(key for key in sections.get(path, ()) if key != "*")
        for section in sections:
            if not path or section.startswith(f"{path}."):
                found.add(section.removeprefix(f"{path}.").split(".")[0])
    return frozenset(found)


def plugin_name(distribution: str) -> str:
    """The name of a first-party distribution's plugin: ``vigilar-ups-nut`` → ``ups-nut``."""
    return distribution.removeprefix("vigilar-")


def _covers(sections: Mapping[str, tuple[str, ...]], path: str, key: str) -> bool:
    full = f"{path}.{key}" if path else key
    return any(
        (keys == WHOLE and f"{full}.".startswith(f"{section}."))
        or (path == section and key in keys)
        for section, keys in sections.items()
    )
