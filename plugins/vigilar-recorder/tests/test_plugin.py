"""What the plugin declares, and what it must not pull into a camera's process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vigilar_core.config import build_settings
from vigilar_core.errors import ConfigurationError
from vigilar_core.events import EventCatalogue
from vigilar_core.testing import FakeCamera, FakeSettings
from vigilar_recorder.camera_recorder import CameraRecorder
from vigilar_recorder.event_kinds import EVENT_KINDS
from vigilar_recorder.plugin import plugin
from vigilar_recorder.settings import SECTIONS, CameraRecording


def test_a_cameras_process_imports_no_sqlalchemy_and_no_flask() -> None:
    code = (
        "import sys, vigilar_recorder.plugin, vigilar_recorder.camera_recorder;"
        "print(sorted({'sqlalchemy', 'flask', 'alembic', 'cv2'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_the_defaults_are_those_of_the_handbook() -> None:
    settings = build_settings({"cameras": [{"id": "hall"}]}, SECTIONS)
    found = settings.item("cameras", "hall", CameraRecording)
    assert (found.pre_motion_buffer_s, found.post_motion_buffer_s) == (5, 30)
    assert (found.record_on_motion, found.record_continuous) == (True, False)
    assert found.retention_days == 30


@pytest.mark.parametrize(
    "keys", [{"pre_motion_buffer_s": -1}, {"continuous": "some"}, {"max_recording_s": 1},
             {"retention_days": -1}, {"pre_motion_buffer_mb": 0}],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_by_name(keys: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(keys))):
        build_settings({"cameras": [{"id": "hall", **keys}]}, SECTIONS)


def test_every_kind_of_event_is_declared_once() -> None:
    catalogue = EventCatalogue.of(EVENT_KINDS)
    kind = catalogue.classify("vigilar/camera/hall/recording/sealed")
    assert kind is not None
    assert kind.name == "recording_sealed"


def test_the_plugin_attaches_to_a_camera(tmp_path: Path) -> None:
    recorder = plugin.camera_attach(FakeCamera(tmp_path))
    assert isinstance(recorder, CameraRecorder)
    recorder.on_close()


def test_there_is_one_service_whatever_the_cameras() -> None:
    (service,) = plugin.register_services(FakeSettings())
    assert service.name == "recorder"
    assert not service.inline
