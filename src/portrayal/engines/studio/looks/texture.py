"""Paper, noise, hatching and printed dots, and the small arithmetic that the looks share."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, Array
from portrayal.parallel import bands

_DOT_STEPS: Final = 256
# Numbers from which on a picture is worked on in bands, and rows of a piece that stays in the cache.
_LARGE: Final = 1 << 18
_PIECE: Final = 96
_PERIOD: Final = 256


def blur(picture: Array, sigma: float) -> F32:
    """Gaussian blur; large ones run on a reduced grid."""
    if sigma <= 0.2:
        return np.asarray(picture, np.float32)
    h, w = picture.shape[:2]
    if sigma <= 6 or min(h, w) < 96:
        return _small_blur(picture, float(sigma))
    part = 2 ** max(1, int(math.log2(sigma / 3)))
    small = cv2.resize(picture, (max(8, w // part), max(8, h // part)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), float(sigma) / part)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def _small_blur(picture: Array, sigma: float) -> F32:
    """The same as OpenCV's, in bands with what they need of their neighbours."""
    source = np.asarray(picture, np.float32)
    if source.size < _LARGE:
        return np.asarray(cv2.GaussianBlur(source, (0, 0), sigma), np.float32)
    out, reach = np.empty(source.shape, np.float32), math.ceil(4 * sigma) + 2

    def band(first: int, last: int) -> None:
        top = max(0, first - reach)
        found = cv2.GaussianBlur(source[top : last + reach], (0, 0), sigma)
        out[first:last] = found[first - top : last - top]

    bands(band, len(source))
    return out


def step(low: float, high: float, value: Array) -> F32:
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.asarray((value - np.float32(low)) * np.float32(1 / (high - low)))
    if t.dtype != np.float32 or not t.ndim:
        t = t.astype(np.float32)
    t = np.clip(t, 0, 1, out=t if t.ndim else None)
    slope = t * np.float32(-2)
    slope += np.float32(3)
    if t.ndim:
        slope *= t
        slope *= t
        return np.asarray(slope, np.float32)
    return np.asarray(t * t * slope, np.float32)


def mix(first: Array, second: Array, share: Array | float) -> F32:
    """`first` where share is 0, `second` where it is 1."""
    t = np.asarray(share, np.float32)
    if first.ndim == 3 and t.shape == (*first.shape[:2], 1):
        t = t[..., 0]
    whole = first.ndim == 3 and t.shape == first.shape[:2] and first.size >= _LARGE
    if (
        whole
        and first.dtype == np.float32
        and second.dtype == np.float32
        and second.shape in (first.shape, first.shape[2:])
    ):
        return _mix_colours(first, second, t)
    if t.ndim == 2 and first.ndim == 3:
        t = t[..., None]
    return np.asarray(first + (second - first) * t, np.float32)


def _mix_colours(first: F32, second: F32, share: F32) -> F32:
    """`mix` of pictures (h, w, 3), or of one and a colour (3,), by a share (h, w): in pieces that the cache holds, for
    numpy is slow where it has to repeat a number three times."""
    h, w, channels = first.shape
    out = np.empty(first.shape, np.float32)
    ink = np.tile(second, w).reshape(1, w, channels) if second.ndim == 1 else None

    def band(top: int, bottom: int) -> None:
        for row in range(top, bottom, _PIECE):
            part = slice(row, min(row + _PIECE, bottom))
            t = share[part]
            np.subtract(second[part] if ink is None else ink, first[part], out=out[part])
            out[part] *= cv2.merge((t,) * channels).reshape(out[part].shape)
            out[part] += first[part]

    bands(band, h)
    return out


