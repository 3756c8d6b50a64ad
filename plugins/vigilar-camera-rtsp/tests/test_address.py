from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_camera_rtsp.address import parse_address


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("rtsp://10.0.0.7/live", "rtsp", "rtsp://10.0.0.7/live"),
        ("rtsps://cam.lan:322/1?channel=1&subtype=0", "rtsp", None),
        ("rtsp://[fe80::1]:8554/x", "rtsp", None),
        ("rtsp://user:p%40ss@cam/x", "rtsp", None),
        ("/dev/video0", "device", "/dev/video0"),
        ("3", "device", "/dev/video3"),
        ("file:/srv/clip.mp4", "file", "/srv/clip.mp4"),
        ("file:///srv/clip.mp4", "file", "/srv/clip.mp4"),
        ("demo:", "demo", "main"),
        ("demo:sub", "demo", "sub"),
    ],
)
def test_every_form_of_address_is_understood(text: str, kind: str, target: str | None) -> None:
    address = parse_address(text)
    assert address.kind == kind
    assert address.target == (target or text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://cam/x.m3u8",
        "concat:/etc/passwd|/etc/shadow",
        "pipe:0",
        "exec:reboot",
        "RTSP://cam/x",
        "rtsp:///etc/passwd",
        "rtsp://cam/x y",
        "rtsp://cam/x\r\nDESCRIBE rtsp://other/y RTSP/1.0",
        "rtsp://cam:99999/x",
        "rtsp://ca$(reboot)m/x",
        "rtsp://cam/x#password-with-hash@cam",
        "rtsp://;reboot/x",
        "rtsp+tcp://cam/x",
        "-i /etc/passwd",
        "/dev/sda",
        "/dev/video0/../sda",
        "/dev/video0 -f lavfi",
        "file:relative.mp4",
        "file:/srv/../etc/passwd",
        "file:/srv/x\n",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "lavfi:testsrc",
        "demo:other",
        "9999",
        "rtsp://cam/" + "x" * 3000,
    ],
)
def test_attack_classes_2_and_3_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_address(text)


def test_the_password_is_in_neither_label_nor_representation_nor_error() -> None:
    address = parse_address("rtsp://admin:canary-7Q@cam/x")
    assert "canary" not in address.label + repr(address)
    with pytest.raises(ValueError, match="host") as refused:
        parse_address("rtsp://admin:canary-7Q@/x")
    assert "canary" not in str(refused.value)


@given(st.text(max_size=200))
def test_arbitrary_text_is_understood_or_refused_but_never_crashes(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError as error:
        assert not text.strip() or len(text) < 8 or text not in str(error)
    else:
        assert address.kind in ("rtsp", "device", "file", "demo")
