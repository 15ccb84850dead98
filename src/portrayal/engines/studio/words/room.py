"""Where words may stand: a coarse map of a picture, and the best free place in it for a rectangle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.engines.base import Box
from portrayal.imaging import F32, Array

_CELLS: Final = 144
"""Cells along the shorter side of a picture."""
_GROWN: Final = 0.08
"""Faces are avoided with this share of their size around."""


def grown(face: Box, share: float = _GROWN) -> Box:
    """A face's box with room around it."""
    x, y = share * (face[2] - face[0]), share * (face[3] - face[1])
    return face[0] - x, face[1] - y, face[2] + x, face[3] + y


class Room:
    """What is taken of a picture.

    Args:
        size: (width, height) of the picture.
        faces: boxes of faces in pixels; never covered, with 8 % around each.
        matte: (H, W) float32 0..1 of the people, or None.
        margin: share of the shorter side that stays free along the frame.
    """

    def __init__(self, size: tuple[int, int], faces: Sequence[Box], matte: F32 | None, margin: float = 0.035):
        self.size = size
        self.cell = max(1.0, min(size) / _CELLS)
        width, height = (max(4, round(side / self.cell)) for side in size)
        self.grid = (width, height)
        self.faces = tuple(grown(face) for face in faces)
        self.margin = margin * min(size)
        self.taken = np.zeros((height, width), np.uint8)
        for face in self.faces:
            self.take(face)
        people = np.zeros((height, width), np.float32)
        if matte is not None:
            people = np.asarray(cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        self.people = people

    def take(self, box: Box) -> None:
        """Nothing else may stand in a box."""
        x0, y0, x1, y1 = self._cells(box)
        self.taken[y0:y1, x0:x1] = 1

    def take_outside(self, matrix: Array) -> None:
        """Nothing may stand where a later transformation (2, 3) of the picture moves it out of the frame."""
        width, height = self.grid
        x, y = np.meshgrid((np.arange(width) + 0.5) * self.cell, (np.arange(height) + 0.5) * self.cell)
        moved = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.asarray(matrix, np.float64).T
        inside = (moved > self.margin) & (moved < np.array(self.size) - self.margin)
        self.taken[~inside.all(axis=-1)] = 1

    def free(self, box: Box) -> bool:
        """Whether a box meets nothing that is taken."""
        x0, y0, x1, y1 = self._cells(box)
        return not self.taken[y0:y1, x0:x1].any()

    def share(self, box: Box) -> float:
        """Share of a box that people fill."""
        x0, y0, x1, y1 = self._cells(box)
        return float(self.people[y0:y1, x0:x1].mean()) if x1 > x0 and y1 > y0 else 0.0

    def _cells(self, box: Box) -> tuple[int, int, int, int]:
        """Every cell that a box touches."""
        width, height = self.grid
        x0, y0 = (int(np.floor(v / self.cell)) for v in box[:2])
        x1, y1 = (int(np.ceil(v / self.cell)) for v in box[2:])
        return max(0, x0), max(0, y0), min(width, x1), min(height, y1)

    def best(
        self,
        size: tuple[float, float],
        cost: Callable[[F32, F32], F32],
        people: float,
    ) -> tuple[float, Box] | None:
        """The cheapest place for a rectangle.

        Args:
            size: (width, height) in pixels.
            cost: of centres (x, y) in pixels, arrays that broadcast.
            people: what a rectangle costs that lies wholly on people; infinite = people are never covered.

        Returns:
            Its cost and its box, or None when there is no room.
        """
        w, h = (int(np.ceil(side / self.cell)) + 1 for side in size)
        width, height = self.grid
        edge = int(np.ceil(self.margin / self.cell))
        if w > width - 2 * edge or h > height - 2 * edge:
            return None
        blocked = self.taken.astype(np.float64)
        if np.isinf(people):
            blocked = np.maximum(blocked, cv2.dilate(self.people, np.ones((5, 5), np.uint8)) > 0.04)
        inner = slice(edge, height - h - edge + 1), slice(edge, width - w - edge + 1)
        sums = _boxes(blocked, w, h)[inner]
        y, x = np.mgrid[edge : edge + sums.shape[0], edge : edge + sums.shape[1]].astype(np.float32)
        centre_x, centre_y = (x + w / 2) * self.cell, (y + h / 2) * self.cell
        price = np.asarray(cost(centre_x, centre_y), np.float64)
        if not np.isinf(people):
            price = price + people * _boxes(self.people.astype(np.float64), w, h)[inner] / (w * h)
        price = np.where(sums > 0.5, np.inf, price)
        if not np.isfinite(price).any():
            return None
        row, column = np.unravel_index(int(np.argmin(price)), price.shape)
        at_x, at_y = float(centre_x[row, column]), float(centre_y[row, column])
        half_x, half_y = size[0] / 2, size[1] / 2
        return float(price[row, column]), (at_x - half_x, at_y - half_y, at_x + half_x, at_y + half_y)


def _boxes(values: np.ndarray, w: int, h: int) -> np.ndarray:
    """Sums over all boxes of w x h cells, by the place of their upper left cell."""
    total = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    total[1:, 1:] = values.cumsum(0).cumsum(1)
    return total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]
