"""Sprayed on a wall: stencil layers on brick, wild style on concrete."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.brush import drips
from portrayal.engines.studio.looks.methods.contour import contours, reduced, shades, toned
from portrayal.engines.studio.looks.methods.shapes import (
    Board,
    around,
    away,
    blob,
    calm,
    filled,
    grown,
    heads,
    laid,
    people,
    splat,
    spots,
    star,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, step
from portrayal.imaging import F32, Array


def brick(context: Context, base: str = "9a5040", joint: str = "b9aea0") -> tuple[F32, F32]:
    """A brick wall (h, w, 3) and how it shades what is painted on it (h, w), around 1."""
    unit, shape = context.unit, context.shape
    x, y = grid(shape)
    seed = context.seed
    wobble = noise(shape, 34 * unit, seed + 1, 2) * np.float32(1.6)
    u, v = x / np.float32(unit) + wobble, y / np.float32(unit) + wobble
    row = np.floor(v / 40)
    u = u + np.mod(row, 2) * np.float32(52)
    column = np.floor(u / 104)
    inside = np.minimum(np.minimum(np.mod(u, 104), 104 - np.mod(u, 104)), np.minimum(np.mod(v, 40), 40 - np.mod(v, 40)))
    body = step(1.6, 4.6, inside)
    kinds = np.random.default_rng([seed, 161]).random((97, 89)).astype(np.float32)
    kind = kinds[np.mod(row, 97).astype(np.intp), np.mod(column, 89).astype(np.intp)]
    grit = np.float32(0.06) * noise(shape, 5 * unit, seed + 2, 2) + np.float32(0.07) * noise(
        shape, 90 * unit, seed + 3, 3
    )
    bricks = colour(base) * (np.float32(0.78) + np.float32(0.42) * kind + grit)[..., None]
    bricks[..., 2] += np.float32(0.05) * (kind - np.float32(0.5))
    wall = mix(colour(joint) * (np.float32(0.86) + grit)[..., None], bricks, body[..., None])
    lit = step(1.6, 4.6, inside) - step(4.6, 8.0, inside)
    shade = np.float32(0.80) + np.float32(0.20) * body + np.float32(0.9) * grit + np.float32(0.05) * lit
    shade = shade + np.float32(0.05) * (kind - np.float32(0.5))
    return np.asarray(np.clip(wall * (1 + np.float32(0.06) * lit)[..., None], 0, 1), np.float32), np.asarray(
        shade, np.float32
    )


def concrete(context: Context, base: str = "b4b2ac") -> tuple[F32, F32]:
    """A concrete wall with form joints and stains, and how it shades paint."""
    unit, shape = context.unit, context.shape
    h, w = shape
    seed = context.seed
    x, y = grid(shape)
    stain = np.float32(0.10) * noise(shape, 300 * unit, seed, 5) + np.float32(0.03) * noise(
        shape, 4 * unit, seed + 1, 2
    )
    runs = np.float32(0.05) * noise((max(2, h // 12), w), 20 * unit, seed + 2, 2)[np.arange(h) * max(2, h // 12) // h]
    joint = np.minimum(np.abs(x - np.float32(0.5 * w)), np.abs(y - np.float32(0.36 * h)))
    joint = 1 - step(1.2 * unit, 3.4 * unit, joint)
    pits = step(1.45, 1.9, noise(shape, 9 * unit, seed + 4, 2))
    shade = np.float32(1) + stain + runs - np.float32(0.22) * joint - np.float32(0.16) * pits
    return np.asarray(np.clip(colour(base) * shade[..., None], 0, 1), np.float32), np.asarray(shade, np.float32)


def mist(context: Context, mask: Array, reach: float, number: int) -> F32:
    """A sprayed edge (h, w) around a mask: soft, and broken into droplets farther out."""
    unit = context.unit
    soft = blur(mask, reach * unit)
    drops = np.random.default_rng([context.seed, number]).random((1400, 1400)).astype(np.float32)
    h, w = context.shape
    # Droplets are a fixed pattern in units, so that a small picture has the same ones.
    y = np.minimum(np.arange(h) / (1.6 * max(unit, 0.5)), 1399).astype(np.intp)
    x = np.minimum(np.arange(w) / (1.6 * max(unit, 0.5)), 1399).astype(np.intp)
    grains = blur(drops[np.ix_(np.mod(y, 1400), np.mod(x, 1400))], 0.7)
    fine = step(0.5 - 0.16, 0.5 + 0.16, grains - np.float32(0.5) + soft * np.float32(1.25) - np.float32(0.06))
    return np.asarray(np.clip(np.maximum(soft**2, fine * step(0.03, 0.5, soft)), 0, 1), np.float32)


def stencils(context: Context, small: Context, levels: int = 4, chroma: float = 1.5) -> F32:
    """The picture in hard-edged layers of its own colours, dark to light, as stencils give it (h, w, 3)."""
    unit = context.unit
    flat = toned(context, small)
    lab = shades(context, flat, 3.4, levels, 6.0)
    # Skin in more and softer layers: nobody gets a beard of shade.
    gentle = shades(context, flat, 2.6, levels + 4.0, 2.6)
    lab = mix(lab, gentle, np.float32(0.72) * context.skin)
    smooth = blur(flat, 5 * unit)
    lab[..., 1:] = mix(lab[..., 1:], smooth[..., 1:], np.float32(0.7) * (1 - context.detail))
    lab[..., 1:] *= np.float32(chroma) + np.float32(1.12 - chroma) * context.skin[..., None]
    lab[..., 0] = np.clip(np.float32(0.58) + (lab[..., 0] - np.float32(0.56)) * np.float32(1.18), 0.06, 0.97)
    return to_rgb(lab)


def mural(
    canvas: Canvas,
    *,
    clouds: Sequence[str] = ("12b5c9", "f0348a", "ffc21a"),
    ink: str = "17131f",
    scene: float = 0.75,
) -> F32:
    """Stencilled on a brick wall: layers of paint, overspray in three colours, runs of paint, a black contour.

    Layers are soft quantisation (Winnemoeller, Olsen & Gooch 2006).
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    wall, relief = brick(context)
    inner = people(context)
    small = reduced(context)
    layers = stencils(context, small)
    x0, y0, _ = heads(context)[0]
    cx, cy = x0 / w, min(0.5, y0 / h + 0.05)
    random = np.random.default_rng([context.seed, 171])
    picture = wall
    # The scene, sprayed in flat tones, fades into the wall.
    x, y = grid(shape)
    rim = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y)) / np.float32(max(h, w))
    fade = step(0.02, 0.16, rim + np.float32(0.05) * noise(shape, 120 * unit, context.seed + 5, 3))
    fade = fade if context.cut else np.ones(shape, np.float32)
    picture = mix(picture, layers, (fade * np.float32(scene) * (1 - inner))[..., None])
    if context.cut:
        spread = ((-0.26, -0.16, 0.20), (0.27, -0.08, 0.19), (0.04, -0.30, 0.16))
        sources: list[tuple[float, float]] = []
        for i, (paint, (dx, dy, r)) in enumerate(zip(clouds, spread, strict=True)):
            shape_of = filled(context, [blob((cx + dx) * w, (cy + dy) * h, r * max(h, w), random, 0.25)])
            picture = laid(picture, colour(paint), mist(context, shape_of, 34, 172 + i) * np.float32(0.9) * (1 - inner))
            sources += [((cx + dx + a * r) * w, (cy + dy + 0.55 * r) * h) for a in (-0.4, 0.05, 0.45)]
        falls = drips(context, sources, 175, 240)
        colours = np.stack([colour(c) for c in clouds])
        side = (np.broadcast_to(x, shape) > (cx + 0.02) * w).astype(np.intp)
        picture = laid(picture, colours[side], falls * (1 - inner) * np.float32(0.92))
        picture = laid(picture, colour("f7f4ea"), mist(context, inner, 11, 176) * (1 - inner) * np.float32(0.9))
    picture = laid(picture, layers, np.maximum(inner, context.detail))
    line = step(0.16, 0.5, contours(context, 2.1, 30.0, 6.0, small)) * (np.float32(0.16) + np.float32(0.84) * inner)
    soft = np.maximum(blur(line, 1.2 * unit) * np.float32(1.25), np.float32(0.35) * blur(line, 5 * unit))
    line = mix(np.clip(soft, 0, 1), line, context.detail)
    contour = np.clip(blur(context.outline(6.0), 1.3 * unit) * np.float32(1.3), 0, 1)
    runs = drips(context, _low_points(context, inner, random), 177, 120) * (1 - inner)
    picture = mix(picture, colour(ink), np.maximum(np.maximum(line, contour), runs)[..., None] * np.float32(0.92))
    specks = [
        around(px * w, py * h, np.full(14, (0.8 + 3.2 * s**5) * unit)) for px, py, s in random.random((150, 3)).tolist()
    ]
    clear = 1 - calm(context, 0.05)
    picture = laid(picture, colour(clouds[1]), filled(context, specks[::2]) * clear * np.float32(0.8))
    picture = laid(picture, colour("f7f4ea"), filled(context, specks[1::2]) * clear * np.float32(0.8))
    part = np.float32(1) - np.float32(0.45) * np.maximum(context.detail, np.float32(0.6) * context.face)
    return np.asarray(np.clip(picture * (1 + (relief - 1) * part)[..., None], 0, 1), np.float32)


