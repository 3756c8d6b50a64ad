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
    :param area_px: changed pixels
    :param strength: mean strength of its sure blocks, at least 1.0
    """

    blocks: Mask
    place: Mask
    box: Box
    area_px: float
    strength: float


def find_regions(
    change: ChangeMap, active: Mask | None, min_area_px: float, block_area_px: int
) -> list[Region]:
    """Group the weak blocks that have sure ones among them; regions by falling area.

    :param active: blocks in which motion counts, ``None`` for all
    :param min_area_px: smaller regions are left out
    :param block_area_px: pixels of a block
    """
    sure = change.sure if active is None else change.sure & active
    if np.count_nonzero(sure) < _SURE_BLOCKS:
        return []
    weak = change.weak if active is None else change.weak & active
    joined = cv2.dilate(weak.astype(np.uint8), _REACH)
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    sure_count = np.bincount(labels[sure], minlength=count)
    areas = np.bincount(labels[weak], weights=change.area_px[weak], minlength=count)
    least = np.maximum(_SURE_BLOCKS, _SURE_SHARE * areas / block_area_px)
    chosen = np.flatnonzero((sure_count >= least) & (areas >= min_area_px))
    regions = [
        _region(change, (labels == label) & weak, (labels == label) & sure, float(areas[label]))
        for label in chosen
        if label != 0
    ]
    return sorted(regions, key=lambda region: region.area_px, reverse=True)


def _region(change: ChangeMap, blocks: Mask, sure: Mask, area_px: float) -> Region:
    strength = float(change.strength[sure].mean())
    grown = cv2.dilate(sure.astype(np.uint8), _REACH).astype(np.bool_) & blocks
    return Region(blocks, sure, _box(grown), area_px, max(1.0, strength))


def _box(blocks: Mask) -> Box:
    rows, columns = blocks.shape
    x, y, width, height = cv2.boundingRect(blocks.astype(np.uint8))
    return Box(x / columns, y / rows, width / columns, height / rows)
