"""Rotated square crops, and least-squares similarity transforms."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.imaging import F32, F64, U8


@dataclass(frozen=True)
class Roi:
    """A rotated square of a picture: centre and side in pixels, angle in radians (clockwise), mirrored or not."""

    cx: float
    cy: float
    size: float
    angle: float = 0.0
    flip: bool = False

    def to_image(self, n: int) -> F64:
        """(2, 3) matrix from coordinates of an n x n crop to picture coordinates."""
        scale, cos, sin = self.size / n, np.cos(self.angle), np.sin(self.angle)
        sign = -1.0 if self.flip else 1.0
        linear = np.array([[cos * scale * sign, -sin * scale], [sin * scale * sign, cos * scale]])
        shift = np.array([self.cx, self.cy]) - linear @ np.array([n / 2, n / 2])
        return np.hstack([linear, shift[:, None]])

    def crop(self, rgb: U8, n: int) -> U8:
        """The n x n picture inside; black beyond the border of `rgb`."""
        matrix = self.to_image(n)
        shrink = self.size / n
        if shrink > 2.0:  # bilinear sampling would alias: shrink the part that is needed first
            rgb, matrix = self._shrunk(rgb, matrix, int(shrink))
        # Pixel i of the crop has its centre at i + 0.5.
        linear = matrix[:, :2]
        shift = matrix[:, 2] + linear @ np.array([0.5, 0.5]) - 0.5
        out = cv2.warpAffine(
            rgb,
            np.hstack([linear, shift[:, None]]),
            (n, n),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        return np.asarray(out, np.uint8)

    def _shrunk(self, rgb: U8, matrix: F64, by: int) -> tuple[U8, F64]:
        h, w = rgb.shape[:2]
        reach = 0.75 * self.size
        x0, y0 = int(np.clip(self.cx - reach, 0, w - 1)), int(np.clip(self.cy - reach, 0, h - 1))
        x1, y1 = int(np.clip(self.cx + reach + 1, x0 + 1, w)), int(np.clip(self.cy + reach + 1, y0 + 1, h))
        size = (max(1, (x1 - x0) // by), max(1, (y1 - y0) // by))
        part = rgb[y0 : y0 + size[1] * by, x0 : x0 + size[0] * by]
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)  # a whole factor is fast
        matrix = matrix.copy()
        matrix[:, 2] -= [x0, y0]
        return np.asarray(small, np.uint8), matrix * np.array([[size[0] / part.shape[1]], [size[1] / part.shape[0]]])

    def varied(self, scale: float, turn: float, flip: bool) -> Roi:
        """A slightly different crop of the same thing, for averaging."""
        return replace(self, size=self.size * scale, angle=self.angle + turn, flip=flip)


def similarity(source: F32 | F64, target: F32 | F64) -> tuple[float, F64, F64]:
    """Scale s, rotation R, shift t with ``target ~ s * source @ R.T + t`` (Umeyama 1991), any dimension."""
    a, b = source.astype(np.float64), target.astype(np.float64)
    mean_a, mean_b = a.mean(0), b.mean(0)
    u, values, vt = np.linalg.svd((b - mean_b).T @ (a - mean_a))
    signs = np.ones(a.shape[1])
    signs[-1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * signs) @ vt
    scale = float((values * signs).sum() / ((a - mean_a) ** 2).sum())
    return scale, rotation, mean_b - scale * rotation @ mean_a
