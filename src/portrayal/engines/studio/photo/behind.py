"""What was behind a person who goes.

The new person hides most of it. A narrow strip beside the new outline continues the picture best as its own mirror
image across the old outline: window beside window, flag beside flag. What lies deeper is painted from examples.
"""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.fill import fill
from portrayal.engines.studio.light.occlusion import wide_blur
from portrayal.engines.studio.types import Notes, Patch
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8, Bool
from portrayal.request import Speed

# Depth in face heights down to which the picture is mirrored, and from which on it is painted.
_MIRRORED, _PAINTED = 0.4, 0.7
# Pixels of a hole that are painted at most when the new person hides the rest; the painting is enlarged.
_MOST = {"turbo": 25_000, "balanced": 60_000, "quality": 160_000}


def outline_grown(old: F32, mask: U8, unit: float) -> U8:
    """What is to be painted over (h, w) uint8: the old person and the rest of its outline, within the mask."""
    size = 2 * max(2, round(0.03 * unit)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    grown = cv2.dilate((old > 0.04).astype(np.uint8), kernel)
    return np.asarray(np.where(grown > 0, mask, 0), np.uint8)


def emptied(
    scene: U8,
    box: tuple[int, int, int, int],
    hole: U8,
    hidden: F32,
    unit: float,
    *,
    seed: int,
    speed: Speed,
    notes: Notes,
) -> U8:
    """A part of a scene without the person in it.

    Args:
        scene: (H, W, 3) uint8.
        box: x0, y0, x1, y1 of the part.
        hole: (h, w) uint8 of the part, above 0 where the person was.
        hidden: (h, w) float32 of the part, 1 where nobody will see it.
        unit: height of the face in pixels.

    Raises:
        MaskMismatchError: nothing of the surroundings is left.
    """
    x0, y0, x1, y1 = box
    if not (hole > 0).any():
        return scene[y0:y1, x0:x1]
    pad = int(np.clip(0.5 * max(x1 - x0, y1 - y0), 64, 420))
    a0, b0 = max(0, x0 - pad), max(0, y0 - pad)
    a1, b1 = min(scene.shape[1], x1 + pad), min(scene.shape[0], y1 + pad)
    image = scene[b0:b1, a0:a1]
    inner = np.s_[y0 - b0 : y1 - b0, x0 - a0 : x1 - a0]
    gap = np.zeros(image.shape[:2], bool)
    gap[inner] = hole > 0
    if gap.all():
        raise MaskMismatchError(
            "the person fills the whole picture", field="mask", remedy="Leave some of its surroundings unpainted."
        )
    seen = gap.copy()
    seen[inner] &= hidden < 0.97
    depth = np.asarray(cv2.distanceTransform(gap.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    mirrored, good = _mirrored(image, gap, depth, unit)
    t = np.clip((depth / unit - _MIRRORED) / (_PAINTED - _MIRRORED), 0, 1)
    painted = np.maximum((t * t * (3 - 2 * t)), 1 - good).astype(np.float32)
    out = np.where(gap[..., None], mirrored, image)
    if float((seen & (painted > 0.05)).sum()) > 0.002 * gap.sum() + 16:
        other = _painted(image, gap, seed, speed, notes)
        mixed = mirrored + (other.astype(np.float32) - mirrored) * painted[..., None]
        out = np.where(gap[..., None], mixed, image)
    return np.ascontiguousarray(np.clip(out[inner] + 0.5, 0, 255), np.uint8)


def _mirrored(image: U8, gap: Bool, depth: F32, unit: float) -> tuple[F32, F32]:
    """The gap as mirror image of its surroundings (h, w, 3), and where that is possible (h, w) 0..1."""
    rows, columns = gap.shape
    # Signed depth, smoothed: the old outline without its dents, so that the mirror is not broken.
    outside = cv2.distanceTransform((~gap).astype(np.uint8), cv2.DIST_L2, 5)
    soft = wide_blur(np.asarray(depth - outside, np.float32), max(1.5, 0.05 * unit))
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.125)
    # The depth was enlarged in straight pieces; their slopes would break the picture into a comb.
    gx, gy = (wide_blur(np.asarray(g, np.float32), max(1.5, 0.06 * unit)) for g in (gx, gy))
    length = np.sqrt(gx * gx + gy * gy) + np.float32(1e-3)
    gx, gy = gx / length, gy / length
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    wide = gap.astype(np.uint8)
    total = np.zeros(gap.shape, np.float32)
    out = image.astype(np.float32)
    # Where the mirror image is still in the gap (a dent, a corner), one farther out is taken.
    for more in (0.0, 0.02, 0.05, 0.1, 0.2):
        way = 2 * np.maximum(soft, 0) + np.float32(1.5 + more * unit)
        u, v = x - gx * way, y - gy * way
        inside = cv2.remap(wide, u, v, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
        found = gap & (inside == 0) & (total == 0)
        if not found.any():
            continue
        taken = cv2.remap(image, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        out[found] = taken[found]
        total[found] = 1
    sure = np.asarray(cv2.blur(np.where(gap, total, 1).astype(np.float32), (5, 5)), np.float32)
    return out, np.where(total > 0, np.clip(2 * sure - 1, 0, 1), 0).astype(np.float32)


def _painted(image: U8, gap: Bool, seed: int, speed: Speed, notes: Notes) -> U8:
    """The gap painted from examples, at a size that does not take long."""
    k = float(np.sqrt(min(1.0, _MOST[speed] / float(gap.sum()))))
    hole = gap.astype(np.uint8) * np.uint8(255)
    if k > 0.85:
        return _pasted(image, fill(image, hole, seed=seed, speed=speed, notes=notes))
    size = (max(16, round(image.shape[1] * k)), max(16, round(image.shape[0] * k)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    wide = (cv2.resize(hole, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8) * np.uint8(255)
    small = _pasted(small, fill(small, wide, seed=seed, speed=speed, notes=notes))
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def _pasted(image: U8, patch: Patch) -> U8:
    out = image.copy()
    h, w = patch.rgb.shape[:2]
    out[patch.y : patch.y + h, patch.x : patch.x + w] = patch.rgb
    return out