def colour(hexadecimal: str) -> F32:
    """sRGB codes (3,) of RRGGBB."""
    return np.array([int(hexadecimal[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / np.float32(255)


def noise(shape: tuple[int, int], cell: float, seed: int, octaves: int = 3, persistence: float = 0.55) -> F32:
    """Fractal value noise (h, w), about -1..1; `cell` is its coarsest wavelength in pixels."""
    h, w = shape
    random = np.random.default_rng(seed)
    half = np.zeros(
        (-(-h // 2), -(-w // 2)), np.float32
    )  # waves of eight pixels and more are smooth enough at half size
    out, total, amount, coarse = np.zeros((h, w), np.float32), 0.0, 1.0, False
    for _ in range(octaves):
        cell = max(1.0, cell)
        rows, columns = int(h / cell) + 3, int(w / cell) + 3
        wide = cell >= 8
        # Nobody sees that fine grain begins again after some hundred waves.
        period = (min(rows, _PERIOD), min(columns, _PERIOD))
        grid = random.standard_normal(period, np.float32)
        if period != (rows, columns):
            more = rows - period[0], columns - period[1]
            grid = np.asarray(cv2.copyMakeBorder(grid, 0, more[0], 0, more[1], cv2.BORDER_WRAP), np.float32)
        coarse = coarse or wide
        layer, pitch = (half, cell / 2) if wide else (out, cell)
        size = (int(columns * pitch) + 1, int(rows * pitch) + 1)
        octave = cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC)[: layer.shape[0], : layer.shape[1]]
        cv2.scaleAdd(octave, float(amount), layer, layer)
        total += amount * amount
        amount, cell = amount * persistence, cell / 2
    if coarse:
        out += cv2.resize(half, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(out * np.float32(0.8 / math.sqrt(total)), np.float32)


def paper(shape: tuple[int, int], unit: float, seed: int, relief: float = 1.0) -> tuple[F32, F32]:
    """Rough paper: its height, about -1..1, and how light falls on it, around 1; both (h, w)."""
    height = np.float32(0.5) * noise(shape, 5 * unit, seed) + np.float32(0.5) * noise(shape, 2.0 * unit, seed + 1, 2)
    slope = cv2.filter2D(height, -1, np.array([[1, 0, 0], [0, 0, 0], [0, 0, -1]], np.float32))
    return height, np.asarray(1 + np.float32(0.034 * relief) * slope, np.float32)


def streaks(shape: tuple[int, int], angle: float, length: float, seed: int, width: float = 0.8) -> F32:
    """Strokes of a pencil, all at one angle (radians): noise (h, w) smeared along it, unit deviation."""
    grain = blur(np.random.default_rng(seed).standard_normal(shape, np.float32), width)
    n = int(length) | 1
    kernel, c = np.zeros((n, n), np.float32), n // 2
    dx, dy = math.cos(angle) * c, math.sin(angle) * c
    cv2.line(kernel, (round(c - dx), round(c - dy)), (round(c + dx), round(c + dy)), 1.0, 1, cv2.LINE_AA)
    out = cv2.filter2D(grain, -1, kernel / kernel.sum())
    return np.asarray(out / (out.std() + np.float32(1e-6)), np.float32)


def grid(shape: tuple[int, int]) -> tuple[F32, F32]:
    """x (1, w) and y (h, 1) of the pixels."""
    h, w = shape
    return np.arange(w, dtype=np.float32)[None], np.arange(h, dtype=np.float32)[:, None]


def hatching(shape: tuple[int, int], angle: float, period: float, seed: int) -> F32:
    """Distance (h, w) to the nearest of many pen lines: 0 on a line, 1 between two. A hand's lines tremble."""
    x, y = grid(shape)
    tremble = noise(shape, 9 * period, seed, 2) * np.float32(0.22)
    u = (x * np.float32(math.cos(angle) / period) + y * np.float32(math.sin(angle) / period)) + tremble
    return np.asarray(np.abs(u - np.floor(u) - np.float32(0.5)) * 2, np.float32)


@lru_cache(1)
def _dot_ranks() -> tuple[F32, F32]:
    v = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    levels = np.sort((np.cos(v)[:, None] + np.cos(v)[None]).ravel() * 0.25 + 0.5)
    ranks = np.linspace(0, 1, _DOT_STEPS)
    return np.quantile(levels, ranks).astype(np.float32), ranks.astype(np.float32)


def dots(tone: F32, period: float, angle: float = math.pi / 4) -> F32:
    """Printed dots (h, w), 1 = ink, that cover the share `tone` (h, w) of the paper; soft by a pixel."""
    x, y = grid((tone.shape[0], tone.shape[1]))
    k = 2 * math.pi / period
    c, s = np.float32(math.cos(angle) * k), np.float32(math.sin(angle) * k)
    # The sum of two cosines over turned axes, from sines and cosines of rows and columns only.
    waves = np.cos(x * c) * np.cos(y * s) - np.sin(x * c) * np.sin(y * s)
    waves = waves + np.cos(x * s) * np.cos(y * c) + np.sin(x * s) * np.sin(y * c)
    levels, ranks = _dot_ranks()
    spread = np.interp(np.linspace(0, 1, 1025), levels, ranks).astype(np.float32)
    threshold = spread[np.clip((waves * np.float32(0.25) + np.float32(0.5)) * 1024, 0, 1024).astype(np.int32)]
    edge = 1.2 / period
    return step(-edge, edge, tone - (1 - threshold))


def border(shape: tuple[int, int], inner: float, outer: float, cell: float, seed: int) -> F32:
    """An unpainted edge (h, w): 0 at the rim of the paper, 1 inside. `inner`, `outer` are shares of the longer side;
    the brush's ends are about `cell` pixels wide."""
    h, w = shape
    x, y = grid(shape)
    away = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y)) / np.float32(max(h, w))
    middle, half = (inner + outer) / 2, (inner - outer) / 2
    rough = noise(shape, cell, seed, 2, 0.4) + np.float32(0.12) * noise(shape, cell / 9, seed + 1, 2)
    return step(middle - 0.35 * half, middle + 0.35 * half, away + np.float32(0.65 * half) * rough)
