"""A face before and after an expression, as the painters of eyes, mouth and skin see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from portrayal.engines.studio.head.fields import bounds, warp
from portrayal.engines.studio.head.frame import FaceFrame
from portrayal.imaging import F32


@dataclass(frozen=True)
class Patch:
    """A rectangle of the face's picture: its corner and size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def rows(self) -> slice:
        """Rows of the face's picture."""
        return slice(self.y, self.y + self.height)

    @property
    def columns(self) -> slice:
        """Columns of the face's picture."""
        return slice(self.x, self.x + self.width)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def empty(self) -> bool:
        """Whether it is too small to paint in."""
        return min(self.width, self.height) < 4

    def local(self, points: F32) -> F32:
        """Points (n, 2) relative to the corner."""
        return points - np.array([self.x, self.y], np.float32)


@dataclass(frozen=True)
class Moved:
    """A face's picture, and where its parts go.

    Attributes:
        rgb: (h, w, 3) before.
        old, new: (504, 2) vertices before and after, pixels.
        x, y: (h, w) where each pixel's colour was before.
        frame: of the face before.
        strength: 0..1 of the expression.
        seed: of lashes.
    """

    rgb: F32
    old: F32
    new: F32
    x: F32
    y: F32
    frame: FaceFrame
    strength: float
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.rgb.shape[0], self.rgb.shape[1]

    @property
    def face(self) -> float:
        """Height of the face in pixels."""
        return self.frame.height

    @property
    def unit(self) -> float:
        """Distance of the outer eye corners in pixels."""
        return self.frame.unit

    @cached_property
    def skin(self) -> F32:
        """(3,) mean colour of the cheeks."""
        h, w = self.shape
        at = self.old[[50, 280, 205, 425]].astype(int)
        mean: F32 = self.rgb[np.clip(at[:, 1], 0, h - 1), np.clip(at[:, 0], 0, w - 1)].mean(0)
        return mean

    def patch(self, vertices: list[int], margin: float) -> Patch:
        """The rectangle around vertices, before and after."""
        points = np.vstack([self.old[vertices], self.new[vertices]])
        x0, y0, x1, y1 = bounds(points, margin, (self.shape[1], self.shape[0]))
        return Patch(x0, y0, x1 - x0, y1 - y0)

    def carried(self, image: F32, patch: Patch, flag: int) -> F32:
        """The part `patch` of a picture of the old face, moved to the new one.

        Args:
            image: of the same size as `rgb`.
        """
        return warp(image, self.x[patch.rows, patch.columns], self.y[patch.rows, patch.columns], flag)
