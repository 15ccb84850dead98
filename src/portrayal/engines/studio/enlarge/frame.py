"""Where the canvas lies on the reference, and moving pictures between the two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.sparse import csr_array

from portrayal.imaging import F32, Array


@dataclass(frozen=True)
class Frame:
    """canvas = scale * reference + offset, in pixels whose centres have whole coordinates.

    Attributes:
        scale: canvas pixels per reference pixel.
        x, y: where the reference's pixel (0, 0) lies on the canvas.
        width, height: of the canvas.
    """

    scale: float
    x: float
    y: float
    width: int
    height: int

    def matrix(self) -> F32:
        """(2, 3) from reference to canvas."""
        return np.array([[self.scale, 0, self.x], [0, self.scale, self.y]], np.float32)

    def window(self, width: int, height: int, margin: int) -> tuple[int, int, int, int]:
        """Part (x0, y0, x1, y1) of a reference of that size that the canvas shows, plus a margin in its pixels.

        Never empty: a canvas beside the reference gets the nearest strip.
        """
        x0 = math.floor(-self.x / self.scale) - margin
        y0 = math.floor(-self.y / self.scale) - margin
        x1 = math.ceil((self.width - self.x) / self.scale) + margin
        y1 = math.ceil((self.height - self.y) / self.scale) + margin
        x0, x1 = max(0, min(x0, width - 16)), min(width, max(x1, 16))
        y0, y1 = max(0, min(y0, height - 16)), min(height, max(y1, 16))
        return x0, y0, x1, y1

    def inside(self, x0: int, y0: int) -> Frame:
        """The frame of a part of the reference that begins at (x0, y0)."""
        return Frame(self.scale, self.x + self.scale * x0, self.y + self.scale * y0, self.width, self.height)

    def after(self, factor: float) -> tuple[F32, Frame]:
        """Split off a first enlargement by `factor`; the frame that is left.

        Returns:
            (2, 3) matrix from the reference to the enlarged one, and the frame from that one to the canvas.
        """
        shift = (factor - 1) / 2
        first = np.array([[factor, 0, shift], [0, factor, shift]], np.float32)
        rest = self.scale / factor
        return first, Frame(rest, self.x - rest * shift, self.y - rest * shift, self.width, self.height)

    def warp(self, picture: Array, flags: int = cv2.INTER_CUBIC, border: int = cv2.BORDER_REPLICATE) -> Array:
        """A picture of the reference on the canvas.

        Reduction (scale below 0.8) is filtered first, so that nothing aliases.
        """
        if self.scale < 0.8 and flags != cv2.INTER_NEAREST:
            sigma = 0.42 * math.sqrt(max(0.0, 1 / self.scale**2 - 1))
            picture = cv2.GaussianBlur(picture, (0, 0), sigma)
        size = (self.width, self.height)
        return np.asarray(cv2.warpAffine(picture, self.matrix(), size, flags=flags, borderMode=border))

    def shrink(self, canvas: F32, width: int, height: int) -> F32:
        """What a camera with the reference's pixels would see of a canvas: box average, sampled at its pixels.

        Returns:
            (height, width) float32; only pixels whose whole square lies on the canvas mean anything.
        """
        down = _boxes(height, self.scale, self.y, canvas.shape[0])
        across = _boxes(width, self.scale, self.x, canvas.shape[1])
        rows = down @ canvas
        return np.ascontiguousarray((across @ np.ascontiguousarray(rows.T)).T)


def _boxes(count: int, scale: float, offset: float, size: int) -> csr_array:
    """(count, size) weights: row i averages the canvas pixels that pixel i of the reference covers.

    Exact to the fraction of a pixel: a wider average would make back-projection sharpen too much. What lies beyond the
    canvas is taken to be its border.
    """
    low = scale * np.arange(count)[:, None] + offset - scale / 2
    at = np.floor(low + 0.5) + np.arange(math.ceil(scale) + 1)
    covered = np.minimum(low + scale, at + 0.5) - np.maximum(low, at - 0.5)
    weights = (np.maximum(covered, 0) / scale).astype(np.float32)
    columns = np.clip(at, 0, size - 1).astype(np.int32)
    first = np.arange(count + 1, dtype=np.int32) * at.shape[1]
    return csr_array((weights.ravel(), columns.ravel(), first), shape=(count, size))
