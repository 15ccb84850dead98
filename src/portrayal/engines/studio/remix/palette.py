"""The colours of one picture on another: optimal transport, as a smooth colour cube.

First the linear map that carries mean and covariance over (Monge-Kantorovitch; Pitié and Kokaram 2007), its gains
bounded, then sliced optimal transport (Pitié et al. 2005; Rabin et al. 2011) on samples. What the samples move is
spread over a coarse grid in Oklab (Ottosson 2020) and diffused there, so that neither grain nor single colours are
amplified, and baked into a cube over display codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter

from portrayal.imaging import F32, F64, U8, Array
from portrayal.parallel import bands

_SAMPLES: Final = 6000
_ROUNDS: Final = 18
_GRID: Final = 25
_CUBE: Final = 33
_LOW: Final = np.array([0.0, -0.32, -0.32])
_HIGH: Final = np.array([1.0, 0.32, 0.32])
_GAINS: Final = (0.35, 1.7)
# (sigma in grid cells, weight): near samples decide, far ones fill the gaps.
_DIFFUSION: Final = ((0.8, 1.0), (2.0, 0.05), (4.5, 0.002))
# Share of its contrast that a picture keeps at least.
_LEAST_CONTRAST: Final = 0.7
# Shares of the shifts in hue and lightness that skin takes, and how far its contrast may change.
_SKIN_HUE: Final = 0.4
_SKIN_LIGHT: Final = 0.6
_SKIN_CONTRAST: Final = (0.8, 1.2)
_TO_LMS: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@dataclass(frozen=True)
class ColourMap:
    """Where colours go: cubes (33, 33, 33, 3) float32 over display codes, one for skin and one for all else."""

    plain: F32
    skin: F32


def oklab(rgb: Array) -> F64:
    """Oklab (..., 3) of display codes 0..1: L 0..1, a and b about -0.3..0.3."""
    c = np.clip(np.asarray(rgb, np.float64), 0, 1)
    light = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(light @ _TO_LMS.T) @ _TO_LAB.T)


def of_oklab(lab: Array) -> F64:
    """Display codes (..., 3) 0..1 of Oklab; colours outside of sRGB are clipped."""
    light = (np.asarray(lab, np.float64) @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    light = np.clip(light, 0, 1)
    return np.asarray(np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055))


def samples(picture: U8, where: F32 | None = None, seed: int = 0) -> F64:
    """Colours (6000, 3) of a picture in Oklab, drawn at random.

    Args:
        picture: (h, w, 3) uint8.
        where: (h, w) 0..1, how much a pixel counts; None = all alike. Where nothing counts, all do.
        seed: of the draw.
    """
    h, w = picture.shape[:2]
    k = min(1.0, 256 / max(h, w))
    size = (max(1, round(w * k)), max(1, round(h * k)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    chance = None
    if where is not None:
        weight = np.clip(cv2.resize(where, size, interpolation=cv2.INTER_AREA).reshape(-1).astype(np.float64), 0, None)
        chance = weight / weight.sum() if weight.sum() > 1.0 else None
    rng = np.random.default_rng([seed, 61])
    chosen = small[rng.choice(len(small), _SAMPLES, p=chance)]
    # Half a code of noise: flat pictures have a covariance, too.
    return oklab((chosen + rng.uniform(-0.5, 0.5, chosen.shape)) / 255)


def colour_map(own: F64, wanted: F64, strength: float = 1.0, skin: F64 | None = None, seed: int = 0) -> ColourMap:
    """The map that gives the colours `own` the distribution of `wanted`.

    Args:
        own, wanted: (n, 3) Oklab samples, equally many.
        strength: 0 changes nothing, 1 goes all the way.
        skin: (m, 3) Oklab samples of the skin in the picture that will be changed; its contrast is kept.
        seed: of the directions of the transport.
    """
    gain, mean, goal = _linear(own, wanted)
    axes = [np.linspace(a, b, _GRID) for a, b in zip(_LOW, _HIGH, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    first = (own - mean) @ gain + goal
    move = (grid - mean) @ gain + goal - grid + _spread(own, _sliced(first, wanted, seed) - first)
    move *= strength
    lab = _nodes()
    shift = _looked_up(move, lab)
    own_light = own[:, 0]
    left = float((own_light + _looked_up(move, own)[:, 0]).std()) / max(float(own_light.std()), 1e-3)
    if left < _LEAST_CONTRAST:  # a flat picture lends its colours, not its flatness
        shift[:, 0] += (_LEAST_CONTRAST - left) * (lab[:, 0] - float(own_light.mean()))
    plain = of_oklab(lab + shift)
    calm = shift * [1.0, _SKIN_HUE, _SKIN_HUE]
    if skin is not None and len(skin) > 50:
        light = skin[:, 0]
        mapped = light + _looked_up(move, skin)[:, 0]
        slope = float(np.clip(mapped.std() / max(float(light.std()), 1e-3), *_SKIN_CONTRAST))
        middle = float(light.mean() + _SKIN_LIGHT * (mapped.mean() - light.mean()))
        calm[:, 0] = middle + (lab[:, 0] - float(light.mean())) * slope - lab[:, 0]
        # Black and white stay where the rest of the picture has them.
        near = np.clip(np.minimum(lab[:, 0], 1 - lab[:, 0]) / 0.25, 0, 1)
        calm[:, 0] = shift[:, 0] + (calm[:, 0] - shift[:, 0]) * near
    return ColourMap(_cube(plain), _cube(of_oklab(lab + calm)))


def _cube(codes: F64) -> F32:
    return np.ascontiguousarray(codes, np.float32).reshape(_CUBE, _CUBE, _CUBE, 3)


def mapped(picture: U8, colours: ColourMap, skin: F32 | None = None, keep: F32 | None = None) -> U8:
    """A picture through a colour map.

    Args:
        picture: (h, w, 3) uint8.
        colours: from `colour_map`.
        skin: (h, w) 0..1, where the map for skin is taken.
        keep: (h, w) 0..1, how much of its own colour a pixel keeps.
    """
    nowhere = np.zeros(picture.shape[:2], np.float32)
    weight = nowhere if skin is None else np.ascontiguousarray(skin, np.float32)
    held = nowhere if keep is None else np.ascontiguousarray(keep, np.float32)
    source = np.ascontiguousarray(picture)
    out = np.empty_like(source)
    bands(lambda a, b: _apply(source, weight, held, colours.plain, colours.skin, out, a, b), len(out))
    return out


def _linear(own: F64, wanted: F64) -> tuple[F64, F64, F64]:
    """Matrix and means of the linear map; its singular values are bounded."""
    source = np.cov(own.T) + 1e-6 * np.eye(3)
    target = np.cov(wanted.T) + 1e-6 * np.eye(3)
    root, back = _power(source, 0.5), _power(source, -0.5)
    matrix = back @ _power(root @ target @ root, 0.5) @ back
    u, s, v = np.linalg.svd(matrix)
    return u @ np.diag(np.clip(s, *_GAINS)) @ v, own.mean(0), wanted.mean(0)


def _power(matrix: F64, exponent: float) -> F64:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-9) ** exponent) @ vectors.T)


def _sliced(points: F64, wanted: F64, seed: int) -> F64:
    """The points moved so that they are spread as `wanted` along many random axes."""
    rng = np.random.default_rng([seed, 62])
    x = points.copy()
    for _ in range(_ROUNDS):
        axes = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        own, goal = x @ axes, np.sort(wanted @ axes, 0)
        order = own.argsort(0, kind="stable")
        moved = np.empty_like(own)
        for k in range(3):
            moved[order[:, k], k] = goal[:, k] - own[order[:, k], k]
        x += 0.9 * moved @ axes.T
    return x


def _spread(points: F64, moves: F64) -> F64:
    """Moves (25, 25, 25, 3) at the grid from moves of single colours."""
    at = np.clip(np.round((points - _LOW) / (_HIGH - _LOW) * (_GRID - 1)).astype(int), 0, _GRID - 1)
    flat = (at[:, 0] * _GRID + at[:, 1]) * _GRID + at[:, 2]
    shape = (_GRID, _GRID, _GRID)
    layers = [np.bincount(flat, w, _GRID**3).reshape(shape) for w in (None, *moves.T)]
    total = [np.zeros(shape) for _ in layers]
    for sigma, weight in _DIFFUSION:
        for k, layer in enumerate(layers):
            total[k] += weight * gaussian_filter(np.asarray(layer, np.float64), sigma)
    return np.stack(total[1:], -1) / (total[0] + 1e-4)[..., None]


def _looked_up(grid: F64, lab: F64) -> F64:
    """Values (n, 3) of the grid at colours (n, 3), trilinear."""
    at = np.clip((lab - _LOW) / (_HIGH - _LOW), 0, 1) * (_GRID - 1)
    i = np.minimum(at.astype(int), _GRID - 2)
    t = at - i
    out = np.zeros((len(lab), 3))
    for corner in range(8):
        up = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        j = i + up
        share = np.prod(np.where(up, t, 1 - t), axis=1)
        out += share[:, None] * grid[j[:, 0], j[:, 1], j[:, 2]]
    return out


@lru_cache(1)
def _nodes() -> F64:
    """Oklab (35937, 3) of the nodes of a cube."""
    axis = np.linspace(0, 1, _CUBE)
    codes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    return oklab(codes)


@njit(nogil=True, cache=True, fastmath=True)
def _apply(source: Any, skin: Any, keep: Any, plain: Any, calm: Any, out: Any, first: int, last: int) -> None:
    n = plain.shape[0] - 1
    unit = np.float32(n / 255.0)
    one = np.float32(1.0)
    for y in range(first, last):
        for x in range(source.shape[1]):
            r = np.float32(source[y, x, 0]) * unit
            g = np.float32(source[y, x, 1]) * unit
            b = np.float32(source[y, x, 2]) * unit
            i, j, m = min(int(r), n - 1), min(int(g), n - 1), min(int(b), n - 1)
            u, v, w = r - np.float32(i), g - np.float32(j), b - np.float32(m)
            s = skin[y, x]
            for k in range(3):
                value = np.float32(0.0)
                for corner in range(8):
                    di, dj, dm = corner >> 2 & 1, corner >> 1 & 1, corner & 1
                    share = (u if di else one - u) * (v if dj else one - v) * (w if dm else one - w)
                    c = plain[i + di, j + dj, m + dm, k]
                    if s > 0:
                        c += s * (calm[i + di, j + dj, m + dm, k] - c)
                    value += share * c
                value = min(max(value, np.float32(0.0)), one) * np.float32(255.0)
                value += keep[y, x] * (np.float32(source[y, x, k]) - value)
                out[y, x, k] = np.uint8(value + np.float32(0.5))
