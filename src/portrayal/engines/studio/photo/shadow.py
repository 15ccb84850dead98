"""The shadow of a whole figure on the ground."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.ground import contact_shadow
from portrayal.engines.studio.types import Lighting
from portrayal.imaging import F32

_SLANT = 0.30  # how flat the ground is seen: rows per depth


def ground_shadow(radiance: F32, alpha: F32, lighting: Lighting, room: F32) -> F32:
    """Darken the plate (h, w, 3) where a figure stands and where its key light throws it.

    Args:
        alpha: (h, w) the figure.
        room: (h, w) pixels to the end of what may change; shadows fade towards it.
    """
    height, width = alpha.shape
    rows = np.flatnonzero((alpha > 0.5).any(1))
    if not len(rows) or rows[-1] > height - 4:
        return radiance
    fade = np.clip(room / (0.07 * float(np.ptp(rows)) + 1), 0, 1)
    fade = (fade * fade * (3 - 2 * fade))[..., None]
    out = contact_shadow(radiance, alpha, 0.55 + 0.3 * (1 - lighting.fill))
    out = radiance + (out - radiance) * fade
    if not lighting.keys:
        return np.asarray(out, np.float32)
    key = lighting.keys[0]
    d = np.asarray(key.direction, np.float32) / max(float(np.linalg.norm(key.direction)), 1e-6)
    rise = max(float(d[1]), 0.3)
    foot, tall = float(rows[-1]) - 0.02 * float(np.ptp(rows)), float(np.ptp(rows)) + 1
    across = float(np.clip(-d[0] / rise, -1.3, 1.3))
    deep = float(np.clip(-d[2] / rise * _SLANT, -0.6, 0.6))
    # A point h above the foot throws its shadow h * across aside and h * deep down.
    move = np.array([[1, -across, across * foot], [0, -deep, foot + deep * foot]], np.float32)
    thrown = cv2.warpAffine(alpha, move, (width, height), flags=cv2.INTER_AREA)
    sigma = max(1.0, (0.015 + 0.09 * key.softness) * tall)
    soft = np.asarray(cv2.GaussianBlur(thrown, (0, 0), sigma), np.float32)
    strength = 0.75 * key.shadow * (1 - lighting.fill)
    return np.asarray(out * (1 - strength * np.clip(soft, 0, 1)[..., None] * fade), np.float32)
