"""The last seconds of a camera, compressed, for recordings that begin before their trigger."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from vigilar_core.media import Packet


@dataclass(slots=True)
class _Group:
    """A key frame and everything up to the next one."""

    start_s: float
    packets: list[Packet] = field(default_factory=list)
    size_bytes: int = 0


class PacketRing:
    """Keeps whole groups of pictures, so that what it gives begins with a key frame.

    It holds the shortest run of groups that reaches back far enough, and less when they are
    too large: memory is bounded even while a camera sends no key frame.

    :param reach_s: how far back it must reach, seconds
    :param max_bytes: most bytes of packets it may hold
    """

    def __init__(self, reach_s: float, max_bytes: int) -> None:
        self._reach_s = reach_s
        self._max_bytes = max_bytes
        self._groups: deque[_Group] = deque()
        #: Bytes of all packets held.
        self.size_bytes = 0
        #: How often groups still wanted were given up for want of room.
        self.overflows = 0

    def append(self, packet: Packet) -> None:
        """Take the next packet; those before the first key frame are of no use and not kept."""
        if packet.is_key and packet.stream.kind == "video":
            self._groups.append(_Group(packet.monotonic_s))
            self._drop_older_than(packet.monotonic_s - self._reach_s)
        if not self._groups:
            return
        group = self._groups[-1]
        group.packets.append(packet)
        group.size_bytes += len(packet.data)
        self.size_bytes += len(packet.data)
        if self.size_bytes > self._max_bytes:
            self._make_room()

    def since(self, moment_s: float) -> list[Packet]:
        """All packets from the last key frame at or before a moment on, else all there are."""
        first = 0
        for index, group in enumerate(self._groups):
            if group.start_s > moment_s:
                break
            first = index
        return [packet for group in list(self._groups)[first:] for packet in group.packets]

    def key_frames(self) -> list[Packet]:
        """The key frames held, oldest first."""
        return [group.packets[0] for group in self._groups if group.packets]

    def clear(self) -> None:
        """Forget everything, as when the camera's parameters change."""
        self._groups.clear()
        self.size_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._groups)

    def _drop_older_than(self, moment_s: float) -> None:
        while len(self._groups) > 1 and self._groups[1].start_s <= moment_s:
            self._drop_first()

    def _make_room(self) -> None:
        self.overflows += 1
        while self._groups and self.size_bytes > self._max_bytes:
            self._drop_first()

    def _drop_first(self) -> None:
        self.size_bytes -= self._groups.popleft().size_bytes
