"""The bust under every garment: a signed distance field, traced once.

A garment's outer surface, its shell, is the bust's field minus an offset, with padding at the shoulders and bulk at the
sleeves. The bust is always the standard one (neck 5.7 cm, shoulders 1), on a fixed grid of `STEP` cm: the stage
fits the finished garment to the person. A shell hence depends on a handful of numbers only and stays in a cache.

Centimetres; origin the jugular notch, x right, y down, z towards the camera. Polynomial smooth minimum and the bound
of the ellipsoid: Quilez, "distance functions". The body's measures follow common dress sizes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.imaging import F32
from portrayal.kernels import HELPER, KERNEL
from portrayal.parallel import bands

STEP: Final = 0.25
LEFT: Final = -32.0
TOP: Final = -18.0
COLUMNS: Final = 256
ROWS: Final = 288
AXIS: Final = -6.8
"""z of the spine's axis, around which the body turns."""


@dataclass(frozen=True)
class Trace:
    """A shell seen from the front, on the grid; read-only.

    Attributes:
        geometry: (ROWS, COLUMNS, 4) normal and z, continued smoothly past the outline.
        inside: (ROWS, COLUMNS) cm inside (> 0) or outside (< 0) of the outline, good near it.
    """

    geometry: F32
    inside: F32


@lru_cache(32)
def trace(offset: float, pad: float, bulk: float, neck: bool, anatomy: float, belly: float, chest: float) -> Trace:
    """Trace a shell.

    Args:
        offset: cloth above the skin, cm.
        pad: padding of the shoulders, cm (negative: dropped shoulders).
        bulk: thickness of the sleeves beyond the offset, cm.
        neck: whether the neck belongs to it.
        anatomy: 0..1 collar bones, sternomastoids, the dip of the notch; for bare skin.
        belly: more waist, cm.
        chest: bust, cm.
    """
    form = np.array([offset, pad, bulk, float(neck), anatomy, belly, chest], np.float32)
    geometry = np.zeros((ROWS, COLUMNS, 4), np.float32)
    inside = np.zeros((ROWS, COLUMNS), np.float32)
    bands(lambda a, b: _trace(geometry, inside, form, a, b), ROWS, least=16)
    # Where the surface turns away and past its outline, what lies further in runs on: else the last pixels of
    # an outline would be lit by the chance of where the grid falls.
    solid = (geometry[..., 2] > 0.24).astype(np.float32)
    fill = np.zeros_like(geometry)
    done = np.zeros_like(solid)
    for sigma in (1.0, 2.5, 9.0):
        weight = cv2.GaussianBlur(solid, (0, 0), sigma)
        spread = cv2.GaussianBlur(geometry * solid[..., None], (0, 0), sigma) / (weight + 1e-6)[..., None]
        share = np.clip(weight * 40, 0, 1) * (1 - done)
        fill += spread * share[..., None]
        done += share
    geometry = np.where((solid > 0)[..., None], geometry, fill / (done + 1e-6)[..., None]).astype(np.float32)
    smooth = cv2.GaussianBlur(np.clip(inside, -1.5, 1.5), (0, 0), 1.2)
    for array in (geometry, smooth):
        array.setflags(write=False)
    return Trace(geometry, np.asarray(smooth, np.float32))


@njit(inline="always", fastmath=True)
def _smin(a: Any, b: Any, k: Any) -> Any:
    h = max(k - abs(a - b), 0.0) / k
    return min(a, b) - h * h * k * 0.25


@njit(**HELPER)
def _cone(x: Any, y: Any, z: Any, ax: Any, ay: Any, az: Any, bx: Any, by: Any, bz: Any, r: Any, s: Any) -> Any:
    px, py, pz = x - ax, y - ay, z - az
    dx, dy, dz = bx - ax, by - ay, bz - az
    t = (px * dx + py * dy + pz * dz) / (dx * dx + dy * dy + dz * dz)
    t = min(max(t, 0.0), 1.0)
    px -= t * dx
    py -= t * dy
    pz -= t * dz
    return math.sqrt(px * px + py * py + pz * pz) - (r + (s - r) * t)


@njit(**HELPER)
def _ellipsoid(x: Any, y: Any, z: Any, rx: Any, ry: Any, rz: Any) -> Any:
    x, y, z = x / rx, y / ry, z / rz
    a = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / rx, y / ry, z / rz
    return a * (a - 1.0) / (math.sqrt(x * x + y * y + z * z) + 1e-6)


@njit(**HELPER)
def _torso(x: Any, y: Any, z: Any, belly: Any) -> Any:
    """The rib cage, half an ellipsoid, that goes over into the waist without a seam."""
    wide, deep = 15.2 + belly, 9.6 + 0.6 * belly
    if y < 14.0:
        return _ellipsoid(x, y - 14.0, z, wide, 19.5, deep)
    t = min((y - 14.0) / 24.0, 1.0)
    t = t * t * (3.0 - 2.0 * t)
    wide += 0.09 * max(y - 38.0, 0.0) - 1.9 * t
    deep -= 0.6 * t
    x, z = x / wide, z / deep
    q = math.sqrt(x * x + z * z)
    x, z = x / wide, z / deep
    return q * (q - 1.0) / (math.sqrt(x * x + z * z) + 1e-6)


