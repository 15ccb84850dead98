"""The colours and the grain of a style code, on a finished picture.

The look itself (film, sepia, a drawing) is the engine's; this is what the code says beyond it. All colours go through
one cube that is computed in Oklab, and skin through a second, gentler one: people keep their complexion in every style.
No random numbers and no parallel sums: the same code gives the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.imaging import F32, U8
from portrayal.parallel import bands
from portrayal.styles.code import StyleCode
from portrayal.styles.oklab import from_oklab, to_oklab

_CUBE: Final = 33
_TILE: Final = 1024
_GRAIN: Final = 0.027  # deviation in display codes of the strongest grain, in the mid-tones
_WARM: Final = (0.006, 0.026)  # Oklab a and b of warmth 1 in the mid-tones
# Scheme -> hues of its colours, and hue of the tint of lights and of shadows (None = not tinted), in degrees from its
# first hue.
_SCHEMES: Final[dict[str, tuple[tuple[float, ...], float | None, float | None]]] = {
    "single": ((0,), 0, 0),
    "analogous": ((-32, 0, 32), 20, -32),
    "complementary": ((0, 180), 0, 180),
    "split": ((0, 150, 210), 0, 150),
    "triad": ((0, 120, 240), 0, 240),
    "square": ((0, 90, 180, 270), 0, 90),
    "light tone": ((), 0, None),
    "shadow tone": ((), None, 0),
}
_TINT: Final = 0.042  # chroma of the tint at full strength
_TURN: Final = 0.85  # share of the way to the palette's hue at full strength
_GENTLE: Final = 0.16  # share of all this that reaches the skin


def apply(image: U8, code: StyleCode, *, skin: F32 | None = None) -> U8:
    """A picture with the colours, contrast and grain of a style code; `code.look` and `code.line` are not drawn here.

    Args:
        image: (h, w, 3) uint8.
        code: the style.
        skin: (h, w) float32 0..1, where the style is gentle; None = nobody is in the picture.

    Returns:
        (h, w, 3) uint8; the very picture when the code changes nothing.
    """
    neutral = StyleCode(look=code.look, hue=code.hue, scheme=code.scheme, line=code.line, seed=code.seed)
    if code == neutral:
        return image.copy()
    height, width = image.shape[:2]
    cubes = _cubes(code)
    weight = np.zeros((1, 1), np.float32) if skin is None else np.ascontiguousarray(skin, np.float32)
    source = np.ascontiguousarray(image)
    noise = _grain(code.seed)
    # Grain belongs to the picture, not to its pixels: it grows with the picture.
    scale = np.float32(1024 / max(256, min(height, width)))
    amount = np.float32(_GRAIN * code.grain)
    out = np.empty_like(source)
    bands(lambda a, b: _develop(source, weight, cubes, noise, amount, scale, out, a, b), height)
    return out


def colours(lab: F32, code: StyleCode, share: float = 1.0) -> F32:
    """What a code does to colours, without grain.

    Args:
        lab: (..., 3) Oklab.
        code: the style.
        share: 0..1, how much of it.

    Returns:
        (..., 3) float32 Oklab, not yet brought into the screen's gamut.
    """
    light, a, b = (np.asarray(lab[..., k], np.float32) for k in range(3))
    light = _contrast(light, 1 + (code.contrast - 1) * (0.4 + 0.6 * share))
    saturation = np.float32(1 + (code.saturation - 1) * (0.3 + 0.7 * share))
    a, b = _saturated(a, b, saturation)
    # Tints fade towards black and white, where they would only be dirt.
    middle = (4 * light * (1 - light)).clip(0, 1)
    warm = np.float32(code.warmth * (0.4 + 0.6 * share))
    a = np.asarray(a + warm * np.float32(_WARM[0]) * middle, np.float32)
    b = np.asarray(b + warm * np.float32(_WARM[1]) * middle, np.float32)
    strength = code.strength * share
    if strength > 0:
        hues, lights, shadows = _SCHEMES[code.scheme]
        if hues:
            a, b = _turned(a, b, code.hue, hues, strength)
        a, b = _tinted(light, a, b, code.hue, lights, shadows, strength)
    return np.stack([light, a, b], -1).astype(np.float32)


def _contrast(light: F32, factor: float) -> F32:
    """A curve through black, a mid-tone and white, with that slope in the middle."""
    pivot = np.float32(0.58)
    k = np.float32(factor)
    low = pivot * (np.clip(light, 0, pivot) / pivot) ** k
    high = 1 - (1 - pivot) * ((1 - np.clip(light, pivot, 1)) / (1 - pivot)) ** k
    return np.where(light < pivot, low, high).astype(np.float32)


def _saturated(a: F32, b: F32, factor: np.float32) -> tuple[F32, F32]:
    """More for pale colours than for strong ones, which would clip."""
    chroma = np.hypot(a, b)
    gain = np.where(factor > 1, 1 + (factor - 1) * np.exp(-chroma / np.float32(0.16)), factor).astype(np.float32)
    return a * gain, b * gain


def _turned(a: F32, b: F32, hue: float, hues: tuple[float, ...], strength: float) -> tuple[F32, F32]:
    """Hues go part of the way to the palette's nearest; between two of them they stay, so that no border is torn.

    Colours far from a small palette also lose chroma.
    """
    chroma, angle = np.hypot(a, b), np.arctan2(b, a)
    targets = [np.radians(hue + h) for h in hues]
    sharp = 3.0 if len(hues) > 1 else 1.0
    weights = [np.exp(sharp * np.cos(angle - t)) for t in targets]
    x = sum(w * np.cos(t) for w, t in zip(weights, targets, strict=True))
    y = sum(w * np.sin(t) for w, t in zip(weights, targets, strict=True))
    away = (np.arctan2(y, x) - angle + np.pi) % (2 * np.pi) - np.pi
    # Opposite hues stay where they are and fade: which way round would be a matter of chance.
    turn = _TURN * strength * away * np.cos(np.clip(away / 2, -np.pi / 2, np.pi / 2)) ** 0.5
    nearest = np.max([np.cos(angle - t) for t in targets], axis=0)
    kept = 1 - 0.75 * strength * np.clip(0.6 - nearest, 0, 1.4) / 1.4
    return (chroma * kept * np.cos(angle + turn)).astype(np.float32), (chroma * kept * np.sin(angle + turn)).astype(
        np.float32
    )


def _tinted(
    light: F32, a: F32, b: F32, hue: float, lights: float | None, shadows: float | None, strength: float
) -> tuple[F32, F32]:
    """Lights and shadows of pale colours take the palette's hues, as split toning does."""
    t = np.clip((light - 0.30) / 0.45, 0, 1)
    t = t * t * (3 - 2 * t)
    ends = np.clip(light / 0.25, 0, 1) * np.clip((1 - light) / 0.22, 0, 1)
    for offset, share in ((lights, t), (shadows, 1 - t)):
        if offset is None:
            continue
        angle = np.radians(hue + offset)
        amount = (_TINT * strength * share * ends).astype(np.float32)
        a = a + amount * np.float32(np.cos(angle))
        b = b + amount * np.float32(np.sin(angle))
    return a, b


