"""Live fragments between a camera's worker and the web: two rings in memory-mapped files.

One ring holds init segments, the other fragments; the note of each entry is JSON with the
generation, so that a viewer knows which init segment a fragment needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vigilar_core.frames.ring import RingReader, RingWriter

#: Fragments that stay readable; at 100 ms each a viewer may lag three seconds.
SLOTS = 32


@dataclass(frozen=True, slots=True)
class LiveFragment:
    """One fragment on its way to viewers.

    :param generation: of the init segment it needs
    :param starts_with_key: whether a viewer can begin here
    :param time_us: wall-clock time of its first picture
    """

    generation: int
    starts_with_key: bool
    time_us: int
    data: bytes


class FragmentWriter:
    """The camera's side."""

    def __init__(self, frames_dir: Path, camera: str) -> None:
        self._inits = RingWriter(frames_dir / f"{camera}.live-init", slots=2, slot_bytes=4096)
        self._fragments = RingWriter(frames_dir / f"{camera}.live", slots=SLOTS)
        self._generation = 0

    def init(self, data: bytes, mime_type: str) -> None:
        self._generation += 1
        note = json.dumps({"generation": self._generation, "type": mime_type}).encode()
        self._inits.write(data, note=note)

    def fragment(self, data: bytes, *, starts_with_key: bool, time_us: int) -> None:
        note = json.dumps({"generation": self._generation, "key": starts_with_key}).encode()
        self._fragments.write(data, note=note, time_us=time_us)

    def close(self) -> None:
        self._inits.close()
        self._fragments.close()


class FragmentReader:
    """One viewer's side; begins with a key frame and begins anew when it fell behind."""

    def __init__(self, frames_dir: Path, camera: str) -> None:
        self._inits = RingReader(frames_dir / f"{camera}.live-init")
        self._fragments = RingReader(frames_dir / f"{camera}.live")
        self._init: tuple[int, str, bytes] | None = None
        self._begun = False
        self._skipped = 0

    def init(self) -> tuple[int, str, bytes] | None:
        """Generation, MIME type and bytes of the newest init segment."""
        entry = self._inits.latest()
        if entry is not None:
            note = json.loads(entry.note)
            self._init = (note["generation"], note["type"], entry.payload)
        return self._init

    def following(self) -> Iterator[LiveFragment]:
        """Fragments not seen yet that the viewer can use."""
        for entry in self._fragments.following():
            note = json.loads(entry.note)
            if self._fragments.skipped > self._skipped:
                self._skipped = self._fragments.skipped
                self._begun = False
            self._begun = self._begun or note["key"]
            if self._begun:
                yield LiveFragment(note["generation"], note["key"], entry.time_us, entry.payload)

    def close(self) -> None:
        self._inits.close()
        self._fragments.close()
