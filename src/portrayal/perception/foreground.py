"""Colours of the subject without the old background: multilevel estimation (Germer et al. 2020)."""

from __future__ import annotations

import cv2
import numba
import numpy as np

from portrayal.imaging import F32, U8, Array
from portrayal.parallel import bands

_REGULARISATION = 1e-5
_SMALL = 32  # levels up to this side get more sweeps


def foreground_colours(rgb: U8, alpha: F32, size: int = 768) -> U8:
    """Colours of what alpha shows, defined everywhere (far outside: those of the nearest subject pixels).

    Args:
        rgb: (h, w, 3) uint8.
        alpha: (h, w) float32 0..1.
        size: longer side at which partly covered pixels are estimated; covered ones keep the picture's colour.

    Returns:
        (h, w, 3) uint8.
    """
    h, w = alpha.shape
    k = min(1.0, size / max(h, w))
    image, matte = rgb, alpha
    if k < 1:
        small = (max(1, round(w * k)), max(1, round(h * k)))
        matte = np.asarray(cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), np.float32)
        image = np.asarray(cv2.resize(rgb, small, interpolation=cv2.INTER_AREA), np.uint8)
    colours = np.clip(_estimate(image.astype(np.float32), matte) + 0.5, 0, 255).astype(np.uint8)
    if k < 1:
        colours = np.asarray(cv2.resize(colours, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    solid = np.clip((alpha - 0.9) / 0.1, 0, 1).astype(np.float32)
    return np.asarray(cv2.blendLinear(rgb, colours, solid, 1 - solid), np.uint8)


def _estimate(image: F32, alpha: F32) -> F32:
    """Foreground (h, w, 3) in the units of the image, coarse levels first."""
    h, w = alpha.shape
    front = np.full((1, 1, 3), _mean(image, alpha > 0.9), np.float32)
    back = np.full((1, 1, 3), _mean(image, alpha < 0.1), np.float32)
    levels = max(1, int(np.ceil(np.log2(max(h, w)))))
    for level in range(1, levels + 1):
        size = (round(w ** (level / levels)), round(h ** (level / levels)))
        picture, matte, front, back = (_nearest(x, size) for x in (image, alpha, front, back))
        for parity in [0, 1] * (10 if max(size) <= _SMALL else 2):
            _half_sweep(picture, matte, front, back, parity)
    return front


def _half_sweep(picture: F32, matte: F32, front: F32, back: F32, parity: int) -> None:
    bands(lambda a, b: _relax(picture, matte, front, back, parity, _REGULARISATION, a, b), len(matte), 96)


def _mean(image: F32, where: Array) -> F32 | float:
    return image[where].mean(0) if where.any() else 127.0


def _nearest(values: F32, size: tuple[int, int]) -> F32:
    return np.ascontiguousarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST), np.float32)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _relax(
    image: Array, alpha: Array, front: Array, back: Array, parity: int, least: float, first: int, last: int
) -> None:
    """One half-sweep (checkerboard) that solves each pixel for foreground and background given its neighbours."""
    h, w = alpha.shape
    for y in range(first, last):
        for x in range((y + parity) % 2, w, 2):
            a = alpha[y, x]
            b = 1 - a
            aa, ab, bb = a * a, a * b, b * b
            f0, f1, f2 = a * image[y, x, 0], a * image[y, x, 1], a * image[y, x, 2]
            g0, g1, g2 = b * image[y, x, 0], b * image[y, x, 1], b * image[y, x, 2]
            for d in range(4):
                yy = min(max(y + (d == 0) - (d == 1), 0), h - 1)
                xx = min(max(x + (d == 2) - (d == 3), 0), w - 1)
                t = np.float32(least) + abs(a - alpha[yy, xx])
                aa += t
                bb += t
                f0 += t * front[yy, xx, 0]
                f1 += t * front[yy, xx, 1]
                f2 += t * front[yy, xx, 2]
                g0 += t * back[yy, xx, 0]
                g1 += t * back[yy, xx, 1]
                g2 += t * back[yy, xx, 2]
            det = 1 / (aa * bb - ab * ab)
            aa, ab, bb = aa * det, ab * det, bb * det
            limit = np.float32(255)
            front[y, x, 0] = min(max(bb * f0 - ab * g0, 0), limit)
            front[y, x, 1] = min(max(bb * f1 - ab * g1, 0), limit)
            front[y, x, 2] = min(max(bb * f2 - ab * g2, 0), limit)
            back[y, x, 0] = min(max(aa * g0 - ab * f0, 0), limit)
            back[y, x, 1] = min(max(aa * g1 - ab * f1, 0), limit)
            back[y, x, 2] = min(max(aa * g2 - ab * f2, 0), limit)
