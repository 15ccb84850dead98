"""Glass before the lens: facets of a prism and the rainbow at their edges."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas
from portrayal.engines.studio.looks.methods.stage import away, focus, head, screen
from portrayal.engines.studio.looks.texture import blur, grid, mix, step
from portrayal.imaging import F32


def prism(canvas: Canvas, facets: int = 9, shift: float = 0.22, dispersion: float = 0.10, rainbow: float = 0.5) -> F32:
    """A cut glass before the lens: in the middle the picture is clear, the facets around it show it again, displaced,
    red less than blue (Cauchy's law in its simplest form), and their edges throw rainbows.

    Args:
        canvas: the picture.
        facets: how many around.
        shift: how far a facet displaces, share of the longer side.
        dispersion: how much more blue is displaced than red, share of the shift.
        rainbow: strength of the bands of colour.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    long = max(h, w)
    random = np.random.default_rng([context.seed, 121])
    at, (x, y) = focus(context), grid(context.shape)
    turn = np.arctan2(y - np.float32(at.y), x - np.float32(at.x)).astype(np.float32)
    position = np.mod(turn / np.float32(2 * np.pi) * facets + np.float32(random.random()), np.float32(facets))
    sector = np.minimum(position.astype(np.int32), facets - 1)
    bounds = 1.32 + 0.16 * random.random(facets)
    far = away(context, 0.95)
    # A facet's inner side is straight: the distance along the facet's own middle.
    middle = (np.arange(facets) + 0.5) / facets
    lean = np.cos((position - (sector + np.float32(0.5))) * np.float32(2 * np.pi / facets))
    inner = far * lean - bounds.astype(np.float32)[sector]
    second = far * lean - (bounds + 1.05).astype(np.float32)[sector]
    edge = 1.2 * unit / at.tall
    glass = step(-edge, edge, inner)
    # Displaced towards the middle and along the ring.
    angle = middle * 2 * np.pi - random.random() * 0.0
    push = random.uniform(0.75, 1.25, facets) * shift * long
    slide = random.uniform(-0.35, 0.35, facets) * shift * long
    dx = (-np.cos(angle) * push - np.sin(angle) * slide).astype(np.float32)[sector]
    dy = (-np.sin(angle) * push + np.cos(angle) * slide).astype(np.float32)[sector]
    outer = step(-edge, edge, second)
    scale = 1 + np.float32(0.45) * outer
    parts = []
    for k, share in enumerate((1 - dispersion, 1.0, 1 + dispersion)):
        map_x = (x + dx * scale * np.float32(share)).astype(np.float32)
        map_y = (y + dy * scale * np.float32(share)).astype(np.float32)
        parts.append(
            cv2.remap(canvas.picture[..., k], map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        )
    seen = np.dstack(parts)
    tone = (np.float32(0.92) + np.float32(0.22) * random.random(facets)).astype(np.float32)[sector]
    seen = np.clip(seen * tone[..., None] + np.float32(0.03), 0, 1)
    out = mix(canvas.picture, np.asarray(seen, np.float32), glass * np.float32(0.92))
    beside = np.abs(position - np.round(position)) * far * np.float32(2 * np.pi / facets)
    lines = np.maximum(
        1 - step(0.0, 2.5, np.minimum(np.abs(inner), np.abs(second)) / edge),
        (1 - step(0.0, 2.5, beside / edge)) * glass,
    )
    out = screen(out, (np.float32(0.55) * blur(lines, 0.6 * unit) + np.float32(0.5) * blur(lines, 5 * unit))[..., None])
    return screen(out, _rainbows(inner, second, position, rainbow) * (1 - head(context))[..., None]) if rainbow else out


def _rainbows(inner: F32, second: F32, position: F32, amount: float) -> F32:
    """Bands of spectral colour (h, w, 3) along the inner edges of the facets."""
    bands = np.zeros((*inner.shape, 3), np.float32)
    swell = np.float32(0.55) + np.float32(0.45) * np.sin(position * np.float32(2.1) + 0.6)
    for distance, reach in ((inner, 0.42), (second, 0.55)):
        t = distance / np.float32(reach)
        inside = step(0.0, 0.15, t) * (1 - step(0.55, 1.0, t))
        for k, centre in enumerate((0.18, 0.42, 0.68)):
            bands[..., k] += np.exp(-(((t - np.float32(centre)) / np.float32(0.17)) ** 2)) * inside * swell
    return np.asarray(np.float32(amount) * bands, np.float32)
