"""Hair over clothes: ends that run out in strands, another colour, a shorter cut."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.head.fields import blur, smoothstep
from portrayal.engines.studio.types import Cutout
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.types import HAIR

# Hair that ends so far (cm) below the chin is long: its end in the matte is rarely its real end.
_LONG: Final = 1.0
_ENDS: Final = 6.5  # cm over which long hair runs out


def tapered(head: Cutout, own: F32, scale: float, seed: int) -> F32:
    """Factor (H, W) 0..1 that lets long hair run out in strands instead of a cut.

    Args:
        head: on the canvas.
        own: (H, W) its matte.
        scale: canvas pixels per cm.
        seed: of the strands.
    """
    assert head.points is not None
    chin = float(head.points[mesh.CHIN, 1])
    first = int(np.clip(chin - _ENDS * scale, 0, len(own)))
    out = np.ones_like(own)
    hair = (head.regions[first:] == HAIR) & (own[first:] > 0.3)
    least = int(chin + _LONG * scale) - first
    if not hair[max(0, least) :].any():
        return out
    columns = np.flatnonzero(hair.any(0))
    x0, x1 = max(0, int(columns[0] - scale)), min(own.shape[1], int(columns[-1] + scale + 1))
    hair = hair[:, x0:x1]
    rows = np.arange(len(hair), dtype=np.float32)[:, None]
    end = _ends(hair, scale)
    end = np.where(end < least, np.float32(10 * len(own)), end)
    left = (end[None] - rows) / np.float32(_ENDS * scale)
    strands = _strands(hair.shape, scale, seed)
    # Strands end one after the other, and the last ones are the thinnest.
    keep = smoothstep(-0.04, 0.10, left - 0.92 * strands)
    is_hair = blur(hair.astype(np.float32), 0.08 * scale)
    out[first:, x0:x1] = 1 - smoothstep(0.02, 0.3, is_hair) * (1 - keep)
    return out


def _ends(hair: F32, scale: float) -> F32:
    """Row at which the locks of each column end, (w,): that of the longest nearby."""
    height = len(hair)
    last = np.where(hair.any(0), height - hair[::-1].argmax(0), 0).astype(np.float32)
    reach = 2 * max(1, round(1.6 * scale)) + 1
    longest = cv2.dilate(last[None], np.ones((1, reach), np.uint8))
    return np.asarray(cv2.GaussianBlur(longest, (0, 0), 0.8 * scale)[0], np.float32)


def _strands(shape: tuple[int, ...], scale: float, seed: int) -> F32:
    """Noise (h, w) 0..1, long downwards and narrow across."""
    rng = np.random.default_rng([seed, 621])
    out = np.zeros(shape[:2], np.float32)
    h, w = shape[:2]
    for width, share in ((0.5, 0.45), (0.13, 0.55)):
        # One value per strand and 3 cm of its way.
        grid = rng.standard_normal(
            (max(2, round(h / (3.0 * scale))) + 1, max(2, round(w / (width * scale)))), np.float32
        )
        out += np.float32(share) * cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(0.5 + 0.5 * np.tanh(1.3 * out), np.float32)
