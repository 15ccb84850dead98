"""Glass before the lens: facets of a prism and the rainbow at their edges."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.methods.stage import extent, focus, head, screen, standing
from portrayal.engines.studio.looks.texture import blur, grid, mix, step
from portrayal.imaging import F32


def prism(canvas: Canvas, facets: int = 9, shift: float = 0.22, dispersion: float = 0.10, rainbow: float = 0.5) -> F32:
    """A cut glass before the lens: in the middle the picture is clear, the facets around it show it again, displaced,
    red less than blue (Cauchy's law in its simplest form), and their edges throw rainbows.

    Args:
        canvas: the picture.
        facets: how many around.
        shift: how far a facet displaces, share of the shorter side.
        dispersion: how much more blue is displaced than red, share of the shift.
        rainbow: strength of the bands of colour.
    """
    context, unit = canvas.context, canvas.context.unit
    random = np.random.default_rng([context.seed, 121])
    x, y = grid(context.shape)
    turned = float(random.random())
    position, far, size = _around(context, facets, turned)
    sector = np.minimum(position.astype(np.int32), facets - 1)
    bounds = (1.32 + 0.16 * random.random(facets)).astype(np.float32)
    # A facet's inner side is straight: the distance along the facet's own middle.
    reach = far * np.cos((position - (sector + np.float32(0.5))) * np.float32(2 * np.pi / facets))
    inner, second = reach - bounds[sector], reach - (bounds + np.float32(1.05))[sector]
    edge = 1.2 * unit / size
    glass = step(-edge, edge, inner)
    # Displaced towards the middle and along the ring; more in the outer ring.
    angle = (np.arange(facets) + 0.5 - turned) / facets * 2 * np.pi
    push, slide = random.uniform(0.75, 1.25, facets), random.uniform(-0.35, 0.35, facets)
    move = np.stack([-np.cos(angle) * push - np.sin(angle) * slide, -np.sin(angle) * push + np.cos(angle) * slide], 1)
    move = (move * shift * min(context.shape)).astype(np.float32)[sector]
    scale = 1 + np.float32(0.45) * step(-edge, edge, second)
    dx, dy = move[..., 0] * scale, move[..., 1] * scale
    parts = []
    for k, share in enumerate((1 - dispersion, 1.0, 1 + dispersion)):
        where = (x + dx * np.float32(share), y + dy * np.float32(share))
        parts.append(cv2.remap(canvas.picture[..., k], *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))
    tone = (np.float32(0.92) + np.float32(0.22) * random.random(facets)).astype(np.float32)[sector]
    seen = np.clip(np.dstack(parts) * tone[..., None] + np.float32(0.03), 0, 1)
    out = mix(canvas.picture, np.asarray(seen, np.float32), glass * np.float32(0.92))
    beside = np.abs(position - np.round(position)) * far * np.float32(2 * np.pi / facets)
    lines = np.maximum(
        1 - step(0.0, 2.5, np.minimum(np.abs(inner), np.abs(second)) / edge),
        (1 - step(0.0, 2.5, beside / edge)) * glass,
    )
    out = screen(out, (np.float32(0.55) * blur(lines, 0.6 * unit) + np.float32(0.5) * blur(lines, 5 * unit))[..., None])
    return screen(out, _rainbows(inner, second, position, rainbow) * (1 - head(context))[..., None]) if rainbow else out


def _around(context: Context, facets: int, turned: float) -> tuple[F32, F32, float]:
    """Where a pixel lies around the clear middle, 0..facets; its distance from there, and the pixels of a unit of it.

    The middle is the heads; of a figure that stands in the picture, all of it.
    """
    x, y = grid(context.shape)
    at = focus(context)
    cx, cy, a, b = at.x, at.y, 0.55 * at.tall + at.across, 0.5 * at.tall + at.down
    if standing(context):
        left, top, right, bottom = extent(context)
        cx, cy = (left + right) / 2, (top + bottom) / 2
        a, b = 0.40 * (right - left) + 0.05 * context.shape[1], 0.40 * (bottom - top)
    across, down = (x - np.float32(cx)) * np.float32(1 / a), (y - np.float32(cy)) * np.float32(1 / b)
    turn = np.arctan2(down, across) * np.float32(facets / (2 * np.pi)) + np.float32(turned)
    far = np.asarray(cv2.sqrt(across * across + down * down), np.float32)
    return np.mod(turn, np.float32(facets)).astype(np.float32), far, float(min(a, b))


def _rainbows(inner: F32, second: F32, position: F32, amount: float) -> F32:
    """Bands of spectral colour (h, w, 3) along the inner edges of the facets."""
    bands = np.zeros((*inner.shape, 3), np.float32)
    swell = np.float32(0.55) + np.float32(0.45) * np.sin(position * np.float32(2.1) + 0.6)
    for distance, reach in ((inner, 0.42), (second, 0.55)):
        t = distance / np.float32(reach)
        inside = step(0.0, 0.15, t) * (1 - step(0.55, 1.0, t))
        for k, centre in enumerate((0.26, 0.46, 0.66)):
            bands[..., k] += np.exp(-(((t - np.float32(centre)) / np.float32(0.22)) ** 2)) * inside * swell
    return np.asarray(np.float32(amount) * bands, np.float32)
