"""Catch-lights: the key's reflection in each eye, without which a relit face looks blind.

The cornea is a mirror ball a third larger than the iris. A light at direction d shows where the ball's normal is the
half vector between d and the camera, so its clock position tells where the key stands.
"""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import KeyLight, Lighting, Subject
from portrayal.imaging import F32
from portrayal.perception import mesh

# Radius of the cornea's sphere (7.8 mm) over that of the iris (5.9 mm).
_CORNEA = 1.32
# Smallest iris radius in pixels that shows a catch-light.
_LEAST = 2.2
_OPEN = 0.10


def draw_catchlights(radiance: F32, subject: Subject, lighting: Lighting, shadows: F32 | None = None) -> None:
    """Draw the reflection of the strongest key into both irises of a lit person, in place.

    Nothing happens without points, without a key from the front, or when the lids are shut. An eye in the shadow of
    brow or nose sees little of the lamp: `shadows` (k, H, W) is the share of each key that arrives.
    """
    number = _strongest(lighting.keys)
    if subject.points is None or number is None:
        return
    key = lighting.keys[number]
    d = np.asarray(key.direction, np.float32)
    d = d / max(float(np.linalg.norm(d)), 1e-6)
    half = d + np.array([0, 0, 1], np.float32)
    half = half / max(float(np.linalg.norm(half)), 1e-6)
    for iris, lids in ((mesh.IRIS_LEFT, mesh.LID_LEFT), (mesh.IRIS_RIGHT, mesh.LID_RIGHT)):
        ring, contour = subject.points[iris, :2], subject.points[list(lids), :2]
        wide = float(np.ptp(contour[:, 0]))
        if float(np.ptp(contour[:, 1])) < _OPEN * wide:
            continue
        centre = ring[0]
        radius = float(np.linalg.norm(ring[1:] - centre, axis=1).mean())
        if radius >= _LEAST:
            level = float(np.clip(lighting.level, 0.35, 1.2))
            if shadows is not None:
                level *= 0.25 + 0.75 * _at(shadows[number], centre)
            _draw(radiance, centre, radius, contour, half, key, level)


def _at(values: F32, point: F32) -> float:
    y = min(max(int(point[1]), 0), values.shape[0] - 1)
    return float(values[y, min(max(int(point[0]), 0), values.shape[1] - 1)])


def _strongest(keys: tuple[KeyLight, ...]) -> int | None:
    front = [i for i, k in enumerate(keys) if k.direction[2] > -0.1]
    return max(front, key=lambda i: float(luminance(np.asarray(keys[i].colour, np.float32))), default=None)


def _draw(radiance: F32, centre: F32, radius: float, contour: F32, half: F32, key: KeyLight, level: float) -> None:
    rows, columns = radiance.shape[:2]
    x0, x1 = max(int(centre[0] - 1.3 * radius), 0), min(int(centre[0] + 1.3 * radius) + 2, columns)
    y0, y1 = max(int(centre[1] - 1.3 * radius), 0), min(int(centre[1] + 1.3 * radius) + 2, rows)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return
    patch = radiance[y0:y1, x0:x1]
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    lid = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(lid, [np.round((contour - [x0, y0]) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    seen = cv2.GaussianBlur(lid.astype(np.float32) / 255, (0, 0), max(0.5, 0.06 * radius))
    iris = np.clip((radius - np.hypot(x - centre[0], y - centre[1])) / max(0.15 * radius, 0.8) + 0.5, 0, 1) * seen
    _dim_old(patch, iris)
    u = (x - centre[0]) / radius - _CORNEA * float(half[0])
    v = (y - centre[1]) / radius + _CORNEA * float(half[1])
    spot = _window(u, v, key, max(0.12, 0.7 / radius))
    colour = np.asarray(key.colour, np.float32)
    colour = colour / max(float(luminance(colour)), 1e-4)
    colour = 0.5 * colour + 0.5
    strength = (1.0 if key.softness < 0.3 else 0.7) * level
    weight = (spot * seen * np.clip(iris * 1.5, 0, 1))[..., None]
    patch += weight * (strength * colour - 0.25 * patch)


def _window(u: F32, v: F32, key: KeyLight, soft: float) -> F32:
    """The lamp's picture in the cornea, 0..1: a disc, a soft square for large lamps, a ring around the lens."""
    if float(np.hypot(key.direction[0], key.direction[1])) < 0.12 * float(abs(key.direction[2])):
        return np.asarray(np.clip(1 - np.abs(np.hypot(u, v) - 0.46) / (0.04 + soft), 0, 1) * 0.32, np.float32)
    size = 0.10 + 0.24 * min(float(key.softness), 0.6)
    square = (np.abs(u) ** 4 + np.abs(v * 0.8) ** 4) ** 0.25  # a softbox with rounded corners
    away = np.hypot(u, v) if key.softness < 0.3 else square
    return np.asarray(np.clip((size - away) / (2 * soft) + 0.5, 0, 1), np.float32)


def _dim_old(patch: F32, iris: F32) -> None:
    """Take most of the reference's own catch-light away, or the eye shows two suns."""
    inner = iris > 0.6
    if inner.sum() < 6:
        return
    light = luminance(patch)
    bound = float(np.percentile(light[inner], 60)) * 1.15 + 1e-3
    over = np.clip(light - bound, 0, None) * iris
    keep = (light - 0.92 * over) / np.maximum(light, 1e-4)
    patch *= np.clip(keep, 0.05, 1)[..., None]
