"""Fractal noise from a few cached tiles: the raw material of every procedural surface.

A tile is Gaussian noise with a power-law spectrum, made once by FFT; reading it is a small kernel. Different
seeds read different places of the same tile, so that the cache stays small (three tiles, 3 MB).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit

from portrayal.imaging import F32, Array
from portrayal.parallel import bands

SIZE = 512
BETAS = (0.8, 1.2, 1.7)


@lru_cache(len(BETAS))
def tile(beta: float) -> F32:
    """A periodic noise tile (512, 512) with zero mean and unit deviation; amplitude falls as frequency**-beta."""
    random = np.random.default_rng(int(beta * 10))
    f = np.fft.fftfreq(SIZE) * SIZE
    k = np.hypot(*np.meshgrid(f, f))
    k[0, 0] = 1
    spectrum = np.fft.fft2(random.standard_normal((SIZE, SIZE))) * k**-beta
    spectrum[0, 0] = 0
    z = np.fft.ifft2(spectrum).real
    out: F32 = np.asarray(z / z.std(), np.float32)
    out.setflags(write=False)
    return out


def fbm(u: Array, v: Array, seed: int = 0, beta: float = 1.7) -> F32:
    """Noise at the points (u, v), in units of one tile; zero mean, unit deviation.

    Args:
        u, v: arrays of one shape (h, w).
        seed: another place of the tile.
        beta: roughness; the nearest of 0.8 (rough), 1.2, 1.7 (cloudy) is taken.
    """
    source = tile(min(BETAS, key=lambda b: abs(b - beta)))
    du, dv = (seed * 0.61803) % 1.0, (seed * 0.75488) % 1.0
    x, y = np.ascontiguousarray(u, np.float32), np.ascontiguousarray(v, np.float32)
    out = np.empty_like(x)
    bands(lambda first, last: _read(out, source, x, y, du, dv, first, last), x.shape[0])
    return out


@njit(nogil=True, cache=True, fastmath=True)
def _read(out: F32, source: F32, u: F32, v: F32, du: float, dv: float, first: int, last: int) -> None:
    n = source.shape[0]
    for y in range(first, last):
        for x in range(u.shape[1]):
            a = (u[y, x] + np.float32(du)) * n
            b = (v[y, x] + np.float32(dv)) * n
            i = np.floor(a)
            j = np.floor(b)
            s = np.float32(a - i)
            t = np.float32(b - j)
            i0 = int(i) & (n - 1)
            j0 = int(j) & (n - 1)
            i1 = (i0 + 1) & (n - 1)
            j1 = (j0 + 1) & (n - 1)
            upper = source[j0, i0] * (1 - s) + source[j0, i1] * s
            lower = source[j1, i0] * (1 - s) + source[j1, i1] * s
            out[y, x] = upper * (1 - t) + lower * t


def sheet(h: int, w: int, seed: int = 0, beta: float = 1.2, x: float = 1.0, y: float = 1.0) -> F32:
    """Noise over a picture of (h, w) pixels that spans x by y tiles."""
    v, u = np.mgrid[:h, :w].astype(np.float32)
    return fbm(u * (x / w), v * (y / h), seed, beta)


def profile(x: Array, seed: int = 0, beta: float = 1.2) -> F32:
    """One-dimensional noise at x, in tiles; zero mean, about unit deviation. For ridges and wave lines."""
    flat = np.asarray(x, np.float32).reshape(1, -1)
    return fbm(flat, np.full_like(flat, 0.37), seed, beta).reshape(np.shape(x))
