"""The lens: depth of field with a real aperture, and lamps as discs of it.

The blur gathers over the aperture's own shape (seven rounded blades, clipped to a cat's eye towards the
corners), per pixel with its own circle of confusion. Lamps are not blurred pictures of points, which would be
mush: they are drawn afterwards as analytic discs with the energy that the lamp has.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.types import Lamp, Shot
from portrayal.imaging import F32, Array
from portrayal.parallel import bands

BLADES = 7
_ROUNDNESS = 0.6
_TURN = 0.3
# How far the second stop of the barrel is shifted in the corner, in aperture radii.
_CATS_EYE = 0.42


def confusion(depth: Array, focus: float, aperture: float, height: float) -> F32:
    """Radius of the circle of confusion in pixels (thin lens).

    Args:
        depth: metres.
        focus: metres.
        aperture: radius at infinity as a fraction of the height.
        height: of the picture in pixels.
    """
    return np.asarray(aperture * height * np.abs(1 - focus / np.maximum(depth, 0.05)), np.float32)


def _polygon(angle: Array) -> Array:
    """Distance of the aperture's rim at an angle, 1 at the blades' corners."""
    k = np.pi / BLADES
    straight = np.cos(k) / np.cos(((angle + _TURN) % (2 * k)) - k)
    return np.asarray(_ROUNDNESS + (1 - _ROUNDNESS) * straight)


@lru_cache(16)
def _spiral(count: int) -> F32:
    """Points (count, 2) that fill the aperture evenly (Vogel's spiral), radius 1."""
    i = np.arange(count)
    angle = i * 2.399963229728653
    radius = np.sqrt((i + 0.5) / count) * _polygon(angle)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).astype(np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _gather(out: F32, image: F32, radius: F32, points: F32, eye: float, first: int, last: int) -> None:
    h, w = radius.shape
    for y in range(first, last):
        ey = eye * (2 * y / h - 1)
        for x in range(w):
            ex = eye * (2 * x / w - 1)
            rp = radius[y, x]
            if rp < 0.5:
                for c in range(3):
                    out[y, x, c] = image[y, x, c]
                continue
            base = np.float32(1.0) / (rp * rp)
            total = base
            a = image[y, x, 0] * base
            b = image[y, x, 1] * base
            d = image[y, x, 2] * base
            # Few points are enough for a small radius.
            step = 1 if rp > 4 else 2
            for i in range(0, points.shape[0], step):
                px = points[i, 0]
                py = points[i, 1]
                if (px - ex) * (px - ex) + (py - ey) * (py - ey) > 1.02:
                    continue
                sx = min(max(int(x + px * rp + 0.5), 0), w - 1)
                sy = min(max(int(y + py * rp + 0.5), 0), h - 1)
                r = radius[sy, sx]
                weight = base
                if r < rp:
                    # Something nearer, with a smaller circle: it only reaches as far as its own.
                    r = max(r, np.float32(0.6))
                    far = np.sqrt(px * px + py * py) * rp
                    weight = min(max(r - far + np.float32(0.5), np.float32(0.0)), np.float32(1.0)) / (r * r)
                total += weight
                a += image[sy, sx, 0] * weight
                b += image[sy, sx, 1] * weight
                d += image[sy, sx, 2] * weight
            out[y, x, 0] = a / total
            out[y, x, 1] = b / total
            out[y, x, 2] = d / total


def depth_blur(image: F32, radius: F32) -> F32:
    """Blur each pixel by its own circle of confusion.

    Args:
        image: (h, w, 3) float32 scene linear; everything is behind the focus or in it.
        radius: (h, w) float32, circle of confusion in pixels of this image.
    """
    most = float(radius.max(initial=0.0))
    if most < 0.5:
        return image
    # One point per three pixels of the largest disc; the gaps are closed by a small blur beforehand.
    count = int(np.clip(most * most * np.pi / 3, 24, 220))
    gap = np.sqrt(np.pi * most * most / count)
    soft = np.ascontiguousarray(cv2.GaussianBlur(image, (0, 0), float(max(0.3 * gap, 0.35))), np.float32)
    keep = np.clip(radius - 0.5, 0, 1)[..., None]
    soft = np.asarray(soft * keep + image * (1 - keep), np.float32)
    out = np.empty_like(soft)
    points = _spiral(count)
    bands(lambda a, b: _gather(out, soft, radius, points, _CATS_EYE, a, b), out.shape[0], least=48)
    return out


@lru_cache(512)
def disc(radius: float, eye_x: float = 0.0, eye_y: float = 0.0) -> F32:
    """The aperture as a kernel (2n+1, 2n+1) with sum 1 and a slightly brighter rim.

    `eye_x`, `eye_y`: shift of the clipping stop in radii (cat's eye). The sum stays that of the unclipped disc's
    brightness, so that clipped discs lose energy as real ones do.
    """
    n = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-n : n + 1, -n : n + 1].astype(np.float32)
    far = np.hypot(x, y)
    rim = radius * _polygon(np.arctan2(y, x))
    t = np.clip((far / np.maximum(rim, 0.5) - 0.7) / 0.3, 0, 1)
    m = np.clip(rim - far + 0.5, 0, 1) * (1 + 0.25 * t * t * (3 - 2 * t))
    total = max(float(m.sum()), 1e-6)
    if eye_x or eye_y:
        m = m * np.clip(radius * 1.02 - np.hypot(x - eye_x * radius, y - eye_y * radius) + 0.5, 0, 1)
    out: F32 = np.asarray(m / total, np.float32)
    out.setflags(write=False)
    return out


