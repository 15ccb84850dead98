"""The outline of a mask as a smooth signed distance with outward normals."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.head.fields import blur
from portrayal.imaging import F32, Array


@dataclass(frozen=True)
class Contour:
    """Signed distance (> 0 inside) and outward unit normals, each (h, w) float32, in pixels of the array."""

    distance: F32
    nx: F32
    ny: F32


def contour(mask: Array, sigma: float = 2.0) -> Contour:
    """The outline of a mask (h, w), smoothed over `sigma` pixels."""
    inside = mask.astype(np.uint8)
    near = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    distance = blur(near, sigma)
    gx = cv2.Sobel(distance, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(distance, cv2.CV_32F, 0, 1, ksize=3)
    length = np.sqrt(gx * gx + gy * gy) + np.float32(1e-6)
    return Contour(distance, -gx / length, -gy / length)
