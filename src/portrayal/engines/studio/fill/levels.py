"""The picture at halving sizes, and what of it is to be painted, may be copied and can be relied on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.fill.kernels import RADIUS
from portrayal.engines.studio.fill.membrane import halved
from portrayal.imaging import F32, U8, Bool

SKETCH = 112  # longer side of the picture in which the hole is sketched
_NODES = 2600  # most pixels of the hole there
_SMALLEST = 20


@dataclass(frozen=True)
class Level:
    """One size of the picture.

    Attributes:
        picture: (h, w, 3) float32, the mean of what is known.
        gap: (h, w) float32, share of pixels to be painted.
        known: (h, w) float32, share of pixels that the painting has to fit to; people in front are neither.
        source: (h, w) float32, share of pixels that may be copied.
    """

    picture: F32
    gap: F32
    known: F32
    source: F32

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        h, w = self.gap.shape
        return h, w

    @property
    def hole(self) -> Bool:
        """What is painted at this size."""
        return np.asarray(self.gap > 0.5)

    def valid(self, radius: int = RADIUS) -> U8:
        """255 where a patch of this radius holds sources only."""
        sure = (self.source > 0.75).astype(np.uint8) * np.uint8(255)
        square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
        return np.asarray(cv2.erode(sure, square, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)


def pyramid(picture: F32, hole: Bool, known: Bool, source: Bool) -> list[Level]:
    """The picture and its halves, down to about the size of the sketch."""
    levels = [Level(picture, *(m.astype(np.float32) for m in (hole, known, source & known & ~hole)))]
    while max(levels[-1].shape) > 1.5 * SKETCH and min(levels[-1].shape) >= 2 * _SMALLEST:
        last = levels[-1]
        smaller, share = halved(last.picture, last.known)
        half = [
            np.asarray(cv2.resize(m, share.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
            for m in (last.gap, last.source)
        ]
        levels.append(Level(smaller, half[0], share, half[1]))
    return levels


def for_sketch(level: Level) -> Level:
    """A picture for the sketch, which takes as long as the hole has pixels."""
    h, w = level.shape
    scale = min(1.0, SKETCH / max(h, w), float(np.sqrt(_NODES / max(int(level.hole.sum()), 1))))
    if scale == 1:
        return level
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    total, gap, known, source = (
        np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_AREA), np.float32)
        for m in (level.picture * level.known[..., None], level.gap, level.known, level.source)
    )
    return Level(np.asarray(total / np.maximum(known, 1e-6)[..., None], np.float32), gap, known, source)
