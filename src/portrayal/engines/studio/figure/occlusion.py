"""What the body hides from the light: its field baked to a coarse grid, open sky and cast shadows read from it.

The photographed head is in the grid as an ellipsoid, so that it throws a shadow on neck, collar and floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit

from portrayal.engines.studio.figure import rows as columns
from portrayal.engines.studio.figure.field import distance, noise_table
from portrayal.imaging import F32
from portrayal.kernels import HELPER, KERNEL
from portrayal.parallel import bands

_STEP: Final = 2.0
_BLOCK: Final = 4
# Around the body the grid goes on until what it holds no longer matters, else its border shows on the floor.
_MARGIN: Final = np.array([24.0, 6.0, 24.0], np.float32)
_LIMIT: Final = np.float32(26.0)
# Heights over the surface at which the field is read for open sky, cm, and how much each may take.
_HEIGHTS: Final = np.array([[1.2, 0.35], [2.4, 0.40], [4.8, 0.42], [9.0, 0.36], [16.0, 0.25]], np.float32)
# Half sizes of the head's ellipsoid, cm.
_HEAD: Final = (7.4, 11.5, 9.2)


@dataclass(frozen=True)
class Grid:
    """Distances (nz, ny, nx) in cm, at most 26, and the place of the first one."""

    values: F32
    origin: F32


def bake(rows: F32, head: F32) -> Grid:
    """The field of rows without folds, and of a head around `head` (3,), on a grid of 2 cm."""
    plain = np.vstack([rows, _head(head)[None]])
    # Rows of one group must lie together: the head's is the last group.
    low = (plain[:, columns.CENTRE : columns.RADIUS] - plain[:, columns.RADIUS, None]).min(0) - _MARGIN
    high = (plain[:, columns.CENTRE : columns.RADIUS] + plain[:, columns.RADIUS, None]).max(0) + _MARGIN
    low[1] = -1.0
    cells = np.ceil((high - low) / (_STEP * _BLOCK)).astype(int) * _BLOCK
    values = np.empty((cells[2], cells[1], cells[0]), np.float32)
    plain, origin, table = np.ascontiguousarray(plain, np.float32), low.astype(np.float32), noise_table()
    bands(lambda a, b: _bake(plain, plain.reshape(-1), origin, table, values, a, b), cells[2] // _BLOCK, least=1)
    return Grid(values, origin)


def _head(centre: F32) -> F32:
    rig = columns.Rig()
    at = np.asarray(centre, np.float64)
    length = 2 * (_HEAD[1] - _HEAD[0] * 0.9)
    half = np.array([0.0, length / 2, 0.0])
    rig.limb(columns.HEAD, 0, 0.1, at - half, at + half, (0, 0, 1), _HEAD[0], _HEAD[2])
    return np.asarray(rig.done(0.0)[0][0], np.float32)


def open_sky(grid: Grid, point: F32, normal: F32, cover: F32) -> F32:
    """Share (h, w) of the sky that a surface sees past the body and the floor."""
    out = np.ones(cover.shape, np.float32)
    bands(lambda a, b: _open(grid.values, grid.origin, point, normal, cover, _HEIGHTS, out, a, b), len(out), least=16)
    return out


def shadow(grid: Grid, point: F32, normal: F32, cover: F32, direction: F32, softness: float) -> F32:
    """Share (h, w) of a lamp in a direction that reaches a surface, 0..1."""
    out = np.ones(cover.shape, np.float32)
    d = np.asarray(direction, np.float32)
    d = np.ascontiguousarray(d / max(float(np.linalg.norm(d)), 1e-6), np.float32)
    if d[1] < 0.06:  # a lamp below the horizon would shine through the floor
        d[1] = 0.06
        d /= np.float32(np.linalg.norm(d))
    soft = np.float32(max(0.06, softness))
    bands(lambda a, b: _shadow(grid.values, grid.origin, point, normal, cover, d, soft, out, a, b), len(out), least=16)
    return out


@njit(**KERNEL)
def _bake(rows: Any, flat: Any, origin: Any, table: Any, values: Any, first: int, last: int) -> None:
    n = rows.shape[0]
    index = np.zeros(n, np.int32)
    plain = np.int64(0)
    step, block = np.float32(2.0), 4
    reach = np.float32(block) * step * np.float32(0.9) + np.float32(5.0)
    for kz in range(first * block, last * block, block):
        for ky in range(0, values.shape[1], block):
            for kx in range(0, values.shape[2], block):
                x = origin[0] + (np.float32(kx) + np.float32(1.5)) * step
                y = origin[1] + (np.float32(ky) + np.float32(1.5)) * step
                z = origin[2] + (np.float32(kz) + np.float32(1.5)) * step
                count, near = np.int64(0), np.float32(1e9)
                for i in range(n):
                    # Distance to the bone less the thickness: never more than the true one, and nearly that.
                    px, py, pz = x - rows[i, 4], y - rows[i, 5], z - rows[i, 6]
                    along = px * rows[i, 7] + py * rows[i, 8] + pz * rows[i, 9]
                    e = along - min(max(along, np.float32(0.0)), rows[i, 16])
                    apart = max(px * px + py * py + pz * pz - along * along, np.float32(0.0)) + e * e
                    d = math.sqrt(apart) - rows[i, 54]
                    near = min(near, d)
                    if d < reach:
                        index[count] = i
                        count += 1
                for a in range(kz, kz + block):
                    for b in range(ky, ky + block):
                        for c in range(kx, kx + block):
                            if count == 0:
                                values[a, b, c] = min(max(near, np.float32(3.0)), _LIMIT)
                            else:
                                d = distance(
                                    origin[0] + np.float32(c) * step,
                                    origin[1] + np.float32(b) * step,
                                    origin[2] + np.float32(a) * step,
                                    flat, index, count, table, plain,
                                )[0]  # fmt: skip
                                values[a, b, c] = min(d, _LIMIT)


@njit(**HELPER)
def read(values: Any, origin: Any, x: Any, y: Any, z: Any) -> Any:
    """The grid at a point, trilinear; 26 cm outside of it."""
    one, scale = np.float32(1.0), np.float32(0.5)
    x, y, z = (x - origin[0]) * scale, (y - origin[1]) * scale, (z - origin[2]) * scale
    nz, ny, nx = values.shape
    zero = np.float32(0.0)
    if x < zero or y < zero or z < zero:
        return _LIMIT
    i, j, k = int(x), int(y), int(z)
    if i >= nx - 1 or j >= ny - 1 or k >= nz - 1:
        return _LIMIT
    a, b, c = x - np.float32(i), y - np.float32(j), z - np.float32(k)
    near = (values[k, j, i] * (one - a) + values[k, j, i + 1] * a) * (one - b) + (
        values[k, j + 1, i] * (one - a) + values[k, j + 1, i + 1] * a
    ) * b
    k += 1
    far = (values[k, j, i] * (one - a) + values[k, j, i + 1] * a) * (one - b) + (
        values[k, j + 1, i] * (one - a) + values[k, j + 1, i + 1] * a
    ) * b
    return near * (one - c) + far * c


@njit(**HELPER)
def march(values: Any, origin: Any, x: Any, y: Any, z: Any, d: Any, soft: Any, start: Any) -> Any:
    """Share 0..1 of a soft lamp in direction d that reaches a point."""
    t, r, half = start, np.float32(1.0), np.float32(0.5)
    for _ in range(60):
        h = read(values, origin, x + d[0] * t, y + d[1] * t, z + d[2] * t)
        if h > np.float32(25.0):
            t += np.float32(9.0)
        else:
            r = min(r, half + half * h / (soft * t + np.float32(0.25)))
            if r <= np.float32(0.02):
                return np.float32(0.0)
            t += min(max(h * np.float32(0.8), np.float32(0.7)), np.float32(9.0))
        if t > np.float32(190.0):
            break
    r = min(max(r, np.float32(0.0)), np.float32(1.0))
    return r * r * (np.float32(3.0) - np.float32(2.0) * r)


@njit(**KERNEL)
def _open(
    values: Any, origin: Any, point: Any, normal: Any, cover: Any, heights: Any, out: Any, first: int, last: int
) -> None:
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(first, last):
        for j in range(cover.shape[1]):
            if cover[i, j] <= zero:
                continue
            o = one
            for s in range(heights.shape[0]):
                h = heights[s, 0]
                y = point[i, j, 1] + normal[i, j, 1] * h
                d = read(values, origin, point[i, j, 0] + normal[i, j, 0] * h, y, point[i, j, 2] + normal[i, j, 2] * h)
                if normal[i, j, 1] < np.float32(0.3):
                    d = min(d, max(y, zero))
                o *= one - heights[s, 1] * min(max(one - d / h, zero), one)
            out[i, j] = o


@njit(**KERNEL)
def _shadow(
    values: Any, origin: Any, point: Any, normal: Any, cover: Any, d: Any, soft: Any, out: Any, first: int, last: int
) -> None:
    lift = np.float32(1.3)
    for i in range(first, last):
        for j in range(cover.shape[1]):
            if cover[i, j] <= np.float32(0.0):
                continue
            nx, ny, nz = normal[i, j, 0], normal[i, j, 1], normal[i, j, 2]
            if nx * d[0] + ny * d[1] + nz * d[2] > np.float32(-0.25):
                out[i, j] = march(
                    values, origin, point[i, j, 0] + nx * lift, point[i, j, 1] + ny * lift, point[i, j, 2] + nz * lift,
                    d, soft, np.float32(0.6),
                )  # fmt: skip
            else:
                out[i, j] = np.float32(0.0)
