"""Pockets of the old background that a subject's arms and legs enclose, or nearly enclose.

Colour alone cannot tell the gap behind a handle from a white belly on white paper. The shape can, mostly: a gap lies
near the outline, behind an arm that is neither a drawn line nor half of the body, and there is nothing in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Array, Bool
from portrayal.perception.filters import distance_inside, smoothed

_SIZE: Final = 768  # longer side of the working picture
# All lengths below are shares of the subject's size (the root of its area).
_BAY: Final = 0.035  # half the width of the widest gap that is open to the outside
_WALL: Final = (0.025, 0.16)  # how thick the thing is that encloses a pocket: more than a drawn line, less than a body
_AREA: Final = (0.002, 0.10)  # of the subject's area
_SOFT: Final = 2.5  # pixels of the working picture that the soft edges on both sides of a wall take
_SPECK: Final = 12  # pixels of the working picture


@dataclass(frozen=True)
class _Work:
    """The picture at working size: colours, solid subject, sure background, and what looks like the background."""

    solid: Bool
    ground: Bool
    alike: Bool


def pockets(rgb: U8, alpha: F32) -> Bool | None:
    """Find pockets of background within a matte.

    Args:
        rgb: (h, w, 3) uint8.
        alpha: (h, w) float32 matte whose outline is right.

    Returns:
        (h', w') bool at a working size of at most 768 px, or None when there are none.
    """
    height, width = alpha.shape
    k = min(1.0, _SIZE / max(height, width))
    size = (max(8, round(width * k)), max(8, round(height * k)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    matte = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    work = _work(small, matte)
    if work is None:
        return None
    found = _bays(work) | _enclosed(work)
    return found if found.any() else None


def _work(small: F32, matte: F32) -> _Work | None:
    solid, ground = matte > 0.5, matte < 0.02
    if ground.sum() < 64 or solid.sum() < 64:
        return None
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2Lab), np.float32)
    sigma = 0.03 * max(matte.shape)
    weight = smoothed(ground.astype(np.float32), sigma)
    local = cv2.GaussianBlur(lab * ground[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
    known = weight > 2e-3
    distance = np.where(known, np.linalg.norm(lab - local, axis=2), 99.0).astype(np.float32)
    for colour in _palette(lab[ground]):  # patterns
        distance = np.minimum(distance, np.linalg.norm(lab - colour, axis=2))
    limit = float(np.clip(1.5 * np.percentile(distance[ground], 95) + 1.5, 2.5, 9))
    return _Work(solid, ground, distance < limit)


def _palette(samples: Array) -> F32:
    """Up to four colours of the background, its main ones."""
    chosen = np.ascontiguousarray(samples[:: max(1, len(samples) // 4000)], np.float32)
    count = min(4, len(chosen))
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    return np.asarray(cv2.kmeans(chosen, count, np.empty(0, np.int32), stop, 2, cv2.KMEANS_PP_CENTERS)[2], np.float32)


def _bays(work: _Work) -> Bool:
    """Narrow gaps that are open to the outside; a pinhole in an outline is no opening, a wide white part no gap."""
    free = ((work.alike | work.ground) * np.uint8(255)).astype(np.uint8)
    opened = cv2.morphologyEx(free, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    unit = float(np.sqrt(work.solid.sum()))
    thick = distance_inside(opened)
    inside = opened & work.solid
    _, parts, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    reached = np.unique(parts[(cv2.dilate(work.ground.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & inside])
    out = np.zeros_like(inside)
    for part in reached[reached > 0]:
        mine = parts == part
        if stats[part, cv2.CC_STAT_AREA] >= _SPECK and float(thick[mine].max()) < _BAY * unit:
            out |= mine
    return out


def _enclosed(work: _Work) -> Bool:
    """Gaps without an opening: see the module's docstring for what makes a gap of a patch of the right colour."""
    area = float(work.solid.sum())
    unit = float(np.sqrt(area))
    inside = work.alike & (distance_inside(work.solid) > 2)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    # Walls: the distance from the outside, through whatever is there.
    away = cv2.distanceTransform((~work.ground).astype(np.uint8), cv2.DIST_L2, 5)
    out = np.zeros_like(inside)
    for part in range(1, count):
        x, y, w, h, size = (int(v) for v in stats[part])
        if not _AREA[0] * area < size < _AREA[1] * area:
            continue
        box = np.s_[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1]
        mine = parts[box] == part
        wall = float(away[box][mine].min()) - _SOFT
        if _WALL[0] * unit < wall < _WALL[1] * unit and not _holds_something(mine):
            out[box] |= mine
    return out


def _holds_something(patch: Bool) -> bool:
    """Whether another thing lies within a patch, as a pupil lies in the white of an eye."""
    padded = np.pad((~patch).astype(np.uint8), 1, constant_values=1)
    count, _, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=8)
    holes = np.sort(stats[1:, cv2.CC_STAT_AREA])[:-1] if count > 2 else np.zeros(0)
    return bool((holes > 0.04 * patch.sum()).any())
