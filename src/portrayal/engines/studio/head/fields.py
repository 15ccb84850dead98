"""Small picture arithmetic that the head's modules share: all float32, all lengths in pixels of the given array."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from portrayal.imaging import F32, Array


def smoothstep(low: float, high: float, x: Array) -> F32:
    """0 below `low`, 1 above `high`, a cubic between; `low` > `high` falls instead."""
    t = np.clip((x - low) * np.float32(1 / (high - low)), 0, 1).astype(np.float32, copy=False)
    out: F32 = t * t * (3 - 2 * t)
    return out


def step(low: float, high: float, x: float) -> float:
    """`smoothstep` of one number."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def blur(image: Array, sigma: float) -> F32:
    """Gaussian blur; large radii are taken at reduced size, which looks the same and costs little."""
    sigma = max(float(sigma), 0.3)
    h, w = image.shape[:2]
    shrink = int(sigma // 3)
    if shrink >= 2 and min(h, w) >= 4 * shrink:
        small = resize(image, (-(-w // shrink), -(-h // shrink)))
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), sigma / shrink), np.float32)
        return resize(small, (w, h))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def resize(image: Array, size: tuple[int, int]) -> F32:
    """Resample to (width, height): area mean when shrinking, linear when enlarging."""
    shrinks = size[0] < image.shape[1]
    flag = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=flag), np.float32)


def disc(radius: float) -> Array:
    """Elliptic structuring element."""
    side = 2 * max(0, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def sample(image: Array, x: Array, y: Array) -> F32:
    """Bilinear samples at a list of positions, clamped to the border: (n,) or (n, channels)."""
    n = len(x)
    pad = (-n) % 512  # cv2.remap takes at most 32767 columns

    def grid(v: Array) -> F32:
        return np.pad(v.astype(np.float32), (0, pad)).reshape(-1, 512)

    out = np.asarray(cv2.remap(image, grid(x), grid(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    flat: F32 = out.reshape(-1, *image.shape[2:])[:n]
    return flat


def warp(image: Array, x: F32, y: F32, flag: int = cv2.INTER_LINEAR, border: int = cv2.BORDER_REPLICATE) -> F32:
    """``out[p] = image[y[p], x[p]]``, clamped to the border unless told otherwise."""
    return np.asarray(cv2.remap(image, x, y, flag, borderMode=border), np.float32)


def polygon(points: Array, shape: tuple[int, int], soft: float = 0.0) -> F32:
    """Antialiased filled polygon, 0..1; `soft` = sigma of an extra blur."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    out = mask.astype(np.float32) * np.float32(1 / 255)
    return blur(out, soft) if soft > 0 else out


def stroke(points: Array, shape: tuple[int, int], width: float, strength: Array | float, soft: float) -> F32:
    """A blurred line along points, 0..1, whose strength may vary along it (n,)."""
    line = np.zeros(shape, np.float32)
    fixed = np.round(points * 16).astype(int)
    values = np.broadcast_to(np.asarray(strength, np.float32), (len(points),))
    for a, b, s in zip(fixed[:-1], fixed[1:], values[1:], strict=True):
        cv2.line(line, tuple(map(int, a)), tuple(map(int, b)), float(s), max(1, round(width)), cv2.LINE_AA, 4)
    return blur(line, soft)


def curve(points: Array, parts: int = 5) -> F32:
    """Open Catmull-Rom spline through points (n, 2), `parts` samples per span."""
    p = np.asarray(points, np.float32)
    q = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = (np.arange(parts, dtype=np.float32) / parts)[:, None]
    spans = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(q[:-3], q[1:-2], q[2:-1], q[3:], strict=True)
    ]
    return np.vstack([*spans, p[-1:]]).astype(np.float32)


def opening(upper: Array, lower: Array) -> F32:
    """Closed outline of an eye or a mouth from its two rows of points, both from the same corner."""
    return np.vstack([curve(upper), curve(lower)[::-1]]).astype(np.float32)


def fill(image: Array, known: Array) -> F32:
    """Fill what is not known from what is (push-pull pyramid, Gortler et al. 1996).

    Args:
        image: (h, w, c).
        known: (h, w) 0..1.
    """
    h, w = known.shape
    if min(h, w) < 4:
        total = max(float(known.sum()), 1e-6)
        mean = (image * known[..., None]).sum((0, 1)) / total
        return np.broadcast_to(mean, image.shape).astype(np.float32)
    size = (w // 2, h // 2)
    share = resize(known, size)
    colour = resize(image * known[..., None], size) / np.maximum(share, 1e-4)[..., None]
    low = fill(colour, np.minimum(share * 4, 1))
    up = resize(low, (w, h))
    out: F32 = up + (image - up) * known[..., None]
    return out


def bounds(points: Array, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Whole-pixel box (x0, y0, x1, y1) around points, cut to (width, height); may be empty."""
    x0, y0 = np.floor(points.min(0) - margin).astype(int)
    x1, y1 = np.ceil(points.max(0) + margin).astype(int) + 1
    w, h = size
    return int(np.clip(x0, 0, w)), int(np.clip(y0, 0, h)), int(np.clip(x1, 0, w)), int(np.clip(y1, 0, h))


def weighted_blur(values: Sequence[F32], weight: F32, sigma: float) -> list[F32]:
    """Gaussian means of fields where `weight` > 0 (normalised convolution, Knutsson & Westin 1993)."""
    share = np.maximum(blur(weight, sigma), 1e-3)
    return [(blur(v * weight, sigma) / share).astype(np.float32, copy=False) for v in values]
