"""Where a camera is: what an address may look like, and what it is called in public.

An address reaches FFmpeg, whose protocols can read files and run through proxies. Only the forms
below pass; everything else is refused when the configuration is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from vigilar_core.config.secret import redact_url

SourceKind = Literal["rtsp", "device", "file", "demo"]

_DEVICE = re.compile(r"/dev/video\d{1,3}")
_INDEX = re.compile(r"\d{1,3}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9]+)?")
_PRINTABLE = re.compile(r"[!-~]+")
_DEMO_STREAMS = ("main", "sub")
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address.

    `target` is what the source opens: a URL, a device or a file's path, or the name of a stream of
    the demonstration camera. It may hold a password and does not print; `label` is for people.
    """

    kind: SourceKind
    target: str
    label: str
    host: str = ""
    port: int = 0

    def __repr__(self) -> str:
        return f"Address(kind={self.kind!r}, label={self.label!r})"


def parse_address(text: str) -> Address:
    """Check `text` and return what it names.

    Accepted: ``rtsp://`` and ``rtsps://`` URLs (RFC 7826), ``/dev/videoN`` or the number alone,
    ``file:`` with an absolute path, ``demo:`` and ``demo:sub``. Raises ValueError, whose message
    never repeats the text.
    """
    if not text:
        raise ValueError("is empty")
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    if _INDEX.fullmatch(text):
        text = f"/dev/video{int(text)}"
    if _DEVICE.fullmatch(text):
        return Address("device", text, text)
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "demo":
        return _parse_demo(rest)
    if colon and scheme == "file":
        return _parse_file(rest)
    if colon and scheme in ("rtsp", "rtsps"):
        return _parse_rtsp(text)
    raise ValueError("must be rtsp://…, rtsps://…, /dev/videoN, a device number, file:/… or demo:")


def _parse_demo(name: str) -> Address:
    stream = name or "main"
    if stream not in _DEMO_STREAMS:
        raise ValueError("the demonstration camera has the streams demo:main and demo:sub")
    return Address("demo", stream, f"demo:{stream}")


def _parse_file(rest: str) -> Address:
    path = PurePosixPath(rest.removeprefix("//"))
    if not path.is_absolute() or ".." in path.parts or "\0" in rest or "\n" in rest:
        raise ValueError("a file: address needs an absolute path without '..'")
    return Address("file", str(path), f"file:{Path(path).name}")


def _parse_rtsp(text: str) -> Address:
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("may only hold printable ASCII; write other characters as %XX")
    try:
        parts: SplitResult = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a well-formed URL") from None
    if not host or not _HOST.fullmatch(host):
        raise ValueError("names no valid host")
    if parts.fragment:
        raise ValueError("must not have a '#' part; write %23 in a password")
    default = 322 if parts.scheme == "rtsps" else 554
    return Address("rtsp", text, redact_url(text), host, port or default)