@lru_cache(16)
def _cubes(code: StyleCode) -> F32:
    """(33, 33, 33, 6): the colours of a code, and its gentle ones for skin, by display codes."""
    axis = np.linspace(0, 1, _CUBE, dtype=np.float32)
    codes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    lab = to_oklab(codes)
    both = np.concatenate([from_oklab(colours(lab, code)), from_oklab(colours(lab, code, _GENTLE))], -1)
    cube = np.ascontiguousarray(both.reshape(_CUBE, _CUBE, _CUBE, 6), np.float32)
    cube.setflags(write=False)
    return cube


@lru_cache(4)
def _grain(seed: int) -> F32:
    """Film grain (1024, 1024) of unit deviation; wraps at its borders."""
    fine = np.random.default_rng([1826, seed]).standard_normal((_TILE, _TILE)).astype(np.float32)
    padded = np.pad(fine, 8, mode="wrap")
    clumps = cv2.GaussianBlur(padded, (0, 0), 1.0)[8:-8, 8:-8] * np.float32(2.6)
    wide = cv2.GaussianBlur(padded[::-1, ::-1], (0, 0), 2.0)[8:-8, 8:-8] * np.float32(2.4)
    tile = np.ascontiguousarray(clumps + wide, np.float32)
    tile /= tile.std()
    tile.setflags(write=False)
    return tile