def _low_points(context: Context, inner: F32, random: np.random.Generator) -> list[tuple[float, float]]:
    """Points on the silhouette's sides from which paint runs."""
    h, w = context.shape
    out = []
    for share in (0.45, 0.62, 0.74, 0.83):
        row = int(share * h)
        inside = np.flatnonzero(inner[row] > 0.5)
        if len(inside) and inside[0] > 0.05 * w:
            out.append((float(inside[0]) - random.uniform(0, 3) * context.unit, float(row)))
        if len(inside) and inside[-1] < 0.95 * w:
            out.append((float(inside[-1]) + random.uniform(0, 3) * context.unit, float(row)))
    return out


def wild_style(
    canvas: Canvas,
    *,
    fills: Sequence[str] = ("ff2e93", "00c2ff", "ffe600", "7bff2e", "ff7a00", "8a3dff"),
    ink: str = "0e0b16",
) -> F32:
    """Wild style on concrete: bubbles, arrows and splashes with thick outlines and shine, and a cel-shaded person.

    Shades after Winnemoeller, Olsen & Gooch 2006.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    wall, relief = concrete(context)
    inner = people(context)
    random = np.random.default_rng([context.seed, 181])
    picture = wall
    small = reduced(context)
    layers = stencils(context, small, 3, 2.0)
    tint = mix(layers, np.broadcast_to(colour(fills[1]), layers.shape), 0.35)
    picture = mix(picture, tint, ((1 - inner) * np.float32(0.34 if context.cut else 0.9))[..., None])
    paints = [colour(c) for c in fills]
    if context.cut:
        far = away(context)
        cloud_of = step(330, 150, -far) if False else 1 - step(90, 190, far + 40 * noise(shape, 150 * unit, 9, 2))
        picture = laid(picture, paints[5], mist(context, cloud_of * (1 - inner), 26, 182) * np.float32(0.85))
        for i, (x, y, r) in enumerate(spots(context, 4, 40, 110, 183, 0.8, -30)):
            picture = laid(
                picture, paints[(2 * i + 2) % 6], filled(context, splat(x, y, 1.35 * r, random)) * (1 - inner)
            )
        picture = _bubbles(context, picture, paints, ink, random)
    rim = grown(inner, 15, unit)
    picture = laid(picture, colour(ink), np.clip(rim, 0, 1))
    picture = laid(picture, colour("ffffff"), grown(inner, 9, unit))
    picture = laid(picture, colour(ink), grown(inner, 4, unit))
    picture = laid(picture, layers, np.maximum(inner, context.detail))
    line = step(0.18, 0.42, contours(context, 2.6, 32.0, 8.0, small)) * inner

    picture = mix(picture, colour(ink), (line * np.float32(0.96))[..., None])
    # Shine: a white line beside the dark ones on clothes and hair.
    glint = np.clip(np.roll(line, (round(4 * unit), round(4 * unit)), (0, 1)) - line, 0, 1) * inner * (1 - context.skin)
    picture = mix(picture, np.ones(3, np.float32), (glint * np.float32(0.30))[..., None])
    part = np.float32(0.85) - np.float32(0.65) * np.maximum(context.detail, context.face)
    return np.asarray(np.clip(picture * (1 + (relief - 1) * part)[..., None], 0, 1), np.float32)


def _bubbles(context: Context, picture: F32, paints: list[F32], ink: str, random: np.random.Generator) -> F32:
    """Bubble shapes, arrows and stars, each with a shadow block, an outline, a gradient fill and shine."""
    drop = np.float32(16 * context.unit)
    board = Board(context, picture)
    for i, (x, y, r) in enumerate(spots(context, 15, 26, 118, 184, 0.86, 2)):
        turn = float(random.uniform(-0.6, 0.6))
        kind = i % 4
        if kind == 3:
            path = star(x, y, 1.08 * r, 5, 0.5, turn)
        elif kind == 1:
            arrow = np.array(
                [[-1, -0.28], [0.15, -0.28], [0.15, -0.75], [1, 0], [0.15, 0.75], [0.15, 0.28], [-1, 0.28]]
            )
            c, s = math.cos(turn - 0.8), math.sin(turn - 0.8)
            path = np.asarray(arrow * r @ np.array([[c, s], [-s, c]]) + (x, y), np.float32)
        else:
            path = blob(x, y, r, random, 0.30)
        block = [path, path + drop / 2, path + drop]
        board.fill(block, colour(ink))
        board.line([path, path + drop], colour(ink), 16)
        top, bottom, left, right = board.bounds([path])
        share = np.clip((np.arange(top, bottom) - y) / (2 * r) + 0.5, 0, 1).astype(np.float32)[:, None, None]
        first, second = paints[i % 6], paints[(i + 2) % 6]
        board.fill([path], np.broadcast_to(first + (second - first) * share, (bottom - top, right - left, 3)))
        board.line([path], colour("ffffff"), 2.6)
        for dx, dy, size in ((-0.38, -0.42, 0.15), (-0.12, -0.55, 0.06)):
            shine = around(x + dx * r, y + dy * r, np.full(30, size * r), 0, 0.6)
            board.fill([shine], colour("ffffff"), within=[path])
    return board.picture


METHODS: Final[dict[str, Method]] = {"mural": mural, "wild_style": wild_style}
