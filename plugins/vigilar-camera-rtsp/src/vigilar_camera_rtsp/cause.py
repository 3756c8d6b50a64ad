"""Why a camera does not deliver, in words that a person can act upon.

FFmpeg's own messages carry the address with its password, so none of them is ever passed on: an
error becomes a `Cause` and a detail of this module's making.
"""

from __future__ import annotations

import enum
import socket

import av.error

from vigilar_core.errors import TransientError


class Cause(enum.StrEnum):
    """The reasons that are told apart."""

    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    NAME_NOT_RESOLVED = "name_not_resolved"
    AUTHENTICATION_FAILED = "authentication_failed"
    NO_SUCH_STREAM = "no_such_stream"
    DISCONNECTED = "disconnected"
    NO_PACKETS = "no_packets"
    NO_PICTURE = "no_picture"
    UNSUPPORTED_CODEC = "unsupported_codec"
    INVALID_STREAM = "invalid_stream"
    NOT_PERMITTED = "not_permitted"
    NOT_TRUSTED = "not_trusted"
    FAILED = "failed"

    @property
    def sentence(self) -> str:
        """The cause for people, without a full stop."""
        return _SENTENCES[self]


_SENTENCES = {
    Cause.REFUSED: "the camera refuses the connection",
    Cause.TIMED_OUT: "the camera does not answer in time",
    Cause.UNREACHABLE: "there is no way to the camera's address",
    Cause.NAME_NOT_RESOLVED: "the camera's name is not known to the network",
    Cause.AUTHENTICATION_FAILED: "the camera does not accept the user name or password",
    Cause.NO_SUCH_STREAM: "the camera has no stream at this address",
    Cause.DISCONNECTED: "the camera closed the connection",
    Cause.NO_PACKETS: "the camera is connected but sends nothing",
    Cause.NO_PICTURE: "the camera sends no picture that can be decoded",
    Cause.UNSUPPORTED_CODEC: "the camera's codec is not supported, only H.264 and H.265 are",
    Cause.INVALID_STREAM: "what the camera sends cannot be understood",
    Cause.NOT_PERMITTED: "the service may not open the device or file",
    Cause.NOT_TRUSTED: "no secure connection: the camera's certificate may not be trusted",
    Cause.FAILED: "the connection failed",
}


class SourceError(TransientError):
    """A source cannot be opened or read now; it is tried again for ever."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(f"{cause.sentence} ({detail})" if detail else cause.sentence)
        self.cause = cause
        #: A few words more, free of addresses and credentials; may be empty.
        self.detail = detail


# The order matters: FFmpeg's errors inherit from those of the system.
_CAUSES: tuple[tuple[type[BaseException], Cause], ...] = (
    (av.error.HTTPUnauthorizedError, Cause.AUTHENTICATION_FAILED),
    (av.error.HTTPForbiddenError, Cause.AUTHENTICATION_FAILED),
    (av.error.HTTPNotFoundError, Cause.NO_SUCH_STREAM),
    (av.error.HTTPError, Cause.NO_SUCH_STREAM),
    (av.error.ExitError, Cause.TIMED_OUT),
    (av.error.EOFError, Cause.DISCONNECTED),
    (av.error.InvalidDataError, Cause.INVALID_STREAM),
    (socket.gaierror, Cause.NAME_NOT_RESOLVED),
    (ConnectionRefusedError, Cause.REFUSED),
    (TimeoutError, Cause.TIMED_OUT),
    (ConnectionError, Cause.DISCONNECTED),
    (FileNotFoundError, Cause.NO_SUCH_STREAM),
    (PermissionError, Cause.NOT_PERMITTED),
)
_UNREACHABLE_ERRNOS = frozenset({100, 101, 112, 113})


def source_error(error: BaseException) -> SourceError:
    """Return what `error` means, without its text; a `SourceError` is returned as it is."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, OSError) and error.errno in _UNREACHABLE_ERRNOS:
        return SourceError(Cause.UNREACHABLE)
    for kind, cause in _CAUSES:
        if isinstance(error, kind):
            return SourceError(cause)
    return SourceError(Cause.FAILED, type(error).__name__)
