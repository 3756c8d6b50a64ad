"""Polygons in the picture: where motion counts, and which named parts it touches."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vigilar_motion.options import NamedZone, Polygon

#: A block belongs to a zone when at least this part of it is inside.
_COVERAGE = 0.5
#: Polygons are drawn this much finer than blocks.
_OVERSAMPLING = 8


def relative_polygon(points: Polygon, size: tuple[int, int]) -> NDArray[np.float64]:
    """Bring a polygon to relative coordinates and check it.

    Coordinates that are all at most 1.0 are taken as relative, any others as pixels.

    :param points: at least three corners (x, y)
    :param size: width and height of the motion resolution in pixels
    :returns: N × 2, each 0.0 to 1.0
    :raises ValueError: too few corners, a corner outside the picture, or no area
    """
    corners = np.asarray(points, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1:] != (2,) or len(corners) < 3:
        raise ValueError(f"a zone needs at least three corners [x, y], got {list(points)!r}")
    if not np.isfinite(corners).all():
        raise ValueError(f"a zone's corners must be finite numbers, got {list(points)!r}")
    if corners.max() > 1.0:
        corners = corners / np.asarray(size, dtype=np.float64)
    if corners.min() < 0.0 or corners.max() > 1.0:
        width, height = size
        raise ValueError(
            f"zone corner outside the picture: {list(points)!r}; "
            f"use 0 to 1, or pixels of the motion resolution {width}×{height}"
        )
    following = np.roll(corners, -1, axis=0)
    twice_area = np.sum(corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1])
    if abs(twice_area) < 1e-6:
        raise ValueError(f"a zone's corners lie on one line: {list(points)!r}")
    return corners


def polygon_mask(corners: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Blocks that lie inside a polygon.

    A polygon too small to fill half a block claims the block it covers most.

    :param corners: relative coordinates, N × 2
    :param shape: rows and columns of blocks
    """
    rows, columns = shape
    fine = np.zeros((rows * _OVERSAMPLING, columns * _OVERSAMPLING), np.uint8)
    scale = np.array([fine.shape[1], fine.shape[0]], dtype=np.float64)
    cv2.fillPoly(fine, [np.round(corners * scale - 0.5).astype(np.int32)], 255)
    coverage = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(coverage >= min(_COVERAGE * 255, int(coverage.max())), dtype=np.bool_)


class ZoneMap:
    """The zones of one camera, laid over its grid of blocks.

    :param motion_zones: motion counts inside any of these; everywhere when empty
    :param zones: parts with names
    :param size: width and height of the motion resolution in pixels
    :param shape: rows and columns of blocks
    :raises ValueError: a polygon is not valid; the message names the zone
    """

    def __init__(
        self,
        motion_zones: Sequence[Polygon],
        zones: Sequence[NamedZone],
        size: tuple[int, int],
        shape: tuple[int, int],
    ) -> None:
        #: Blocks in which motion counts, or ``None`` for all.
        self.active: NDArray[np.bool_] | None = None
        for index, polygon in enumerate(motion_zones):
            mask = polygon_mask(_checked(f"motion_zones[{index}]", polygon, size), shape)
            self.active = mask if self.active is None else self.active | mask
        self._named = {
            zone.name: polygon_mask(_checked(f"zone {zone.name!r}", zone.points, size), shape)
            for zone in zones
        }

    def touched(self, blocks: NDArray[np.bool_]) -> tuple[str, ...]:
        """Names of the zones that contain any of these blocks, in the order they were given."""
        return tuple(name for name, mask in self._named.items() if bool((mask & blocks).any()))


def _checked(name: str, polygon: Polygon, size: tuple[int, int]) -> NDArray[np.float64]:
    try:
        return relative_polygon(polygon, size)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
