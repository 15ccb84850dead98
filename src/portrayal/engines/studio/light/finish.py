"""Development: veiling glare, vignette, tone curve, grade, look, grain; out comes an 8-bit photograph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.light.tables import load
from portrayal.engines.studio.light.tone import LUMA, curve, look_up, luminance
from portrayal.engines.studio.types import Speed
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8, Array
from portrayal.parallel import bands

_CUBE: Final = 33
_GRAIN_TILE: Final = 1024
_GRAIN: Final = 0.0078
# Luminance above which light scatters visibly; white paper and orange cloth lie below.
_THRESHOLD: Final = 3.2
_Row = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """A look or a grade; see looks.toml for what the numbers do."""

    mix: tuple[_Row, _Row, _Row] | None = None
    contrast: float = 1.0
    pivot: float = 0.45
    gamma: float = 1.0
    black: float = 0.0
    white: float = 1.0
    saturation: float = 1.0
    vibrance: float = 0.0
    shadows: _Row = (0.0, 0.0, 0.0)
    highlights: _Row = (0.0, 0.0, 0.0)
    grain: float = 1.0
    vignette: float = 1.0
    glare: float = 1.0
    halation: float = 0.0


@lru_cache(1)
def _table() -> tuple[MappingProxyType[str, Look], MappingProxyType[str, Look]]:
    raw = dict(load("looks.toml"))
    grades = {k: Look(**v) for k, v in raw.pop("grade").items()}
    return MappingProxyType({k: Look(**v) for k, v in raw.items()}), MappingProxyType(grades)


def looks() -> MappingProxyType[str, Look]:
    """The photographic looks by id."""
    return _table()[0]


def grades() -> MappingProxyType[str, Look]:
    """The colour grades that plates may ask for, by name."""
    return _table()[1]


GLARE: Final = 0.22
"""Share of bright light that a lens scatters."""


def finish(
    radiance: F32,
    grade: str = "none",
    look: str = "photo",
    exposure: float = 0.0,
    vignette: float = 0.20,
    grain: float = 1.0,
    glare: float = GLARE,
    seed: int = 0,
    speed: Speed = "balanced",
) -> U8:
    """Develop a picture.

    Args:
        radiance: (H, W, 3) scene linear.
        grade: name of a colour grade, before the look.
        look: id of a photographic look.
        exposure: stops.
        vignette: fall-off towards the corners, 0 = none.
        grain: factor on the natural grain, 0 = none.
        glare: share of bright light that a lens scatters, 0 = none.
        seed: of the grain.
        speed: turbo scatters glare at a coarser size; quality adds a wide bloom.

    Returns:
        (H, W, 3) uint8 sRGB.

    Raises:
        InvalidRequestError: unknown grade or look.
    """
    if look not in looks():
        raise InvalidRequestError(f"there is no look {look!r}", field="look", remedy=f"Use: {', '.join(looks())}.")
    if grade not in grades():
        raise InvalidRequestError(f"there is no grade {grade!r}", field="grade", remedy=f"Use: {', '.join(grades())}.")
    chosen = looks()[look]
    source = np.ascontiguousarray(radiance, np.float32)
    veil = _veil(source, glare * chosen.glare, chosen.halation, speed)
    c = curve()
    noise = _grain_tile()
    rng = np.random.default_rng([seed, 77])
    at_y, at_x = (int(v) for v in rng.integers(0, _GRAIN_TILE, 2))
    amounts = np.array(
        [2.0**exposure, vignette * chosen.vignette, _GRAIN * grain * chosen.grain, 0.25 if chosen.mix is None else 0.0],
        np.float32,
    )
    out = np.empty(source.shape, np.uint8)
    cube = _cube(grade, look)
    bands(
        lambda a, b: _develop(source, veil, c.forward, c.inset, c.outset, cube, noise, at_y, at_x, amounts, out, a, b),
        len(out),
    )
    return out


def _veil(radiance: F32, share: float, halation: float, speed: Speed) -> F32:
    """Light (H, W, 3) that the lens scatters from highlights; (1, 1, 3) when there is none."""
    height, width = radiance.shape[:2]
    side = min(height, width)
    part = 8 if speed == "turbo" else 4
    size = (max(4, width // part), max(4, height // part))
    small = np.clip(cv2.resize(radiance, size, interpolation=cv2.INTER_AREA), 0, 40)
    light = luminance(small)
    small = small * np.clip(1 - _THRESHOLD / np.maximum(light, 1e-3), 0, 1)[..., None]
    if share <= 0 or not small.any():
        return np.zeros((1, 1, 3), np.float32)
    total = np.zeros_like(small)
    scales = [(0.008, 0.35), (0.03, 0.25), (0.10, 0.10)]
    if speed == "quality":
        scales.append((0.22, 0.05))
    for sigma, weight in scales:
        total += 1.6 * weight * share * cv2.GaussianBlur(small, (0, 0), max(0.5, sigma * side / part))
    if halation > 0:
        red = cv2.GaussianBlur(small.max(-1), (0, 0), max(0.5, 0.006 * side / part))
        total += red[..., None] * np.array([0.20, 0.05, 0.01], np.float32) * halation * share
    return np.ascontiguousarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(1)
def _grain_tile() -> F32:
    """Grain (1024, 1024, 4): luminance noise and three of colour, unit deviation; wraps at its borders."""
    random = np.random.default_rng(1976)
    n = _GRAIN_TILE
    out = np.empty((n, n, 4), np.float32)
    fine = random.standard_normal((n, n)).astype(np.float32)
    padded = np.pad(fine, 8, mode="wrap")
    soft = cv2.GaussianBlur(padded, (0, 0), 0.8)[8:-8, 8:-8]
    grain = 0.65 * fine + 1.0 * soft
    out[..., 0] = grain / grain.std()
    for k in range(3):
        coarse = np.pad(random.standard_normal((n, n)).astype(np.float32), 8, mode="wrap")
        colour = cv2.GaussianBlur(coarse, (0, 0), 1.1)[8:-8, 8:-8]
        out[..., 1 + k] = colour / colour.std()
    out.setflags(write=False)
    return out


@lru_cache(64)
def _cube(grade: str, look: str) -> F32:
    """Grade and look as a colour cube (33, 33, 33, 3); (1, 1, 1, 3) when they change nothing."""
    steps = [grades()[grade], looks()[look]]
    steps = [s for s in steps if _acts(s)]
    if not steps:
        # Read-only like the other cubes: the kernel is compiled for one kind of array.
        return np.broadcast_to(np.zeros((1, 1, 1, 3), np.float32), (1, 1, 1, 3))
    axis = np.linspace(0, 1, _CUBE, dtype=np.float32)
    codes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    for step in steps:
        codes = apply_look(codes, step)
    cube = np.ascontiguousarray(codes.reshape(_CUBE, _CUBE, _CUBE, 3), np.float32)
    cube.setflags(write=False)
    return cube


def _acts(look: Look) -> bool:
    plain = Look(grain=look.grain, vignette=look.vignette, glare=look.glare, halation=look.halation)
    return look != plain


def apply_look(codes: Array, look: Look) -> F32:
    """A look on display codes (n, 3)."""
    luma = np.array(LUMA, np.float32)
    c = np.asarray(codes, np.float32)
    if look.mix is not None:
        c = c @ np.array(look.mix, np.float32).T
    # A sigmoid through the pivot keeps black and white where they are.
    c = _contrast(np.clip(c, 0, 1), look.contrast, look.pivot) ** np.float32(look.gamma)
    c = look.black + c * (look.white - look.black)
    grey = (c @ luma)[:, None]
    pale = 1 - np.clip((c.max(1) - c.min(1)) / np.maximum(c.max(1), 1e-3), 0, 1)[:, None]
    c = grey + (c - grey) * (look.saturation + look.vibrance * pale)
    t = np.clip((grey - 0.2) / 0.7, 0, 1)
    c = c + np.array(look.shadows, np.float32) * (1 - grey) ** 2 * 2.2
    c = c + np.array(look.highlights, np.float32) * (t * t * (3 - 2 * t)) * 1.2
    return np.asarray(np.clip(c, 0, 1), np.float32)


def _contrast(c: Array, slope: float, pivot: float) -> F32:
    """Contrast about a pivot that bends to 0 and 1 at the ends."""
    if slope == 1:
        return np.asarray(c, np.float32)
    low = pivot * (np.clip(c, 0, pivot) / pivot) ** slope
    high = 1 - (1 - pivot) * ((1 - np.clip(c, pivot, 1)) / (1 - pivot)) ** slope
    return np.asarray(np.where(c < pivot, low, high), np.float32)


@njit(nogil=True, fastmath=True, inline="always")
def _read_cube(cube: Any, r: Any, g: Any, b: Any, k: Any) -> Any:
    """Tetrahedral interpolation: no hue error along the grey axis."""
    n = cube.shape[0] - 1
    x, y, z = r * np.float32(n), g * np.float32(n), b * np.float32(n)
    i, j, m = min(int(x), n - 1), min(int(y), n - 1), min(int(z), n - 1)
    x, y, z = x - np.float32(i), y - np.float32(j), z - np.float32(m)
    low, high = cube[i, j, m, k], cube[i + 1, j + 1, m + 1, k]
    if x >= y:
        if y >= z:
            p, q, u, v, w = cube[i + 1, j, m, k], cube[i + 1, j + 1, m, k], x, y, z
        elif x >= z:
            p, q, u, v, w = cube[i + 1, j, m, k], cube[i + 1, j, m + 1, k], x, z, y
        else:
            p, q, u, v, w = cube[i, j, m + 1, k], cube[i + 1, j, m + 1, k], z, x, y
    elif x >= z:
        p, q, u, v, w = cube[i, j + 1, m, k], cube[i + 1, j + 1, m, k], y, x, z
    elif y >= z:
        p, q, u, v, w = cube[i, j + 1, m, k], cube[i, j + 1, m + 1, k], y, z, x
    else:
        p, q, u, v, w = cube[i, j, m + 1, k], cube[i, j + 1, m + 1, k], z, y, x
    return low + u * (p - low) + v * (q - p) + w * (high - q)


@njit(nogil=True, cache=True, fastmath=True)
def _develop(
    radiance: Any, veil: Any, table: Any, inset: Any, outset: Any, cube: Any, noise: Any, at_y: int, at_x: int,
    amounts: Any, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    height, width = radiance.shape[0], radiance.shape[1]
    one, zero = np.float32(1.0), np.float32(0.0)
    with_veil, with_cube = veil.shape[0] > 1, cube.shape[0] > 1
    tile = noise.shape[0]
    unit = np.float32(1.0) / np.float32(max(height, width))
    c = np.zeros(3, np.float32)
    d = np.zeros(3, np.float32)
    for y in range(first, last):
        v = (np.float32(y) + np.float32(0.5) - np.float32(0.5) * np.float32(height)) * unit
        for x in range(width):
            u = (np.float32(x) + np.float32(0.5) - np.float32(0.5) * np.float32(width)) * unit
            fall = one / (one + amounts[1] * np.float32(2.0) * (u * u + v * v))
            fall = fall * fall * amounts[0]
            for k in range(3):
                c[k] = radiance[y, x, k]
                if with_veil:
                    c[k] += veil[y, x, k]
            for k in range(3):
                d[k] = look_up((inset[k, 0] * c[0] + inset[k, 1] * c[1] + inset[k, 2] * c[2]) * fall, table)
            for k in range(3):
                code = outset[k, 0] * d[0] + outset[k, 1] * d[1] + outset[k, 2] * d[2]
                c[k] = min(max(code, zero), one)
            if with_cube:
                for k in range(3):
                    d[k] = _read_cube(cube, c[0], c[1], c[2], k)
                c[0], c[1], c[2] = d[0], d[1], d[2]
            g = np.float32(0.2126) * c[0] + np.float32(0.7152) * c[1] + np.float32(0.0722) * c[2]
            # Grain shows most in the mid-tones.
            s = amounts[2] * (np.float32(0.35) + np.float32(2.2) * g * (one - g))
            ty, tx = (y + at_y) % tile, (x + at_x) % tile
            for k in range(3):
                q = c[k] + s * noise[ty, tx, 0] + s * amounts[3] * noise[ty, tx, 1 + k]
                out[y, x, k] = np.uint8(min(max(q, zero), one) * np.float32(255.0) + np.float32(0.5))
