from __future__ import annotations

import datetime
import json

from vigilar_core.context import Service
from vigilar_core.events import EventKind, Severity
from vigilar_core.runtime.boot import Boot

BOOT = Boot(
    worker="group:light",
    services=(Service("ledger", "core"), Service("web", "web", preload=("flask",))),
    slots=(3, 4),
    beats="/run/vigilar/heartbeats",
    hooks={"web": ("register_blueprint",), "recorder": ("camera_attach", "register_tables")},
    distributions={"web": "vigilar-web", "recorder": "vigilar-recorder"},
    targets={"web": "vigilar_web.plugin", "recorder": "vigilar_recorder.plugin:plugin"},
    kinds=(EventKind("motion_start", "vigilar/camera/{camera}/motion/start", Severity.INFO, "M"),),
    configuration={"web": {"port": 1}, "cameras": [{"id": "hall"}]},
    log_level="INFO",
    trace_hooks=False,
)


def test_a_boot_message_survives_its_journey() -> None:
    assert Boot.from_json(json.loads(json.dumps(BOOT.to_json()))) == BOOT


def test_dates_and_times_of_the_file_travel_as_iso_8601() -> None:
    told = Boot(
        **{
            **{name: getattr(BOOT, name) for name in BOOT.__slots__},
            "configuration": {
                "digest": {"at": datetime.time(8), "days": [datetime.date(2026, 1, 2)]}
            },
        }
    ).to_json()
    assert told["configuration"] == {"digest": {"at": "08:00:00", "days": ["2026-01-02"]}}


def test_the_ledger_imports_the_owners_of_tables_and_nobody_else() -> None:
    assert BOOT.plugins_to_load() == ("recorder", "web")
    assert BOOT.inline_plugins() == ()
