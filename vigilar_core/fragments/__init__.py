"""Fragmented MP4 out of a camera's packets, for recordings and for live pictures.

One fragmenter serves both: it takes packets as they come, never decodes video, holds at most
one fragment, and hands over an init segment first and then fragments, each playable as soon as
it is there. FFmpeg's own muxer is not used for this: through PyAV it takes no decoder
configuration for packets that it did not demux itself, decides alone when to cut, and holds
packets of one track back for up to ten seconds while the other is silent.
"""

from __future__ import annotations

from vigilar_core.fragments.fragmenter import Fragmenter, FragmentSink, MediaFragment
from vigilar_core.fragments.init_segment import InitSegment

__all__ = ["FragmentSink", "Fragmenter", "InitSegment", "MediaFragment"]
