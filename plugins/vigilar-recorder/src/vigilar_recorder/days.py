"""Times of recordings in the household's words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from vigilar_recorder.register import Recording


class Calendar:
    """Days and times of one time zone.

    :param zone: IANA name
    """

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def local(self, time_us: int) -> datetime:
        """The local time of a moment, microseconds since 1970 UTC."""
        return datetime.fromtimestamp(time_us / 1e6, UTC).astimezone(self._zone)

    def bounds_us(self, day: date) -> tuple[int, int]:
        """When a day begins and ends; 23 to 25 hours apart."""
        begin, end = (
            datetime(each.year, each.month, each.day, tzinfo=self._zone)
            for each in (day, day + timedelta(days=1))
        )
        return round(begin.timestamp() * 1e6), round(end.timestamp() * 1e6)

    def by_day(self, recordings: Iterable[Recording]) -> list[tuple[date, list[Recording]]]:
        """Neighbours of one day together, in the order given."""
        days = groupby(recordings, key=lambda each: self.local(each.start_time_us).date())
        return [(day, list(group)) for day, group in days]


def length(seconds: float | None) -> str:
    """``4:05`` or ``1:02:03``; nothing while a recording is open."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(size_bytes: int | None) -> str:
    """``12.3 MB``, powers of ten; nothing while a recording is open."""
    if size_bytes is None:
        return ""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value, units = size_bytes / 1000, ["kB", "MB", "GB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        del units[0]
    return f"{value:.1f} {units[0]}"
