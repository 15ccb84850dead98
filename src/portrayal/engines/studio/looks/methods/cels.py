"""Inked and painted on cels: a cartoon film of about 1930, a still of an anime."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.contour import contours, reduced, shades, toned
from portrayal.engines.studio.looks.methods.shapes import (
    calm,
    drawn_paths,
    filled,
    people,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, step
from portrayal.imaging import F32
from portrayal.perception import mesh


def film_cartoon(canvas: Canvas, *, iris: float = 0.60, scratches: int = 9) -> F32:
    """A cartoon film of about 1930: painted grey backgrounds, black ink on cels, scratched film, a closing iris.

    Flat shades after Winnemoeller, Olsen & Gooch 2006.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    small = reduced(context)
    flat = toned(context, small)
    light = shades(context, flat, 3.6, 3.6, 4.2)[..., 0]
    inner = people(context)
    wash = blur(flat[..., 0], 5 * unit)
    wash = np.float32(0.44) + np.float32(0.48) * wash + np.float32(0.035) * noise(shape, 50 * unit, context.seed, 3)
    face = np.float32(0.12) + np.float32(0.93) * light
    light = mix(wash, face, np.maximum(inner, context.face))
    light = np.clip(light + np.float32(0.05) * (context.skin - inner * (1 - context.skin)), 0, 0.97)
    line = contours(context, 1.9, 30.0, 7.0, small) * (np.float32(0.38) + np.float32(0.62) * inner)
    line = np.maximum(line, context.outline(5.2))
    grey = light + (np.float32(0.05) - light) * line
    grey = blur(grey, 0.8 * unit) + np.float32(0.22) * blur(np.clip(grey - np.float32(0.7), 0, 1), 14 * unit)
    random = np.random.default_rng([context.seed, 61])
    marks = [_scratch(shape, *random.random(3).tolist()) for _ in range(scratches)]
    bright = drawn_paths(context, marks[::2], 1.2) * np.float32(0.55)
    black = drawn_paths(context, marks[1::2], 1.0) * np.float32(0.5)
    dust = [
        np.array([px * w, py * h]) + np.cumsum(random.normal(0, 3.0, (6, 2)) * unit, 0)
        for px, py in random.random((26, 2))
    ]
    black = np.maximum(black, drawn_paths(context, dust[:9], 1.4) * np.float32(0.7))
    bright = np.maximum(bright, drawn_paths(context, dust[9:], 1.8) * np.float32(0.7))
    spare = 1 - np.float32(0.85) * calm(context, 0.05)
    grey = (grey + (1 - grey) * bright * spare) * (1 - black * spare)
    flicker = np.float32(0.02) * noise((h, 8), 180 * unit, context.seed + 2, 2)[:, :1]
    grain = blur(random.standard_normal(shape, np.float32), 0.9 * unit) * np.float32(0.03 * max(0.6, unit * 1.6))
    x, y = grid(shape)
    cx, cy = 0.5 * w, 0.5 * h
    far = np.sqrt((x - np.float32(cx)) ** 2 + (y - np.float32(cy)) ** 2) / np.float32(max(h, w))
    grey = (grey + grain + flicker) * (1 - np.float32(0.55) * step(0.30, iris + 0.04, far))
    grey = grey * (1 - step(iris - 0.006, iris + 0.006, far + np.float32(0.003) * noise(shape, 40 * unit, 3, 2)))
    tint = np.array([1.0, 0.985, 0.945], np.float32)
    return np.asarray(np.clip(np.float32(0.035) + np.float32(0.955) * grey[..., None] * tint, 0, 1), np.float32)


def _scratch(shape: tuple[int, int], at: float, start: float, long: float) -> F32:
    h, w = shape
    y = np.linspace(start - 0.2, start + 0.3 + long, 24)
    x = at + 0.002 * np.sin(9 * y + 20 * at)
    return np.stack([x * w, y * h], 1).astype(np.float32)


