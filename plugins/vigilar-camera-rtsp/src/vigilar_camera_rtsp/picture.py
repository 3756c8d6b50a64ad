"""Decoding: access units in, pictures out, luma first."""

from __future__ import annotations

from typing import cast

import av
import av.error
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

#: A picture of more pixels is refused: a hostile stream could otherwise claim gigabytes of memory.
MOST_PIXELS = 4096 * 3072
#: Formats whose first plane is 8-bit luma.
_LUMA_FIRST = frozenset(
    f"{kind}{sampling}" for kind in ("yuv", "yuvj") for sampling in ("420p", "422p", "444p", "440p")
) | {"nv12", "nv21", "gray"}


def create_decoder(codec: str, extradata: bytes) -> VideoCodecContext:
    """A decoder in the calling thread, without frames of delay where the stream allows it.

    Parameters: `codec` h264 or hevc; `extradata` in Annex B. Threads would cost 4 % more.
    """
    decoder = cast(VideoCodecContext, av.CodecContext.create(codec, "r"))
    decoder.thread_count = 1
    decoder.thread_type = "NONE"
    decoder.flags |= Flags.low_delay
    decoder.options = {"max_pixels": str(MOST_PIXELS)}
    if extradata:
        decoder.extradata = extradata
    return decoder


def picture_size(codec: str, extradata: bytes, key_unit: bytes) -> tuple[int, int] | None:
    """Width and height of the picture in a key frame; None when it cannot be decoded."""
    decoder = create_decoder(codec, extradata)
    try:
        pictures = decoder.decode(av.Packet(key_unit)) or decoder.decode(None)
    except (av.error.FFmpegError, ValueError):
        return None
    return (pictures[0].width, pictures[0].height) if pictures else None


def luma(picture: av.VideoFrame, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The brightness of a picture, scaled to `size` (width, height); shape (height, width).

    May be a view of the picture's own memory: use it while the picture lives.
    """
    if picture.format.name not in _LUMA_FIRST:
        picture = picture.reformat(format="gray")
    plane = picture.planes[0]
    view = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    view = view[: picture.height, : picture.width]
    if size == (picture.width, picture.height):
        return view
    return cv2.resize(view, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def colour(picture: av.VideoFrame, widest: int) -> NDArray[np.uint8]:
    """A picture as BGR, shape (height, width, 3), no wider than `widest` pixels."""
    width, height = picture.width, picture.height
    if width > widest:
        width, height = widest, max(2, round(height * widest / width) & ~1)
    small = picture.reformat(width, height, format="bgr24")
    return np.ascontiguousarray(small.to_ndarray())
