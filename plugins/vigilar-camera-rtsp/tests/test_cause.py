from __future__ import annotations

import socket

import av.error
import pytest

from vigilar_camera_rtsp.cause import Cause, SourceError, source_error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (av.error.HTTPUnauthorizedError(1, "x", "rtsp://u:canary@h"), Cause.AUTHENTICATION_FAILED),
        (av.error.HTTPNotFoundError(1, "x"), Cause.NO_SUCH_STREAM),
        (av.error.ExitError(1, "x"), Cause.TIMED_OUT),
        (av.error.EOFError(1, "x"), Cause.DISCONNECTED),
        (av.error.InvalidDataError(1, "x"), Cause.INVALID_STREAM),
        (ConnectionRefusedError(111, "x"), Cause.REFUSED),
        (ConnectionResetError(104, "x"), Cause.DISCONNECTED),
        (TimeoutError(110, "x"), Cause.TIMED_OUT),
        (OSError(113, "x"), Cause.UNREACHABLE),
        (OSError(5, "x"), Cause.FAILED),
        (socket.gaierror(-2, "x"), Cause.NAME_NOT_RESOLVED),
        (PermissionError(13, "x"), Cause.NOT_PERMITTED),
        (RuntimeError("rtsp://u:canary@h"), Cause.FAILED),
    ],
)
def test_each_error_has_its_cause_and_loses_its_text(error: Exception, cause: Cause) -> None:
    found = source_error(error)
    assert found.cause is cause
    assert "canary" not in str(found)


def test_a_source_error_is_kept_as_it_is() -> None:
    error = SourceError(Cause.NO_PACKETS)
    assert source_error(error) is error


def test_every_cause_has_a_sentence() -> None:
    assert len({cause.sentence for cause in Cause}) == len(Cause)
