"""A camera that is turned about its axis: the picture tilts, and nothing of its corners is empty."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, Array
from portrayal.sizes import Size


def roll_matrix(size: Size, degrees: float) -> Array:
    """Matrix (2, 3) that turns the camera about its axis and steps closer, so that no corner is empty."""
    width, height = size
    angle = np.radians(abs(degrees))
    long, short = max(width, height), min(width, height)
    zoom = float(np.cos(angle) + np.sin(angle) * long / short)
    return cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)


def rolled(radiance: F32, degrees: float) -> F32:
    """The picture of a tilted camera."""
    height, width = radiance.shape[:2]
    return cv2.warpAffine(
        radiance,
        roll_matrix((width, height), degrees),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    ).astype(np.float32, copy=False)
