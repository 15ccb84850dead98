"""The person in front of the plate, joined as one lens would have seen both.

What gives a cut-out away is its edge: light that does not spill from a bright background, hair that is too solid before
a window, air that is missing. Each is a small term here; one kernel adds them up.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.light.occlusion import wide_blur
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import Plate, Speed, Subject
from portrayal.imaging import F32
from portrayal.parallel import bands

# Share of the blurred plate that spills over the edge: a room wraps the person, a paper two metres behind hardly.
_WRAP = 0.22
_WRAP_STUDIO = 0.10
_BRIGHTEST_AT_EDGE = 5.0
_BRIGHTEST_SPILL = 2.0
# Face heights from which on a wall's shadow lies outside of the frame.
FAR_WALL = 4.0


def composite(radiance: F32, subject: Subject, plate: Plate, speed: Speed = "balanced") -> F32:
    """Put the lit person into the plate.

    Light wrap, the shade that the body gives to what is right behind it, softer hair before bright plates, haze of the
    air between, the shadow on a near studio wall, and particles in front.

    Args:
        radiance: from `relight`, (H, W, 3) scene linear.
        subject: same size.
        plate: same size.
        speed: kept for symmetry with the other steps; the work is the same.

    Returns:
        (H, W, 3) float32 scene linear.
    """
    height, width = subject.alpha.shape
    tall = subject.face_height
    behind = plate.radiance
    if 0 < plate.wall < FAR_WALL:
        behind = with_wall_shadow(behind, subject, plate)
    near = np.ascontiguousarray(wide_blur(subject.alpha, max(0.03 * tall, 0.8)), np.float32)
    wide = np.ascontiguousarray(np.clip(wide_blur(subject.alpha, max(0.17 * tall, 1.0)), 0, 1), np.float32)
    spill = _spill(plate.radiance, 0.07 * tall)
    haze = np.array(plate.haze, np.float32)
    wrap = np.float32(_WRAP_STUDIO if plate.wall > 0 else _WRAP)
    front = plate.foreground
    particles = np.zeros((1, 1, 4), np.float32) if front is None else np.ascontiguousarray(front, np.float32)
    out = np.empty((height, width, 3), np.float32)
    back = np.ascontiguousarray(behind, np.float32)
    bands(
        lambda a, b: _join(
            radiance, subject.alpha, back, near, wide, spill, particles, haze, wrap, np.float32(_BRIGHTEST_AT_EDGE),
            out, a, b,
        ),
        height,
    )  # fmt: skip
    return out


def _spill(plate: F32, sigma: float) -> F32:
    """The plate as it lies out of focus over the person's edge, at a reduced size enlarged again."""
    height, width = plate.shape[:2]
    part = max(1, int(sigma // 3))
    size = (max(4, width // part), max(4, height // part))
    small = np.clip(cv2.resize(plate, size, interpolation=cv2.INTER_AREA), 0, _BRIGHTEST_SPILL)
    small = cv2.GaussianBlur(small, (0, 0), max(0.8, sigma / part))
    return np.ascontiguousarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def with_wall_shadow(plate: F32, subject: Subject, plate_: Plate) -> F32:
    """Each key throws the silhouette on the wall; the farther the wall, the farther aside and the softer."""
    height, width = subject.alpha.shape
    tall, wall = subject.face_height, plate_.wall
    total = sum(float(luminance(np.asarray(k.colour, np.float32))) for k in plate_.lighting.keys)
    dark = np.zeros((height, width), np.float32)
    for key in plate_.lighting.keys:
        d = np.asarray(key.direction, np.float32)
        d = d / max(float(np.linalg.norm(d)), 1e-6)
        if d[2] <= 0.1 or key.shadow <= 0 or total <= 0:
            continue
        share = float(luminance(np.asarray(key.colour, np.float32))) / total
        # A lamp near the camera lights the wall from where the lens looks, so the shadow hides behind the person.
        dx, dy = -d[0] / d[2] * wall * tall, d[1] / d[2] * wall * tall
        grown = 1 + 0.06 * wall
        cx, cy = width / 2, height * 0.4
        move = np.array([[grown, 0, dx + cx * (1 - grown)], [0, grown, dy + cy * (1 - grown)]], np.float32)
        moved = cv2.warpAffine(subject.alpha, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        soft = (0.05 + key.softness * wall) * tall
        dark += np.clip(wide_blur(np.asarray(moved, np.float32), soft), 0, 1) * share * key.shadow
    strength = 0.75 * (1 - plate_.lighting.fill)
    return np.asarray(plate * (1 - strength * dark)[..., None], np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _join(
    person: Any, alpha: Any, plate: Any, near: Any, wide: Any, spill: Any, front: Any, haze: Any, wrap: Any,
    brightest: Any, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    zero, one = np.float32(0.0), np.float32(1.0)
    with_front = front.shape[0] > 1
    for y in range(first, last):
        for x in range(plate.shape[1]):
            a, e = alpha[y, x], near[y, x]
            shade = one - np.float32(0.10) * wide[y, x]
            if e > np.float32(0.002) or a > zero:
                t = min(max((e - np.float32(0.02)) * np.float32(1 / 0.48), zero), one)
                t = t * t * (np.float32(3.0) - np.float32(2.0) * t)
                b0, b1, b2 = plate[y, x, 0], plate[y, x, 1], plate[y, x, 2]
                b0 += (min(b0, brightest) - b0) * t
                b1 += (min(b1, brightest) - b1) * t
                b2 += (min(b2, brightest) - b2) * t
                if zero < a < one:
                    # A bright background eats less of the hair than the linear mix says.
                    g = np.float32(0.2126) * b0 + np.float32(0.7152) * b1 + np.float32(0.0722) * b2
                    a = a ** (one / (one + np.float32(0.35) * min(max(g - np.float32(0.6), zero), np.float32(2.0))))
                w = wrap * max(one - e, zero)
                h = haze[3]
                p0 = (person[y, x, 0] + w * spill[y, x, 0]) * (one - h) + haze[0] * h
                p1 = (person[y, x, 1] + w * spill[y, x, 1]) * (one - h) + haze[1] * h
                p2 = (person[y, x, 2] + w * spill[y, x, 2]) * (one - h) + haze[2] * h
                k = shade * (one - a)
                out[y, x, 0] = p0 * a + b0 * k
                out[y, x, 1] = p1 * a + b1 * k
                out[y, x, 2] = p2 * a + b2 * k
            else:
                for c in range(3):
                    out[y, x, c] = plate[y, x, c] * shade
            if with_front:
                clear = one - front[y, x, 3]
                for c in range(3):
                    out[y, x, c] = out[y, x, c] * clear + front[y, x, c]
