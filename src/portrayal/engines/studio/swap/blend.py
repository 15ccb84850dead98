"""Multiband blending (Burt & Adelson 1983): coarse light mixes over a wide band, fine detail over a narrow one."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32

_PAD = 64


def blended(over: F32, under: F32, weight: F32, levels: int) -> F32:
    """`over` (h, w, 3) on `under` by a weight (h, w) 0..1, in so many octaves."""
    a, b, m = (cv2.copyMakeBorder(v, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REFLECT) for v in (over, under, weight))
    # The pyramid is linear: that of the difference, weighted, is added to what lies below.
    difference = np.asarray(a - b, np.float32)
    bands: list[F32] = []
    for _ in range(levels):
        size = (difference.shape[1], difference.shape[0])
        small = np.asarray(cv2.pyrDown(difference), np.float32)
        bands.append((difference - np.asarray(cv2.pyrUp(small, dstsize=size), np.float32)) * m[..., None])
        difference, m = small, np.asarray(cv2.pyrDown(m), np.float32)
    out = np.asarray(difference * m[..., None], np.float32)
    for band in reversed(bands):
        out = np.asarray(cv2.pyrUp(out, dstsize=(band.shape[1], band.shape[0])), np.float32) + band
    h, w = weight.shape
    return np.asarray(under + out[_PAD : _PAD + h, _PAD : _PAD + w], np.float32)
