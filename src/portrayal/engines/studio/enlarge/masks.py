"""Soft masks of the parts of a face, from its landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.enlarge.frame import Frame
from portrayal.imaging import F32, U8
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN

_LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_EYES: Final = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
)
_BROWS: Final = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (336, 296, 334, 293, 300, 276, 283, 282, 295, 285),
)
_IRISES: Final = ((468, 473), (473, 478))


@dataclass(frozen=True)
class Parts:
    """Weights 0..1 on the canvas, (H, W) float32 each, and the face's height in canvas pixels (0: no face).

    skin excludes eyes, lips and brows and is weaker below the eyes; hair includes the brows.
    """

    skin: F32
    hair: F32
    cloth: F32
    lips: F32
    eyes: F32
    iris: F32
    face_height: float


def face_height(points: F32 | None) -> float:
    """Height of the landmarks in their pixels; 0 without a face."""
    return 0.0 if points is None else float(np.ptp(points[:468, 1]))


def label_weight(regions: U8, labels: tuple[int, ...], sigma: float = 0.8) -> F32:
    """Soft weight of some labels, at the resolution of `regions`."""
    chosen = np.isin(regions, labels).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(chosen, (0, 0), sigma), np.float32)


def parts(regions: U8, points: F32 | None, frame: Frame) -> Parts:
    """Parts on the canvas.

    Args:
        regions: (h, w) labels of the reference.
        points: (478, 3) landmarks on the canvas, or None.
        frame: where the canvas lies on it.
    """

    def weight(*labels: int) -> F32:
        return np.asarray(np.clip(frame.warp(label_weight(regions, labels), cv2.INTER_LINEAR), 0, 1), np.float32)

    skin, hair, cloth = weight(FACE, SKIN), weight(HAIR), weight(CLOTHING)
    none = np.zeros_like(skin)
    if points is None:
        return Parts(skin, hair, cloth, none, none, none, 0.0)
    height = face_height(points)
    draw = _Drawing(frame.width, frame.height, max(1.0, height / 120))
    lips = draw.fill([_LIPS], points, 0.012 * height)
    eyes = draw.fill(_EYES, points, 0.02 * height)
    below = draw.fill(_EYES, points + np.array([0, 0.05 * height, 0], np.float32), 0.05 * height, 0.02 * height)
    brows = draw.fill(_BROWS, points, 0.015 * height)
    iris = draw.discs(points, 0.01 * height)
    skin = skin * (1 - eyes) * (1 - 0.9 * lips) * (1 - 0.8 * brows) * (1 - 0.65 * below)
    return Parts(skin, np.maximum(hair, 0.4 * brows), cloth, lips, eyes, iris, height)


class _Drawing:
    """Draws soft shapes at reduced size."""

    def __init__(self, width: int, height: int, step: float) -> None:
        self.size = (width, height)
        self.step = step
        self.shape = (max(8, round(height / step)), max(8, round(width / step)))

    def _finish(self, mask: U8, grow: float, sigma: float) -> F32:
        if grow > 0:
            r = max(1, round(grow / self.step))
            mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1)))  # type: ignore[assignment]
        soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(0.6, sigma / self.step))
        return np.asarray(cv2.resize(soft, self.size, interpolation=cv2.INTER_LINEAR), np.float32)

    def _at(self, xy: F32) -> F32:
        size = np.array(self.size, np.float32)
        small = np.array(self.shape[::-1], np.float32)
        return np.asarray((xy + 0.5) * small / size - 0.5, np.float32)

    def fill(
        self, shapes: tuple[tuple[int, ...], ...] | list[tuple[int, ...]], points: F32, sigma: float, grow: float = 0
    ) -> F32:
        mask = np.zeros(self.shape, np.uint8)
        for shape in shapes:
            outline = np.round(self._at(points[list(shape), :2]) * 16).astype(np.int32)
            cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA, 4)
        return self._finish(mask, grow, sigma)

    def discs(self, points: F32, sigma: float) -> F32:
        mask = np.zeros(self.shape, np.uint8)
        for first, last in _IRISES:
            ring = points[first:last, :2]
            radius = float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean()) / self.step
            x, y = self._at(ring[:1])[0]
            cv2.circle(mask, (round(x * 16), round(y * 16)), round(radius * 16), 255, -1, cv2.LINE_AA, 4)
        return self._finish(mask, 0, sigma)
