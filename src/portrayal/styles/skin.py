"""Where the skin of people is, as a soft weight: styles are gentle there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.perception import mesh
from portrayal.perception.types import FaceReading
from portrayal.styles.oklab import to_oklab

_SIDE: Final = 384  # longer side at which colours are compared
_REACH: Final = 2.2  # face widths around a face in which necks, ears and hands have its colour


def skin_weight(image: U8, faces: Sequence[FaceReading]) -> F32:
    """Faces whole, and around them what has the colour of their cheeks.

    Args:
        image: (h, w, 3) uint8.
        faces: people in it.

    Returns:
        (h, w) float32 0..1, soft.
    """
    height, width = image.shape[:2]
    k = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * k)), max(1, round(height * k)))
    small = to_oklab(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8))
    v, u = np.mgrid[: size[1], : size[0]].astype(np.float32)
    total = np.zeros(size[::-1], np.float32)
    for face in faces:
        points = (face.points[:, :2] * np.float32(k)).astype(np.float32)
        unit = float(face.pose.scale) * k
        oval = np.zeros(size[::-1], np.uint8)
        cv2.fillConvexPoly(oval, cv2.convexHull(np.round(points[list(mesh.OVAL)]).astype(np.int32)), 255)
        inside = oval > 0
        if not inside.any():
            continue
        whole = cv2.GaussianBlur(oval.astype(np.float32) / np.float32(255), (0, 0), max(0.8, 0.06 * unit))
        middle = np.median(small[inside], axis=0)
        away = (small - middle) / np.array([0.24, 0.035, 0.035], np.float32)
        alike = np.exp(-0.5 * (away**2).sum(-1))
        cx, cy = points[list(mesh.OVAL)].mean(0)
        near = np.clip(_REACH - np.hypot(u - cx, (v - cy) * 0.8) / max(unit, 1.0), 0, 1)
        alike = cv2.GaussianBlur((alike * near).astype(np.float32), (0, 0), max(0.8, 0.03 * unit))
        total = np.maximum(total, np.maximum(whole, alike)).astype(np.float32)
    return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
