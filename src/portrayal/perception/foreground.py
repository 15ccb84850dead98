"""Colours of the subject without the old background: multilevel estimation (Germer et al. 2020)."""

from __future__ import annotations

import cv2
import numba
import numpy as np

from portrayal.imaging import F32, U8, Array
from portrayal.parallel import bands

_REGULARISATION = 1e-5
_SMALL = 32  # levels up to this side get more sweeps


def foreground_colours(rgb: U8, alpha: F32, size: int = 1024) -> U8:
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
    colours = _estimate(image.astype(np.float32), matte)
    if k < 1:
        colours = np.asarray(cv2.resize(colours, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    out = rgb.copy()
    open_pixels = alpha < 0.995
    solid = np.clip((alpha[open_pixels] - 0.9) / 0.1, 0, 1)[:, None]
    mixed = rgb[open_pixels] * solid + colours[open_pixels] * (1 - solid)
    out[open_pixels] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return out


def _estimate(image: F32, alpha: F32) -> F32:
    """Foreground (h, w, 3) in the units of the image, coarse levels first."""
    h, w = alpha.shape
    both = np.zeros((1, 1, 6), np.float32)
    both[..., :3] = _mean(image, alpha > 0.9)
    both[..., 3:] = _mean(image, alpha < 0.1)
    levels = max(1, int(np.ceil(np.log2(max(h, w)))))
    for level in range(1, levels + 1):
        size = (round(w ** (level / levels)), round(h ** (level / levels)))
        picture = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.float32)
        matte = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_NEAREST), np.float32)
        both = _enlarged(both, size)
        sweeps = 10 if max(size) <= _SMALL else 2
        for parity in [0, 1] * sweeps:
            bands(lambda a, b: _relax(picture, matte, both, parity, _REGULARISATION, a, b), size[1], 96)  # noqa: B023
    return np.ascontiguousarray(both[..., :3])


def _mean(image: F32, where: Array) -> F32 | float:
    return image[where].mean(0) if where.any() else 127.0


def _enlarged(both: F32, size: tuple[int, int]) -> F32:
    rows = np.arange(size[1]) * both.shape[0] // size[1]
    columns = np.arange(size[0]) * both.shape[1] // size[0]
    return np.ascontiguousarray(both[rows][:, columns])


@numba.njit(nogil=True, cache=True, fastmath=True)
def _relax(image: Array, alpha: Array, both: Array, parity: int, least: float, first: int, last: int) -> None:
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
                f0 += t * both[yy, xx, 0]
                f1 += t * both[yy, xx, 1]
                f2 += t * both[yy, xx, 2]
                g0 += t * both[yy, xx, 3]
                g1 += t * both[yy, xx, 4]
                g2 += t * both[yy, xx, 5]
            det = 1 / (aa * bb - ab * ab)
            aa, ab, bb = aa * det, ab * det, bb * det
            limit = np.float32(255)
            both[y, x, 0] = min(max(bb * f0 - ab * g0, 0), limit)
            both[y, x, 1] = min(max(bb * f1 - ab * g1, 0), limit)
            both[y, x, 2] = min(max(bb * f2 - ab * g2, 0), limit)
            both[y, x, 3] = min(max(aa * g0 - ab * f0, 0), limit)
            both[y, x, 4] = min(max(aa * g1 - ab * f1, 0), limit)
            both[y, x, 5] = min(max(aa * g2 - ab * f2, 0), limit)
