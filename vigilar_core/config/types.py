"""Types that settings share: absolute folders, host names, time zones."""

from __future__ import annotations

import zoneinfo
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path: it begins with '/'")
    return path


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone of the IANA database, such as 'Europe/Vienna'") from None
    return name


def _host(name: str) -> str:
    if not name or any(character.isspace() or character in "/@?#" for character in name):
        raise ValueError("must be a host name or an address without scheme, port or spaces")
    return name


#: A path that does not depend on the folder a process was started in.
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
#: A name of the IANA time zone database.
TimeZone = Annotated[str, AfterValidator(_time_zone)]
#: A host name or an address.
Host = Annotated[str, AfterValidator(_host)]
#: A TCP port.
Port = Annotated[int, Field(ge=1, le=65535)]
