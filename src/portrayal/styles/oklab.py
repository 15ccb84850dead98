"""Oklab (Ottosson 2020): colours in which equal steps look equally large, for arrays of any shape."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.imaging import F32, Array

_TO_LMS: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_LMS: Final = np.linalg.inv(_TO_LMS.astype(np.float64)).astype(np.float32)
_FROM_LAB: Final = np.linalg.inv(_TO_LAB.astype(np.float64)).astype(np.float32)


def to_oklab(codes: Array) -> F32:
    """sRGB codes (..., 3) float32 0..1, or uint8, to lightness 0..1 and the two colour axes, about -0.3..0.3."""
    c = np.asarray(codes)
    c = c.astype(np.float32) / np.float32(255) if c.dtype == np.uint8 else c.astype(np.float32)
    high = ((np.maximum(c, np.float32(0)) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    light = np.where(c <= np.float32(0.04045), c / np.float32(12.92), high)
    return np.asarray(np.cbrt(light @ _TO_LMS.T) @ _TO_LAB.T, np.float32)


def from_oklab(lab: Array) -> F32:
    """Oklab (..., 3) to sRGB codes float32 0..1. Colours that a screen cannot show lose chroma, never hue or
    lightness."""
    values = np.asarray(lab, np.float32)
    linear = _linear(values)
    out = (linear.min(-1) < -1e-4) | (linear.max(-1) > 1 + 1e-4)
    if out.any():
        linear[out] = _linear(_into_gamut(values[out]))
    light = np.clip(linear, 0, 1)
    high = np.float32(1.055) * light ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.asarray(np.where(light <= np.float32(0.0031308), light * np.float32(12.92), high), np.float32)


def _linear(lab: F32) -> F32:
    return np.asarray((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, np.float32)


def _into_gamut(lab: F32) -> F32:
    """The same lightness and hue with the largest chroma that a screen shows, by bisection."""
    lab = lab.copy()
    lab[:, 0] = np.clip(lab[:, 0], 0, 1)
    low, high = np.zeros(len(lab), np.float32), np.ones(len(lab), np.float32)
    for _ in range(10):
        middle = (low + high) / np.float32(2)
        linear = _linear(np.column_stack([lab[:, 0], lab[:, 1] * middle, lab[:, 2] * middle]))
        inside = (linear.min(-1) >= -1e-4) & (linear.max(-1) <= 1 + 1e-4)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.column_stack([lab[:, 0], lab[:, 1] * low, lab[:, 2] * low]).astype(np.float32)
