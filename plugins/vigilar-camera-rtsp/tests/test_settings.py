from __future__ import annotations

import pytest
from pydantic import ValidationError

from vigilar_camera_rtsp.settings import CameraSource


def test_defaults_are_those_of_the_manual() -> None:
    source = CameraSource(rtsp_url="rtsp://cam/x")
    assert (source.idle_fps, source.motion_fps) == (2, 30)
    assert source.resolution_capture == (1920, 1080)
    assert source.resolution_motion == (640, 360)
    assert (source.rtsp_transport, source.rtsp_timeout_ms, source.audio) == ("tcp", 4000, True)
    assert source.detect_address is None


def test_the_address_is_required() -> None:
    with pytest.raises(ValidationError, match="rtsp_url"):
        CameraSource()


@pytest.mark.parametrize(
    "keys",
    [
        {"rtsp_url": "http://cam/x"},
        {"detect_url": "concat:/etc/passwd"},
        {"rtsp_transport": "http"},
        {"idle_fps": 0},
        {"idle_fps": 31},
        {"motion_fps": 61},
        {"resolution_motion": [10, 10]},
        {"rtsp_timeout_ms": 1},
        {"options": {"protocol_whitelist": "file"}},
        {"options": {"user_agent": "x\r\nAuthorization: y"}},
        {"options": {"ca_file": "http://evil/ca.pem"}},
        {"options": {"input_format": "yuyv422,lavfi"}},
        {"options": {"buffer_size": "1 -f lavfi"}},
        {"ffmpeg_options": "-f lavfi"},
    ],
)
def test_attack_class_2_bad_values_and_foreign_options_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CameraSource(**{"rtsp_url": "rtsp://cam/x", **keys})


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(ValidationError) as refused:
        CameraSource(rtsp_url="http://admin:canary-7Q@cam/x")
    assert "canary" not in str(refused.value.errors()[0]["msg"])


def test_settings_print_without_the_password() -> None:
    source = CameraSource(rtsp_url="rtsp://admin:canary-7Q@cam/x")
    assert "canary" not in repr(source) + source.model_dump_json()


def test_the_demonstration_camera_brings_its_second_stream() -> None:
    detect = CameraSource(rtsp_url="demo:").detect_address
    assert detect is not None
    assert detect.target == "sub"


def test_opening_may_take_a_quarter_longer_than_reading() -> None:
    source = CameraSource(rtsp_url="rtsp://cam/x")
    assert (source.open_timeout_s, source.read_timeout_s) == (5.0, 4.0)
