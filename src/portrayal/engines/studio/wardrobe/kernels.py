"""What the stage does for every pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from portrayal.kernels import KERNEL


@njit(**KERNEL)
def blend(
    geometry: Any,
    colour: Any,
    material: Any,
    bare: Any,
    cover: Any,
    z: Any,
    normals: Any,
    relief: Any,
    albedo: Any,
    stuff: Any,
    scale: float,
    skin: float,
    y: int,
    x: int,
    first: int,
    last: int,
) -> None:
    """Rows first..last of a layer at (x, y): bend its normals by its relief, blend it over what is there."""
    h, w = cover.shape
    ai, aj = int(albedo.shape[0] > 1), int(albedo.shape[1] > 1)
    mi, mj = int(stuff.shape[0] > 1), int(stuff.shape[1] > 1)
    k = np.float32(scale * 0.125)
    limit = np.float32(2.5)
    for i in range(first, last):
        up, down = max(i - 1, 0), min(i + 1, h - 1)
        for j in range(w):
            a = cover[i, j]
            if a < np.float32(0.002):
                continue
            left, right = max(j - 1, 0), min(j + 1, w - 1)
            # Sobel: a relief of single pixels must not sparkle.
            gx = relief[up, right] - relief[up, left] + relief[down, right] - relief[down, left]
            gx = (gx + np.float32(2) * (relief[i, right] - relief[i, left])) * k
            gy = relief[down, left] - relief[up, left] + relief[down, right] - relief[up, right]
            gy = (gy + np.float32(2) * (relief[down, j] - relief[up, j])) * k
            nx, ny, nz = normals[i, j, 0], normals[i, j, 1], normals[i, j, 2]
            f = max(nz, np.float32(0.25))
            nx -= min(max(gx, -limit), limit) * f
            ny -= min(max(gy, -limit), limit) * f
            n = np.float32(1) / np.sqrt(nx * nx + ny * ny + nz * nz + np.float32(1e-9))
            p, q = y + i, x + j
            old = colour[p, q, 3]
            new = a + old * (np.float32(1) - a)
            t = a / new
            geometry[p, q, 0] += (nx * n - geometry[p, q, 0]) * t
            geometry[p, q, 1] += (ny * n - geometry[p, q, 1]) * t
            geometry[p, q, 2] += (nz * n - geometry[p, q, 2]) * t
            geometry[p, q, 3] += (z[i, j] + relief[i, j] - geometry[p, q, 3]) * t
            for c in range(3):
                colour[p, q, c] += (albedo[i * ai, j * aj, c] - colour[p, q, c]) * t
            colour[p, q, 3] = new
            for c in range(4):
                material[p, q, c] += (stuff[i * mi, j * mj, c] - material[p, q, c]) * t
            bare[p, q] += (np.float32(skin) - bare[p, q]) * t


@njit(**KERNEL)
def nearest(along: Any, away: Any, x: Any, y: Any, curve: Any, first: int, last: int) -> None:
    """Arc length and signed distance to a polyline that runs on straight beyond its ends."""
    n = curve.shape[0]
    for i in range(first, last):
        for j in range(x.shape[1]):
            best = 1e18
            length = 0.0
            for q in range(n - 1):
                dx, dy = curve[q + 1, 0] - curve[q, 0], curve[q + 1, 1] - curve[q, 1]
                size = math.sqrt(dx * dx + dy * dy) + 1e-9
                t = ((x[i, j] - curve[q, 0]) * dx + (y[i, j] - curve[q, 1]) * dy) / (size * size)
                if q > 0:
                    t = max(t, 0.0)
                if q < n - 2:
                    t = min(t, 1.0)
                ex, ey = x[i, j] - curve[q, 0] - t * dx, y[i, j] - curve[q, 1] - t * dy
                d = ex * ex + ey * ey
                if d < best:
                    best = d
                    along[i, j] = length + t * size
                    away[i, j] = math.sqrt(d) if dx * ey - dy * ex > 0 else -math.sqrt(d)
                length += size
