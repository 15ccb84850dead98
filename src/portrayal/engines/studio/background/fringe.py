"""Colours along the outline of a cut-out, without the light of the old background."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.enlarge.denoise import LUMA
from portrayal.imaging import F32, U8, Array

_SIZE: Final = 768  # longer side at which colours are carried from the inside to the edge
_REACH: Final = 3  # pixels beyond the matte that are cleaned, too: whoever resamples the file reads them
# Gaussian scales in working pixels and how much each is trusted: the nearest inside colour wins.
_SCALES: Final = ((1.5, 1.0), (4.0, 0.05), (12.0, 0.002), (40.0, 1e-4))


def without_spill(rgb: U8, alpha: F32) -> U8:
    """Colours at the edge taken from inside the person.

    What the edge shows of its own texture (strands) stays as lightness, bounded by the colour inside: a light
    background cannot leave a bright fringe, a dark one no dark line. As `edges.decontaminate`, for whole pictures: only
    the edge itself is worked on.

    Args:
        rgb: (h, w, 3) uint8 foreground colours.
        alpha: (h, w) float32 matte.

    Returns:
        (h, w, 3) uint8; opaque places are unchanged.
    """
    height, width = alpha.shape
    k = min(1.0, _SIZE / max(height, width))
    edge = _edge(alpha)
    band = cv2.dilate(((edge > 0.004) & (alpha > 0.004)).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=_REACH)
    ys, xs = np.nonzero((band > 0) & (edge > 0.004))
    if not len(ys):
        return rgb
    inside = _inside(rgb, alpha, (max(8, round(width * k)), max(8, round(height * k))))
    near = _sampled(inside, xs, ys, alpha.shape)
    own = rgb[ys, xs].astype(np.float32) / np.float32(255)
    ratio = np.clip((own @ LUMA) / np.maximum(near @ LUMA, 0.01), 0.72, 1.12)
    clean = near * (1 + np.float32(0.7) * (ratio - 1))[:, None]
    mixed = own + (clean - own) * edge[ys, xs][:, None]
    out = rgb.copy()
    out[ys, xs] = np.clip(mixed * 255 + 0.5, 0, 255)
    return out


def _edge(alpha: F32) -> F32:
    """Weight 0..1 of the outline: where a pixel, or its neighbour, is not wholly covered."""
    soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.7), np.float32)
    return np.maximum(1 - _smooth(0.6, 0.985, soft), 1 - _smooth(0.75, 0.97, alpha))


def _smooth(low: float, high: float, x: F32) -> F32:
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _inside(rgb: U8, alpha: F32, size: tuple[int, int]) -> F32:
    """Colours of the nearest wholly covered pixels, at a working size."""
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    matte = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    solid = np.clip((cv2.erode(matte, np.ones((3, 3), np.uint8)) - 0.9) * 10, 0, 1) + np.float32(1e-5)
    weighted = cv2.merge([*cv2.split(small * solid[..., None]), solid])
    total = np.zeros_like(weighted)
    for sigma, trust in _SCALES:
        step = max(1, int(sigma // 3))
        coarse = (max(4, size[0] // step), max(4, size[1] // step))
        part = cv2.resize(weighted, coarse, interpolation=cv2.INTER_AREA) if step > 1 else weighted
        part = cv2.GaussianBlur(part, (0, 0), sigma / step)
        if step > 1:
            part = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        total += np.float32(trust) * part
    return np.asarray(total[..., :3] / np.maximum(total[..., 3:], 1e-12), np.float32)


def _sampled(picture: F32, xs: Array, ys: Array, shape: tuple[int, ...]) -> F32:
    """(n, 3) values of a smaller picture at pixels of the large one."""
    wide = 1024  # remap wants a picture, not a list
    fill = -len(xs) % wide
    ky, kx = picture.shape[0] / shape[0], picture.shape[1] / shape[1]
    x = np.pad((xs + 0.5) * kx - 0.5, (0, fill)).astype(np.float32).reshape(-1, wide)
    y = np.pad((ys + 0.5) * ky - 0.5, (0, fill)).astype(np.float32).reshape(-1, wide)
    found = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1, 3)[: len(xs)], np.float32)