@njit(nogil=True, cache=True)
def _develop(
    source: Any, skin: Any, cubes: Any, noise: Any, amount: Any, scale: Any, out: Any, first: int, last: int
) -> None:
    n = cubes.shape[0] - 1
    tile = noise.shape[0]
    one, half, full = np.float32(1.0), np.float32(0.5), np.float32(255.0)
    calm = np.float32(0.65)
    step = np.float32(n) / full
    with_skin = skin.shape[0] > 1
    c = np.zeros(3, np.float32)
    for y in range(first, last):
        v = np.float32(y) * scale
        v0 = int(v)
        fv = v - np.float32(v0)
        for x in range(source.shape[1]):
            r, g, b = np.float32(source[y, x, 0]) * step, np.float32(source[y, x, 1]) * step, np.float32(0)
            b = np.float32(source[y, x, 2]) * step
            i, j, m = min(int(r), n - 1), min(int(g), n - 1), min(int(b), n - 1)
            fr, fg, fb = r - np.float32(i), g - np.float32(j), b - np.float32(m)
            # Tetrahedral interpolation: greys stay grey. (p, q) are the two corners between the first and the last.
            if fr >= fg:
                if fg >= fb:
                    p, q, s, t, w = (1, 0, 0), (1, 1, 0), fr, fg, fb
                elif fr >= fb:
                    p, q, s, t, w = (1, 0, 0), (1, 0, 1), fr, fb, fg
                else:
                    p, q, s, t, w = (0, 0, 1), (1, 0, 1), fb, fr, fg
            elif fr >= fb:
                p, q, s, t, w = (0, 1, 0), (1, 1, 0), fg, fr, fb
            elif fg >= fb:
                p, q, s, t, w = (0, 1, 0), (0, 1, 1), fg, fb, fr
            else:
                p, q, s, t, w = (0, 0, 1), (0, 1, 1), fb, fg, fr
            k0, k1, k2, k3 = one - s, s - t, t - w, w
            share = skin[y, x] if with_skin else np.float32(0)
            for k in range(3):
                value = np.float32(0)
                if share < one:
                    value += (one - share) * (
                        k0 * cubes[i, j, m, k]
                        + k1 * cubes[i + p[0], j + p[1], m + p[2], k]
                        + k2 * cubes[i + q[0], j + q[1], m + q[2], k]
                        + k3 * cubes[i + 1, j + 1, m + 1, k]
                    )
                if share > np.float32(0):
                    h = k + 3
                    value += share * (
                        k0 * cubes[i, j, m, h]
                        + k1 * cubes[i + p[0], j + p[1], m + p[2], h]
                        + k2 * cubes[i + q[0], j + q[1], m + q[2], h]
                        + k3 * cubes[i + 1, j + 1, m + 1, h]
                    )
                c[k] = value
            grain = np.float32(0)
            if amount > np.float32(0):
                u = np.float32(x) * scale
                u0 = int(u)
                fu = u - np.float32(u0)
                y0, x0 = v0 % tile, u0 % tile
                y1, x1 = (v0 + 1) % tile, (u0 + 1) % tile
                top = noise[y0, x0] + fu * (noise[y0, x1] - noise[y0, x0])
                low = noise[y1, x0] + fu * (noise[y1, x1] - noise[y1, x0])
                luma = np.float32(0.2126) * c[0] + np.float32(0.7152) * c[1] + np.float32(0.0722) * c[2]
                # Strongest in the mid-tones; a third of it on skin.
                level = np.float32(0.3) + np.float32(2.8) * luma * (one - luma)
                grain = amount * level * (one - calm * share) * (top + fv * (low - top))
            for k in range(3):
                out[y, x, k] = np.uint8(min(max(c[k] + grain, np.float32(0)), one) * full + half)