@njit(**HELPER)
def _field(x: Any, y: Any, z: Any, form: Any) -> Any:
    """Signed distance to the shell, cm (a lower bound)."""
    pad, bulk, anatomy, belly = form[1], form[2], form[4], form[5]
    ax = abs(x)
    # The trapezius in two pieces: a concave slope from the neck, then the flat of the shoulder.
    rise = 0.85 * pad
    d = _cone(ax, y, z, 2.2, -3.4, -7.9, 8.8, 1.2 - 0.6 * rise, -7.4, 3.7, 3.15)
    d = _smin(d, _cone(ax, y, z, 8.8, 1.2 - 0.6 * rise, -7.4, 15.0, 4.1 - rise, -6.8, 3.15, 3.05 + 0.2 * pad), 2.0)
    d = _smin(d, _ellipsoid(ax - 15.3, y - 9.3 + 0.6 * pad, z + 6.5, 4.2 + bulk, 8.1 + 0.4 * pad, 4.9 + bulk), 3.0)
    d = _smin(d, _torso(x, y, z + 8.2, belly), 6.0)
    # The square root rounds the midline, else the two sides would meet in a crease.
    d = _smin(d, _ellipsoid(math.sqrt(x * x + 5.0) - 8.2, y - 13.5, z + 2.6, 8.2, 7.6, 4.3 + form[6]), 5.0)
    # Above the armpit the arm grows out of the shoulder; below it hangs beside the ribs with a crease between.
    k = 2.6 - 1.9 * min(max((y - 10.0) / 7.0, 0.0), 1.0)
    low = 17.0 + 0.3 * bulk
    arm = _cone(ax, y, z, 15.3, 9.0, -6.6, low, 35.0, -6.0, 4.15 + bulk, 3.4 + 0.9 * bulk)
    # Both cones end in the same ball: a smooth union would swell at the elbow.
    arm = min(arm, _cone(ax, y, z, low, 35.0, -6.0, 17.4, 60.0, -3.6, 3.4 + 0.9 * bulk, 2.6 + 0.8 * bulk))
    arm = _smin(arm, _ellipsoid(ax - 16.3, y - 21.0, z + 6.0, 3.5 + bulk, 9.5, 4.2 + bulk), 1.2)
    d = _smin(d, arm, k)
    if form[3] > 0:
        d = _smin(d, _cone(x, y, z, 0.0, -16.0, -4.9, 0.0, 3.0, -7.4, 5.25, 6.45), 3.2)
    if anatomy > 0:
        d = _smin(d, _cone(ax, y, z, 1.9, 0.5, -1.1, 8.0, 0.7, -2.4, 0.62, 0.40), 1.6 * anatomy)
        d = _smin(d, _cone(ax, y, z, 8.0, 0.7, -2.4, 13.6, 0.9, -4.7, 0.40, 0.40), 1.6 * anatomy)
        d = _smin(d, _cone(ax, y, z, 1.3, 0.2, -0.9, 4.3, -12.0, -6.2, 0.7, 0.8), 2.4 * anatomy)
        d += 0.34 * anatomy * math.exp(-(x * x / 2.6 + (y + 0.4) ** 2 / 2.4))
    return d - form[0]


@njit(**KERNEL)
def _trace(geometry: Any, inside: Any, form: Any, first: int, last: int) -> None:
    """Sphere-trace the rows first..last along -z."""
    e = 0.04
    for i in range(first, last):
        y = TOP + (i + 0.5) * STEP
        start = 16.0
        for j in range(geometry.shape[1]):
            x = LEFT + (j + 0.5) * STEP
            z = start
            least = 99.0
            hit = False
            for _ in range(110):
                d = _field(x, y, z, form)
                least = min(least, d)
                if d < 0.006:
                    hit = True
                    break
                z -= d * 0.92
                if z < -20.0:
                    break
            if not hit:
                inside[i, j] = -least
                start = 16.0
                continue
            # The neighbour is at most a steep slope nearer to the camera.
            start = min(z + 2.5, 16.0)
            a = _field(x + e, y - e, z - e, form)
            b = _field(x - e, y - e, z + e, form)
            c = _field(x - e, y + e, z - e, form)
            f = _field(x + e, y + e, z + e, form)
            nx, ny, nz = a - b - c + f, c - a - b + f, b - a - c + f
            n = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nz = max(nz / n, 1e-3)
            geometry[i, j, 0] = nx / n
            geometry[i, j, 1] = ny / n
            geometry[i, j, 2] = nz
            geometry[i, j, 3] = z
            inside[i, j] = 1.5
            if nz < 0.6:
                # Near an outline: how deep the ray goes in before it comes out again behind.
                least, s = 0.0, 0.0
                for _ in range(40):
                    s += 0.12
                    d = _field(x, y, z - s, form)
                    if d > least + 0.002:
                        break
                    least = min(least, d)
                inside[i, j] = min(-least, 1.5)
