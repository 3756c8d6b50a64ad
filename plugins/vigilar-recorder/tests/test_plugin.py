from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from vigilar_core.errors import NotReadyError
from vigilar_core.health import HealthState
from vigilar_recorder import retention
from vigilar_recorder.plugin import RecorderPlugin


def test_in_a_camera_s_process_there_is_nothing_to_complain_of() -> None:
    assert RecorderPlugin().health_check().state is HealthState.OK


def test_the_service_says_that_it_waits_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_yet(_context: Any) -> None:
        raise NotReadyError("not migrated")

    monkeypatch.setattr(retention, "Retention", not_yet)
    plugin = RecorderPlugin()
    plugin.poll(SimpleNamespace())  # type: ignore[arg-type]
    health = plugin.health_check()
    assert health.state is HealthState.DEGRADED
    assert "database" in health.reason
