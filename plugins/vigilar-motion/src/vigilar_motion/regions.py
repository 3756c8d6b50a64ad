"""Changed blocks put together into regions, one for each thing that moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vigilar_core.media import Box
from vigilar_motion.grid import Mask
from vigilar_motion.method import ChangeMap

_REACH = np.ones((3, 3), np.uint8)
#: A region needs this many sure blocks: one alone is a spark.
_SURE_BLOCKS = 2
#: A thing is sure in this part of its area; the soft edge of a shadow is not.
_SURE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Region:
    """Connected change.

    :param blocks: rows × columns, the changed ones, also where it has been a moment ago
    :param place: the blocks where it surely is now
    :param box: around these, relative coordinates
    :param area_px: of the box, in pixels
    :param strength: mean strength of its sure blocks, at least 1.0
    """

    blocks: Mask
    place: Mask
    box: Box
    area_px: float
    strength: float


def find_regions(change: ChangeMap, active: Mask | None, min_area_px: float) -> list[Region]:
    """Group the weak blocks that have sure ones among them; regions by falling area.

    :param active: blocks in which motion counts, ``None`` for all
    :param min_area_px: smaller regions are left out
    """
    sure = change.sure if active is None else change.sure & active
    if np.count_nonzero(sure) < _SURE_BLOCKS:
        return []
    weak = change.weak if active is None else change.weak & active
    count, labels = cv2.connectedComponents(cv2.dilate(weak.astype(np.uint8), _REACH))
    sure_count = np.bincount(labels[sure], minlength=count)
    present_count = np.bincount(labels[weak & change.present], minlength=count)
    least = np.maximum(_SURE_BLOCKS, _SURE_SHARE * present_count)
    regions = [
        _region(change, (labels == label) & weak, sure)
        for label in np.flatnonzero(sure_count >= least)
        if label != 0
    ]
    large = [region for region in regions if region.area_px >= min_area_px]
    return sorted(large, key=lambda region: region.area_px, reverse=True)


def _region(change: ChangeMap, blocks: Mask, sure: Mask) -> Region:
    place = blocks & sure
    grown = cv2.dilate(place.astype(np.uint8), _REACH).astype(np.bool_)
    x, y, width, height = cv2.boundingRect((grown & blocks & change.present).astype(np.uint8))
    rows, columns = blocks.shape
    box = Box(x / columns, y / rows, width / columns, height / rows)
    strength = float(change.strength[place].mean())
    area_px = float(width * height * change.block_area_px)
    return Region(blocks, place, box, area_px, max(1.0, strength))
