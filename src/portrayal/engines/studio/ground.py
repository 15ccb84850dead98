"""The shadow where a subject stands, when its foot is in the picture."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32


def contact_shadow(radiance: F32, alpha: F32, strength: float = 0.85) -> F32:
    """Darken the plate under the lowest part of the subject: a tight dark core in a wide soft pool.

    Args:
        radiance: (h, w, 3) the plate.
        alpha: (h, w) the subject.

    Returns:
        The plate; unchanged when the subject leaves the frame at the bottom.
    """
    height, width = alpha.shape
    rows = np.flatnonzero((alpha > 0.5).any(1))
    if not len(rows) or rows[-1] > height - 4:
        return radiance
    foot, tall = int(rows[-1]), int(rows[-1] - rows[0] + 1)
    sole = alpha[max(0, foot - max(3, tall // 12)) : foot + 1].max(0)
    line = np.zeros((height, width), np.float32)
    line[max(0, foot - tall // 40) : min(height, foot + tall // 60 + 1)] = sole
    core = cv2.GaussianBlur(line, (0, 0), sigmaX=0.035 * tall, sigmaY=0.014 * tall)
    pool = cv2.GaussianBlur(line, (0, 0), sigmaX=0.16 * tall, sigmaY=0.045 * tall)
    dark = np.clip(0.9 * core / max(float(core.max()), 1e-6) * 0.8 + 0.5 * pool / max(float(pool.max()), 1e-6), 0, 1)
    return (radiance * (1 - strength * dark)[..., None]).astype(np.float32)
