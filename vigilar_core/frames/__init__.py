"""Pictures and fragments between processes: memory-mapped rings in the runtime folder."""

from __future__ import annotations

from vigilar_core.frames.frame_ring import FrameReader, FrameWriter
from vigilar_core.frames.ring import RingEntry, RingReader, RingWriter

__all__ = ["FrameReader", "FrameWriter", "RingEntry", "RingReader", "RingWriter"]
