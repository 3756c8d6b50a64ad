from __future__ import annotations

import threading

import pytest

from vigilar_camera_rtsp.address import parse_address
from vigilar_camera_rtsp.cause import Cause, SourceError
from vigilar_camera_rtsp.opening import Opening, open_source
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.testing import eventually


class Input:
    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def failure(opening: Opening) -> SourceError | None:
    try:
        opening.result()
    except SourceError as error:
        return error
    return None


def test_the_open_source_is_handed_over_once_it_is_there() -> None:
    gate, source = threading.Event(), Input()
    opening = Opening(lambda: (gate.wait(5), source)[1])
    assert opening.result() is None
    gate.set()
    assert eventually(opening.result) is source


def test_any_failure_reaches_the_loop_as_a_cause() -> None:
    def fail() -> Input:
        raise RuntimeError("rtsp://u:canary@h")

    opening = Opening(fail)
    error = eventually(lambda: failure(opening))
    assert error.cause is Cause.FAILED
    assert "canary" not in str(error)


def test_an_abandoned_source_is_closed_when_it_opens_after_all() -> None:
    gate, source = threading.Event(), Input()
    opening = Opening(lambda: (gate.wait(5), source)[1])
    opening.abandon()
    gate.set()
    assert source.closed.wait(5)
    assert opening.result() is None


def test_an_open_source_that_is_abandoned_is_closed() -> None:
    source = Input()
    opening = Opening(lambda: source)
    eventually(opening.result)
    opening.abandon()
    assert source.closed.is_set()


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:1/x", "file:/nowhere/x.mp4", "/dev/video251"])
def test_each_kind_of_address_is_opened_by_its_source(url: str) -> None:
    with pytest.raises(SourceError) as refused:
        open_source(parse_address(url), CameraSource(rtsp_url=url), lambda: 0.0)
    assert refused.value.cause in (Cause.REFUSED, Cause.NO_SUCH_STREAM)


def test_an_unknown_name_is_told_from_an_unreachable_camera() -> None:
    url = "rtsp://no-such-camera.invalid/x"
    with pytest.raises(SourceError) as unknown:
        open_source(parse_address(url), CameraSource(rtsp_url=url), lambda: 0.0)
    assert unknown.value.cause is Cause.NAME_NOT_RESOLVED
