"""Flowing bands and pebbles in harmonious colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.contour import contours, reduced, shades, toned
from portrayal.engines.studio.looks.methods.shapes import (
    Board,
    away,
    blob,
    people,
    spots,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32


def organic(
    canvas: Canvas,
    *,
    palette: Sequence[str] = ("17434b", "2f7f79", "8fbfa3", "f3e3c3", "f2b279", "e07a5f", "a63d57"),
    waves: float = 15.0,
) -> F32:
    """Flowing bands and blobs: level sets of a smooth field that the scene's light and the people bend.

    The bands are quantised as in Winnemoeller, Olsen & Gooch 2006, each casts a soft shade on the next.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    inner = people(context)
    far = away(context)
    light = blur(context.lab[..., 0], 34 * unit)
    field = np.float32(0.75) * noise(shape, 420 * unit, context.seed, 2) + np.float32(1.5) * light
    field += blur(np.sqrt(far * np.float32(0.001)), 14 * unit)
    warp_x = noise(shape, 300 * unit, context.seed + 3, 2) * np.float32(60 * unit)
    warp_y = noise(shape, 300 * unit, context.seed + 4, 2) * np.float32(60 * unit)
    x, y = grid(shape)
    field = blur(cv2.remap(field, x + warp_x, y + warp_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), 6 * unit)
    low, high = np.quantile(field[::8, ::8], [0.02, 0.98])
    level = (field - np.float32(low)) * np.float32(waves / max(high - low, 1e-3))
    paints = np.stack([colour(c) for c in palette])
    behind = _banded(level, paints, unit)
    # Clothes flow too, in their own colours.
    small = reduced(context)
    flat = toned(context, small)
    own = shades(context, flat, 4.0, 5.0, 4.0)
    wide = blur(flat, 16 * unit)
    inside = wide[..., 0] * np.float32(11) + noise(shape, 200 * unit, context.seed + 5, 2) * np.float32(1.7)
    whole = np.floor(inside)
    part = inside - whole
    garment = wide.copy()
    garment[..., 0] = np.clip(
        garment[..., 0] + np.float32(0.055) * (whole % 2) + np.float32(0.05) * (part - np.float32(0.5)), 0.04, 0.97
    )
    garment[..., 1:] *= np.float32(1.45)
    face = flat * np.array([1, 1.12, 1.12], np.float32)
    soft = np.maximum(context.skin, context.detail)
    lab = mix(mix(garment, own, 0.42), mix(face, own, np.float32(0.5) * (1 - context.detail)), soft)
    figure = to_rgb(lab)
    picture = mix(behind, figure, np.maximum(inner, context.detail))
    halo = blur(inner, 26 * unit) * (1 - inner)
    picture = picture * (1 - np.float32(0.45) * halo)[..., None]
    line = contours(context, 1.3, 24.0, 8.0, small) * inner * np.float32(0.55)
    picture = mix(
        picture,
        colour(palette[0]) * np.float32(0.55),
        np.maximum(line, context.outline(2.6) * np.float32(0.7))[..., None],
    )
    picture = _pebbles(context, picture, paints)
    _, shade = paper(shape, unit, context.seed, 0.5)
    return np.asarray(np.clip(picture * shade[..., None], 0, 1), np.float32)


def _banded(level: F32, paints: F32, unit: float) -> F32:
    """Colours of the bands of a field: each is shaded by the one above it, thin light lines between."""
    whole = np.floor(level)
    part = level - whole
    count = len(paints)
    # There and back through the palette, so that neighbours are kin.
    cycle = np.abs(np.mod(whole, 2 * count - 2) - (count - 1)).astype(np.intp)
    slope = cv2.magnitude(
        cv2.Sobel(level, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(level, cv2.CV_32F, 0, 1, scale=0.125)
    )
    pixels = part / np.maximum(slope, np.float32(1e-4))
    rest = (1 - part) / np.maximum(slope, np.float32(1e-4))
    shade = np.float32(0.30) * np.exp(-rest / np.float32(16 * unit))
    shine = np.float32(0.16) * np.exp(-pixels / np.float32(5 * unit))
    out = paints[cycle] * (1 - shade + shine)[..., None]
    line = 1 - step(0.6 * unit, 0.6 * unit + 1.4, np.minimum(pixels, rest))
    return mix(out, np.full(3, 0.98, np.float32), (line * np.float32(0.45))[..., None])


def _pebbles(context: Context, picture: F32, paints: F32) -> F32:
    """Smooth pebbles with rings in them, where it is free."""
    random = np.random.default_rng([context.seed, 101])
    board = Board(context, picture)
    for i, (x, y, r) in enumerate(spots(context, 9, 20, 74, 102, 1.15, 12)):
        base = int(random.integers(0, len(paints)))
        shape = blob(x, y, r, random)
        board.shadow([shape], 5, 0.35)
        for k, scale in enumerate((1.0, 0.72, 0.46, 0.22)):
            board.fill([(shape - (x, y)) * scale + (x, y)], paints[(base + 2 * k + i) % len(paints)])
    return board.picture


METHODS: Final[dict[str, Method]] = {"organic": organic}