def draw_lamps(radiance: F32, lamps: Iterable[Lamp], shot: Shot, aperture: float) -> None:
    """Add each lamp to `radiance` (H, W, 3), in place, as a disc of the aperture, clipped by the frame."""
    H, W = radiance.shape[:2]
    points: dict[float, list[tuple[int, int, tuple[float, float, float]]]] = {}
    for lamp in lamps:
        blur = aperture * H * abs(1 - shot.focus / max(lamp.depth, 0.05))
        radius = max(round(float(np.hypot(blur, lamp.size)) * 2) / 2, 0.75)
        x, y = round(lamp.x), round(lamp.y)
        if radius <= 2:
            points.setdefault(radius, []).append((x, y, lamp.energy))
            continue
        eye = (0.0, 0.0)
        if radius > 4:
            eye = (round((lamp.x / W - 0.5) * 8) * 0.1, round((lamp.y / H - 0.5) * 8) * 0.1)
        _stamp(radiance, disc(radius, -eye[0], -eye[1]), x, y, lamp.energy)
    for radius, many in points.items():
        _scatter(radiance, disc(radius), many)


def _stamp(radiance: F32, kernel: F32, x: int, y: int, energy: tuple[float, float, float]) -> None:
    H, W = radiance.shape[:2]
    n = kernel.shape[0] // 2
    x0, x1, y0, y1 = max(x - n, 0), min(x + n + 1, W), max(y - n, 0), min(y + n + 1, H)
    if x0 < x1 and y0 < y1:
        part = kernel[y0 - y + n : y1 - y + n, x0 - x + n : x1 - x + n, None]
        radiance[y0:y1, x0:x1] += part * np.array(energy, np.float32)


def _scatter(radiance: F32, kernel: F32, points: list[tuple[int, int, tuple[float, float, float]]]) -> None:
    """Many small points, such as stars, at once."""
    H, W = radiance.shape[:2]
    n = kernel.shape[0] // 2
    x, y = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    energy = np.array([p[2] for p in points], np.float32)
    for j in range(-n, n + 1):
        for i in range(-n, n + 1):
            k = kernel[j + n, i + n]
            inside = (x + i >= 0) & (x + i < W) & (y + j >= 0) & (y + j < H)
            if k > 0 and inside.any():
                np.add.at(radiance, (y[inside] + j, x[inside] + i), k * energy[inside])
