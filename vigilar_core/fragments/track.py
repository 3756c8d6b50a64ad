"""The samples of one track that wait for their fragment, and the ``traf`` box made of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from vigilar_core.recording_file.boxes import make_box, make_full_box

#: Sample flags (ISO/IEC 14496-12, 8.8.3.1): a place to start, and one that depends on others.
_KEY, _NOT_KEY = 0x0200_0000, 0x0101_0000
_DEFAULT_BASE_IS_MOOF = 0x2_0000
#: trun: offset of the data; duration, size, flags and composition offset of each sample.
_RUN_FLAGS = 0x1 | 0x100 | 0x200 | 0x400 | 0x800
_RUN_FIXED_SIZE, _RUN_SAMPLE_SIZE = 20, 16
_TRAF_FIXED_SIZE = 8 + 16 + 20 + _RUN_FIXED_SIZE


class TrackBuffer:
    """The samples of one track that wait for their fragment. Times are in ticks of the track."""

    __slots__ = ("_durations", "_parts", "_rows", "first_ticks", "last_ticks", "number",
                 "size_bytes", "step", "timescale")  # fmt: skip

    def __init__(self, number: int, timescale: int, step: int) -> None:
        self.number = number
        self.timescale = timescale
        #: Distance of the last two samples: what the next one probably lasts.
        self.step = step
        self.last_ticks: int | None = None
        self.clear()

    def clear(self) -> None:
        self._rows: list[tuple[int, int, int]] = []
        self._durations: list[int] = []
        self._parts: list[bytes | memoryview] = []
        self.first_ticks = 0
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def reach(self, ticks: int) -> int:
        """Distance from the first sample held to the end of one that begins at ``ticks``."""
        return ticks - self.first_ticks + self.step if self._rows else 0

    def note_time(self, ticks: int) -> None:
        """Learn when the next sample begins: that is how long the last one lasted."""
        if self.last_ticks is not None and ticks > self.last_ticks:
            self.step = ticks - self.last_ticks
            if self._rows:
                self._durations[-1] = self.step
        self.last_ticks = ticks

    def add(
        self, ticks: int, composition: int, is_key: bool, parts: Sequence[bytes | memoryview]
    ) -> None:
        if not self._rows:
            self.first_ticks = ticks
        size = sum(map(len, parts))
        self._rows.append((size, _KEY if is_key else _NOT_KEY, composition))
        self._durations.append(self.step)
        self._parts += parts
        self.size_bytes += size

    @property
    def starts_with_key_frame(self) -> bool:
        return bool(self._rows) and self._rows[0][1] == _KEY

    @property
    def duration_ticks(self) -> int:
        return sum(self._durations)

    @property
    def box_size(self) -> int:
        return _TRAF_FIXED_SIZE + _RUN_SAMPLE_SIZE * len(self._rows)

    def box(self, data_offset: int) -> bytes:
        """The ``traf`` box; sample data begin ``data_offset`` bytes behind the start of moof."""
        fields: list[int] = []
        for duration, row in zip(self._durations, self._rows, strict=True):
            fields.append(duration)
            fields += row
        run = struct.pack(f">Ii{'IIIi' * len(self._rows)}", len(self._rows), data_offset, *fields)
        return make_box(
            b"traf",
            make_full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack(">I", self.number)),
            make_full_box(b"tfdt", 1, 0, struct.pack(">Q", self.first_ticks)),
            make_full_box(b"trun", 1, _RUN_FLAGS, run),
        )

    def data(self) -> list[bytes | memoryview]:
        return self._parts