def anime(canvas: Canvas, *, sky: str = "8fc6f5", glow: float = 0.5) -> F32:
    """A still of an animated film: skin in two tones, hair in three, thin lines, a soft painted background.

    The tone of the skin's shade is found by a quantile of its own lightness; shades after Winnemoeller et al. 2006.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    inner = people(context)
    lab = shades(context, context.toned, 3.0, 3.6, 4.6)
    skin = context.skin
    soft = blur(context.toned, 6 * unit)
    if float(skin.max()) > 0.5:
        # The two tones are the means of either side, so that the complexion stays what it is.
        light = blur(context.toned[..., 0], 3.2 * unit)
        tone = light[skin > 0.6][::3]
        border = float(np.quantile(tone, 0.30))
        dark, bright = float(tone[tone <= border].mean()), float(tone[tone > border].mean())
        lit = step(border - 0.02, border + 0.02, light)
        dark += 0.2 * (bright - dark)
        two = np.float32(dark) + np.float32(bright - dark) * lit
        own = soft.copy()
        own[..., 0] = two
        own[..., 1] += np.float32(0.008) * (1 - lit) + np.float32(0.016) * context.cheeks()
        own[..., 2] += np.float32(0.004)
        lab = mix(lab, own, skin * (1 - np.float32(0.9) * context.detail))
        lab = mix(lab, context.toned, skin * context.detail * np.float32(0.8))
    lab[..., 0] = np.clip(np.float32(0.03) + np.float32(0.98) * lab[..., 0], 0, 0.985)
    lab[..., 1:] *= (np.float32(1.25) - np.float32(0.17) * skin)[..., None]
    behind = blur(context.toned, 2.2 * unit)
    behind[..., 0] = np.clip(np.float32(0.20) + np.float32(0.82) * behind[..., 0], 0, 0.98)
    behind[..., 1:] *= np.float32(1.55)
    picture = mix(to_rgb(behind), to_rgb(lab), np.maximum(inner, context.detail))
    _, y = grid(shape)
    top = (1 - step(0.0, 0.62, y / np.float32(shape[0]))) * (1 - inner) if context.cut else np.zeros(shape, np.float32)
    picture = mix(picture, 1 - (1 - picture) * (1 - colour(sky) * np.float32(0.55)), (top * np.float32(0.8))[..., None])
    line = context.lines(1.0, 30.0, 5.0) * (np.float32(0.12) + np.float32(0.88) * inner)
    line = step(0.18, 0.55, np.maximum(line, context.outline(2.2)))
    picture = mix(picture, picture * np.array([0.22, 0.16, 0.26], np.float32), line * np.float32(0.92))
    picture = _catchlights(context, picture)
    bloom = blur(np.clip(picture - np.float32(0.72), 0, 1), 22 * unit)
    return np.asarray(np.clip(picture + np.float32(glow) * bloom, 0, 1), np.float32)


def _catchlights(context: Context, picture: F32) -> F32:
    """A point of light in each iris, and a darker upper lid: eyes of a drawn film, not larger than they were."""
    for points, tall in zip(context.faces, context.face_heights, strict=True):
        p = points[:, :2]
        if tall < 90 * context.unit:
            continue
        eyes = filled(context, [p[list(mesh.LID_LEFT)], p[list(mesh.LID_RIGHT)]])
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        circle = np.stack([np.cos(turn), np.sin(turn)], 1)
        rings = [p[iris] for iris in (mesh.IRIS_LEFT, mesh.IRIS_RIGHT)]
        radii = [float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean()) for ring in rings]
        irises = filled(context, [ring[0] + r * circle for ring, r in zip(rings, radii, strict=True)]) * eyes
        picture = picture * (1 - np.float32(0.35) * irises)[..., None]
        lids = [p[[33, 246, 161, 160, 159, 158, 157, 173]], p[[263, 466, 388, 387, 386, 385, 384, 398]]]
        lid = drawn_paths(context, lids, max(1.0, 0.012 * tall / context.unit))
        picture = mix(picture, np.array([0.12, 0.08, 0.10], np.float32), (lid * np.float32(0.85))[..., None])
        sparks = filled(context, [ring[0] - 0.32 * r + 0.30 * r * circle for ring, r in zip(rings, radii, strict=True)])
        picture = mix(picture, np.ones(3, np.float32), (sparks * eyes * np.float32(0.95))[..., None])
    return picture


METHODS: Final[dict[str, Method]] = {"film_cartoon": film_cartoon, "anime": anime}
