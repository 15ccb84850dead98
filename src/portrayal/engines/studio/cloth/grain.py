"""Noise for cloth, inside kernels: value noise from one small table that stays in the processor's nearest cache.

Every function takes coordinates in cells of the noise, and returns about -1..1 unless it says otherwise.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from portrayal.imaging import F32
from portrayal.kernels import HELPER

SIZE = 128


@lru_cache(1)
def dice() -> F32:
    """The table (128, 128) of uniform numbers -1..1; it repeats after 128 cells."""
    table = np.random.default_rng(505).uniform(-1, 1, (SIZE, SIZE)).astype(np.float32)
    table.setflags(write=False)
    return table


@njit(**HELPER)
def roll(table: Any, i: Any, j: Any) -> Any:
    """The number of a cell."""
    return table[j & (SIZE - 1), i & (SIZE - 1)]


@njit(**HELPER)
def value(table: Any, x: Any, y: Any) -> Any:
    """Value noise, cubic between the cells."""
    fx, fy = np.floor(x), np.floor(y)
    i, j = int(fx), int(fy)
    a, b = x - fx, y - fy
    a = a * a * (np.float32(3.0) - np.float32(2.0) * a)
    b = b * b * (np.float32(3.0) - np.float32(2.0) * b)
    i0, j0 = i & (SIZE - 1), j & (SIZE - 1)
    i1, j1 = (i + 1) & (SIZE - 1), (j + 1) & (SIZE - 1)
    p = table[j0, i0] + (table[j0, i1] - table[j0, i0]) * a
    q = table[j1, i0] + (table[j1, i1] - table[j1, i0]) * a
    return p + (q - p) * b


@njit(**HELPER)
def seen(period: Any, pixel: Any) -> Any:
    """How much of a detail of some period shows at a pixel size, 0..1: none below 1.6 pixels, all above 3.8."""
    return min(max((period / pixel - np.float32(1.6)) * np.float32(1 / 2.2), np.float32(0.0)), np.float32(1.0))


@njit(**HELPER)
def cloud(table: Any, x: Any, y: Any, octaves: Any, period: Any, pixel: Any) -> Any:
    """Fractal noise; octaves whose period (of the first: `period`, cm) is below a few pixels fade out."""
    total, weight, size = np.float32(0.0), np.float32(1.0), period
    for _ in range(octaves):
        s = seen(size, pixel)
        if s <= np.float32(0.0):
            break
        total += weight * s * value(table, x, y)
        # Turned and moved, so that the cells of the octaves never lie on each other.
        x, y = (
            np.float32(1.62) * x - np.float32(1.21) * y + np.float32(17.3),
            np.float32(1.21) * x + np.float32(1.62) * y + np.float32(5.7),
        )
        weight *= np.float32(0.55)
        size *= np.float32(0.495)
    return total


@njit(**HELPER)
def cells(table: Any, x: Any, y: Any) -> Any:
    """Worley noise: (distance to the nearest point, to the second nearest, number of the nearest cell -1..1)."""
    i, j = int(np.floor(x)), int(np.floor(y))
    first, second, which = np.float32(9.0), np.float32(9.0), np.float32(0.0)
    for b in range(-1, 2):
        for a in range(-1, 2):
            px = np.float32(i + a) + np.float32(0.5) + np.float32(0.45) * roll(table, i + a, j + b)
            py = np.float32(j + b) + np.float32(0.5) + np.float32(0.45) * roll(table, i + a + 37, j + b + 59)
            d = (px - x) * (px - x) + (py - y) * (py - y)
            if d < first:
                second, first = first, d
                which = roll(table, i + a + 71, j + b + 13)
            elif d < second:
                second = d
    return np.sqrt(first), np.sqrt(second), which


@njit(**HELPER)
def density(u: Any, v: Any, y: Any, least: Any, out: Any) -> None:
    """Size of a pixel of one row on the cloth, cm: `least`, or more where the cloth turns away from the camera."""
    width = u.shape[1]
    below = y + 1 if y + 1 < u.shape[0] else y - 1
    for x in range(width):
        near = x + 1 if x + 1 < width else max(x - 1, 0)
        step = max(abs(u[y, near] - u[y, x]), abs(v[y, near] - v[y, x]))
        if below >= 0:
            step = max(step, abs(u[below, x] - u[y, x]), abs(v[below, x] - v[y, x]))
        # A step between two parts of a garment is no slope.
        out[x] = step if least < step < np.float32(6.0) * least else least
