"""What was behind a person who goes.

The new person hides most of it. What is left and right of the gap meets behind the person row by row, because rooms,
seas and streets lie so, and is painted with pieces of the surroundings; the painting is enlarged and gets new grain.
"""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.fill.grain import regrained
from portrayal.engines.studio.fill.removal import paint
from portrayal.engines.studio.fill.synthesis import Prior
from portrayal.engines.studio.types import Notes
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8, Bool
from portrayal.request import Speed

_ROWS = Prior(rows=1.0, objects=0.3, near=0.05, melt=0.05, bands="rows")
# Pixels of a hole that are painted at most when the new person hides the rest; the painting is enlarged.
_MOST = {"turbo": 25_000, "balanced": 48_000, "quality": 160_000}


def outline_grown(old: F32, mask: U8, unit: float) -> U8:
    """What is to be painted over (h, w) uint8: the old person and the rest of its outline, within the mask."""
    size = 2 * max(3, round(0.05 * unit)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    grown = cv2.dilate((old > 0.04).astype(np.uint8), kernel)
    return np.asarray(np.where(grown > 0, mask, 0), np.uint8)


def emptied(
    scene: U8,
    box: tuple[int, int, int, int],
    hole: U8,
    *,
    seed: int,
    speed: Speed,
    notes: Notes,
) -> U8:
    """A part of a scene without the person in it.

    Args:
        scene: (H, W, 3) uint8.
        box: x0, y0, x1, y1 of the part.
        hole: (h, w) uint8 of the part, above 0 where the person was.

    Raises:
        MaskMismatchError: nothing of the surroundings is left.
    """
    x0, y0, x1, y1 = box
    if not (hole > 0).any():
        return scene[y0:y1, x0:x1]
    pad = int(np.clip(0.5 * max(x1 - x0, y1 - y0), 64, 420))
    a0, b0 = max(0, x0 - pad), max(0, y0 - pad)
    a1, b1 = min(scene.shape[1], x1 + pad), min(scene.shape[0], y1 + pad)
    image = scene[b0:b1, a0:a1]
    inner = np.s_[y0 - b0 : y1 - b0, x0 - a0 : x1 - a0]
    gap = np.zeros(image.shape[:2], bool)
    gap[inner] = hole > 0
    if gap.all():
        raise MaskMismatchError(
            "the person fills the whole picture", field="mask", remedy="Leave some of its surroundings unpainted."
        )
    return np.ascontiguousarray(_painted(image, gap, seed, speed, notes)[inner])


def _painted(image: U8, gap: Bool, seed: int, speed: Speed, notes: Notes) -> U8:
    """The picture with the gap painted, at a size that does not take long."""
    k = float(np.sqrt(min(1.0, _MOST[speed] / float(gap.sum()))))
    hole = gap.astype(np.uint8) * np.uint8(255)
    if k > 0.85:
        return _continued(image, gap, seed, speed, notes)
    size = (max(16, round(image.shape[1] * k)), max(16, round(image.shape[0] * k)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    wide = cv2.resize(hole, size, interpolation=cv2.INTER_AREA) > 0
    small = _continued(small, wide, seed, speed, notes)
    larger = cv2.resize(small.astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_CUBIC) / np.float32(255)
    # The outline was grown beyond the old person, so that its first pixels may mix with what is there.
    depth = cv2.distanceTransform(gap.astype(np.uint8), cv2.DIST_L2, 3)
    t = np.clip((depth - 0.5) / float(np.clip(0.008 * np.sqrt(gap.sum()), 2, 8)), 0, 1)[..., None]
    own = image.astype(np.float32) / np.float32(255)
    out = (own + (larger - own) * (t * t * (3 - 2 * t))).astype(np.float32)
    return _codes(regrained(out, gap, _away(gap), seed), image, gap)


def _continued(image: U8, gap: Bool, seed: int, speed: Speed, notes: Notes) -> U8:
    """The gap painted so that what is left and right of it meets behind the person, row by row."""
    if gap.all():
        return image
    picture = image.astype(np.float32) * np.float32(1 / 255)
    out = paint(picture, gap, ~gap, _away(gap), seed, speed, _ROWS, notes)
    return _codes(out, image, gap)


def _away(gap: Bool) -> Bool:
    """What may be copied: not the rim of the gap, which often still shows the old person."""
    return np.asarray(cv2.dilate(gap.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)


def _codes(picture: F32, image: U8, gap: Bool) -> U8:
    return np.where(gap[..., None], np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8), image)
