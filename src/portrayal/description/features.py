"""What a background looks like in numbers, whoever stands before it: rows, colours, edges and lights."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Array
from portrayal.styles.oklab import to_oklab

_SIDE: Final = 160  # shorter side of the look
_BANDS: Final = 6  # rows
_HUES: Final = 10
_LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_SCALES: Final = (1.0, 2.2, 5.0)  # of edges, in pixels of the look
_LEAST: Final = 0.04  # share of the picture under which a band of background is not seen
GREY: Final = _BANDS * 5 + 3 + 2 + len(_LEVELS) + len(_SCALES) * 4 + 4  # the first of these know no colour
COUNT: Final = GREY + _BANDS * 4 + 2 * _HUES + 5


def features(picture: U8, person: F32) -> F32:
    """Measure a background.

    Args:
        picture: (h, w, 3) uint8.
        person: (h, w) float32 0..1, what is not background.

    Returns:
        (COUNT,) float32; the first GREY of them are the same without colour.
    """
    height, width = picture.shape[:2]
    k = _SIDE / min(height, width)
    size = (max(8, round(width * k)), max(8, round(height * k)))
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
    lab = to_oklab(np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8))
    seen = 1 - np.asarray(cv2.resize(person, size, interpolation=cv2.INTER_AREA), np.float32)
    seen = np.where(seen > 0.6, seen, 0).astype(np.float32)
    if float(seen.mean()) < _LEAST:
        seen[:] = 1
    lab = filled(lab, seen)
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    edges = [_edges(light, seen, sigma) for sigma in _SCALES]
    grey = [
        *_by_rows(light, seen, deviation=True),
        *_by_rows(np.sqrt(edges[0][0] + edges[1][0]), seen, deviation=False),
        *_by_rows(edges[0][1] / (edges[0][0] + 1e-4), seen, deviation=False),
        *_by_rows((light > 0.93).astype(np.float32), seen, deviation=False),
        *_by_columns(light, seen),
        *_by_columns(np.sqrt(edges[1][0]), seen)[:2],
        *_levels(light, seen),
        *(x for e in edges for x in _directions(*e, seen)),
        *_lights(light, seen),
    ]
    colour = [
        *_by_rows(lab[..., 1], seen, deviation=False),
        *_by_rows(lab[..., 2], seen, deviation=False),
        *_by_rows(chroma, seen, deviation=True),
        *_hues(lab, chroma, seen),
        *_levels(chroma, seen),
    ]
    found = np.array([*grey, *colour], np.float32)
    assert len(grey) == GREY
    assert len(found) == COUNT
    return found


def filled(values: F32, seen: F32) -> F32:
    """Behind the person goes on what is around: normalised convolution at growing sizes."""
    out, weight = values * seen[..., None], seen.copy()
    total, cover = out.copy(), weight.copy()
    for sigma in (2.0, 6.0, 18.0, 54.0):
        soft = cv2.GaussianBlur(out, (0, 0), sigma)
        part = cv2.GaussianBlur(weight, (0, 0), sigma)
        missing = np.clip(1 - cover, 0, 1) * np.clip(part * 20, 0, 1)
        total += (soft / np.maximum(part, 1e-6)[..., None]) * missing[..., None]
        cover += missing
    return np.asarray(total / np.maximum(cover, 1e-6)[..., None], np.float32)


def _mean(values: Array, weight: Array) -> float:
    return float((values * weight).sum() / max(float(weight.sum()), 1e-6))


def _by_rows(values: F32, seen: F32, *, deviation: bool) -> list[float]:
    """Means of bands of rows from top to bottom, and deviations within them; a hidden band is like its neighbours."""
    edges = np.linspace(0, len(values), _BANDS + 1).round().astype(int)
    means, spreads = [], []
    for a, b in pairwise(edges):
        part, weight = values[a:b], np.maximum(seen[a:b], 1e-3)
        middle = _mean(part, weight)
        means.append(middle)
        spreads.append(float(np.sqrt(_mean((part - middle) ** 2, weight))))
    return [*means, *spreads] if deviation else means


def _by_columns(values: F32, seen: F32) -> list[float]:
    """Contrast of middle and sides, of both sides, and of upper and lower half; left and right are the same."""
    weight = np.maximum(seen, 1e-3)
    n = values.shape[1] // 4
    left, right = _mean(values[:, :n], weight[:, :n]), _mean(values[:, -n:], weight[:, -n:])
    half = len(values) // 2
    upper, lower = _mean(values[:half], weight[:half]), _mean(values[half:], weight[half:])
    middle = _mean(values[:half, n:-n], weight[:half, n:-n])
    return [middle - (left + right) / 2, abs(left - right), upper - lower]


def _levels(values: F32, seen: F32) -> list[float]:
    flat = np.sort(values[seen > 0])
    return [float(flat[int(q * (len(flat) - 1))]) for q in _LEVELS]


def _edges(light: F32, seen: F32, sigma: float) -> tuple[F32, F32, F32, F32]:
    """Squared gradients (h, w) at a scale: all, upright edges, level edges, slanting ones; 0 beside the person."""
    soft = cv2.GaussianBlur(light, (0, 0), sigma)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    reach = int(2 * sigma + 1) * 2 + 1
    open_ = cv2.erode((seen > 0).astype(np.float32), np.ones((reach, reach), np.uint8))
    power = (gx * gx + gy * gy) * open_
    angle = np.abs(np.arctan2(gy, np.abs(gx) + np.float32(1e-9)))
    upright = power * (angle < np.pi / 8)
    level = power * (angle > 3 * np.pi / 8)
    slant = power - upright - level
    return (
        power.astype(np.float32),
        upright.astype(np.float32),
        level.astype(np.float32),
        slant.astype(np.float32),
    )


def _directions(power: F32, upright: F32, level: F32, slant: F32, seen: F32) -> list[float]:
    total = _mean(power, seen) + 1e-7
    return [
        float(np.log(total)),
        _mean(upright, seen) / total,
        _mean(level, seen) / total,
        _mean(np.sqrt(power), seen) / float(np.sqrt(total)),
    ]


def _lights(light: F32, seen: F32) -> list[float]:
    """Share of blown pixels, of black ones, of small bright spots, and how far these stand out."""
    spots = cv2.GaussianBlur(light, (0, 0), 1.5) - cv2.GaussianBlur(light, (0, 0), 6.0)
    return [
        _mean(light > 0.95, seen),
        _mean(light < 0.2, seen),
        _mean(spots > 0.08, seen),
        float(np.sqrt(_mean(np.maximum(spots, 0) ** 2, seen))),
    ]


def _hues(lab: F32, chroma: F32, seen: F32) -> list[float]:
    """How much colour of each hue: upper half, lower half."""
    angle = (np.arctan2(lab[..., 2], lab[..., 1]) / (2 * np.pi) * _HUES) % _HUES
    first = np.floor(angle).astype(int) % _HUES
    share = angle - np.floor(angle)
    half = len(lab) // 2
    found: list[float] = []
    for rows in (slice(None, half), slice(half, None)):
        weight = (chroma * seen)[rows].ravel()
        own, rest = first[rows].ravel(), share[rows].ravel()
        histogram = np.bincount(own, weight * (1 - rest), _HUES)
        histogram += np.bincount((own + 1) % _HUES, weight * rest, _HUES)
        found += list(np.sqrt(histogram / max(float(seen[rows].sum()), 1.0)))
    return found
