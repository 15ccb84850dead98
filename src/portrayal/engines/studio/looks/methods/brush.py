"""Painted with a broad brush: bright acrylic, a gesture on bare canvas, art brut, organic bands, spatter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context, flow
from portrayal.engines.studio.looks.drawn import shades
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.shapes import (
    around,
    away,
    blob,
    calm,
    drawn_paths,
    filled,
    heads,
    people,
    shifted,
    wandering,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32, Array
from portrayal.parallel import bands

# Rows and columns of a stroke's texture; its middle half is the brush's width, the rest is room for a bend.
_ROWS, _COLUMNS, _KINDS = 96, 224, 12
_ASPECT: Final = 3.4


@lru_cache(1)
def _strokes() -> tuple[F32, ...]:
    """Strokes of a flat brush from left to right: (rows, columns, 2) cover and thickness of the paint, 0..1."""
    random = np.random.default_rng(5)
    v = np.linspace(-2, 2, _ROWS, dtype=np.float32)[:, None]
    u = np.linspace(0, 1, _COLUMNS, dtype=np.float32)[None]
    out = []
    for _ in range(_KINDS):
        across = v + np.float32(random.uniform(-0.55, 0.55)) * (4 * u * (1 - u) - np.float32(0.5))
        hairs = blur(random.standard_normal((1, _ROWS), np.float32), 0.8)[0] * np.float32(1.4)
        hairs += blur(random.standard_normal((1, _ROWS), np.float32), 3.0)[0] * np.float32(2.2)
        at = np.clip((across + 2) * np.float32((_ROWS - 1) / 4), 0, _ROWS - 1)
        streak = np.interp(at.ravel(), np.arange(_ROWS), hairs).reshape(at.shape).astype(np.float32)
        streak += cv2.blur(random.standard_normal(at.shape, np.float32), (31, 1)) * np.float32(2.4)
        ragged = np.float32(0.06) * streak
        side = step(0.0, 0.16, 1 - np.abs(across) + np.float32(0.05) * streak)
        ends = step(0.0, 0.05, u - np.float32(0.03) + np.float32(0.5) * ragged)
        ends = ends * step(0.0, 0.10, np.float32(0.95) - u + ragged)
        dry = step(0.45, 1.0, u) * np.float32(1.5)
        cover = (
            side * ends * np.clip(np.float32(1.15) + np.float32(0.25) * streak - dry * step(-0.6, 0.9, -streak), 0, 1)
        )
        ridge = np.float32(0.35) * np.exp(-(((np.abs(across) - np.float32(0.9)) / np.float32(0.12)) ** 2))
        thick = np.clip(np.float32(0.5) + np.float32(0.22) * streak + ridge, 0, 1.4)
        out.append(np.ascontiguousarray(np.stack([cover, thick], 2), np.float32))
    return tuple(out)


def dab(picture: F32, height: F32, places: Array, colours: F32) -> None:
    """Lay strokes on a picture (h, w, 3) and the thickness of its paint (h, w), in their order (Haeberli 1990).

    Args:
        places: (n, 5): x and y of the middle, angle, half the brush's width, length over width; in pixels.
        colours: (n, 3).
    """
    textures = _strokes()

    def part(first: int, last: int) -> None:
        for i, (x, y, angle, radius, long) in enumerate(places.tolist()):
            wide = 0.5 * long * 2 * radius
            reach_x = abs(math.cos(angle)) * wide + abs(math.sin(angle)) * 2 * radius + 2
            reach_y = abs(math.sin(angle)) * wide + abs(math.cos(angle)) * 2 * radius + 2
            top, bottom = math.floor(y - reach_y), math.ceil(y + reach_y)
            if bottom <= first or top >= last:
                continue
            left, right = math.floor(x - reach_x), math.ceil(x + reach_x)
            c, s = math.cos(angle), math.sin(angle)
            a, b = 2 * wide / _COLUMNS, 4 * radius / _ROWS
            # The whole stroke is always made, so that its pixels do not depend on the band.
            turn = np.array(
                [
                    [a * c, -b * s, x - left - 0.5 * (a * c * _COLUMNS - b * s * _ROWS)],
                    [a * s, b * c, y - top - 0.5 * (a * s * _COLUMNS + b * c * _ROWS)],
                ],
                np.float32,
            )
            made = cv2.warpAffine(textures[i % _KINDS], turn, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
            y0, y1, x0, x1 = max(top, first), min(bottom, last), max(left, 0), min(right, picture.shape[1])
            if y1 <= y0 or x1 <= x0:
                continue
            made = made[y0 - top : y1 - top, x0 - left : x1 - left]
            cover = made[..., :1]
            place = np.s_[y0:y1, x0:x1]
            shade = np.float32(0.93) + np.float32(0.12) * made[..., 1:]
            picture[place] += (colours[i] * shade - picture[place]) * cover
            height[place] += (made[..., 1] - height[place]) * cover[..., 0]

    bands(part, picture.shape[0])


def scattered(
    context: Context, radius: float, where: Array, random: np.random.Generator, spacing: float = 1.0
) -> tuple[Array, Array]:
    """x and y (n,) of strokes on a trembling grid, where a mask is over 0.3, in random order."""
    h, w = context.shape
    pitch = radius * context.unit * spacing
    rows, columns = max(1, round(h / pitch)), max(1, round(w / pitch))
    places = (np.indices((rows, columns)).reshape(2, -1).T + 0.5 + random.uniform(-0.5, 0.5, (rows * columns, 2))) * (
        h / rows,
        w / columns,
    )
    y, x = np.clip(places[:, 0], 0, h - 1), np.clip(places[:, 1], 0, w - 1)
    order = random.permutation(len(x))
    order = order[where[y[order].astype(np.intp), x[order].astype(np.intp)] > 0.3]
    return x[order], y[order]


def directions(context: Context, sigma: float) -> F32:
    """(h, w) angle of the drawing around each point; sideways, from the lightness's wide slopes."""
    small = cv2.resize(context.lab[..., 0], None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    tx, ty, _, _ = flow(np.ascontiguousarray(small), max(1.0, 0.25 * sigma * context.unit))
    x, y = (
        cv2.resize(v, context.shape[::-1], interpolation=cv2.INTER_LINEAR) for v in (tx * tx - ty * ty, 2 * tx * ty)
    )
    return np.asarray(np.float32(0.5) * np.arctan2(y, x), np.float32)


def vivid(context: Context, chroma: float, cold_shade: float, skin_chroma: float = 1.2) -> F32:
    """Oklab with stronger colours: cold shades and warm lights; less of it on skin."""
    lab = context.fine.copy()
    lab[..., 0] = context.lifted(lab[..., 0])
    skin = context.skin
    gain = np.float32(chroma) + np.float32(skin_chroma - chroma) * skin
    lab[..., 1:] *= gain[..., None]
    cold = (np.float32(0.62) - lab[..., 0]) * (1 - np.float32(0.75) * skin) * np.float32(cold_shade)
    lab[..., 2] -= np.float32(0.22) * cold
    lab[..., 1] += np.float32(0.08) * np.maximum(cold, 0)
    return lab


def relief(picture: F32, height: F32, unit: float, strength: float = 0.55) -> F32:
    """Light from the upper left over the thickness of the paint (Hertzmann 2002)."""
    light = np.array([[1, 0.5, 0], [0.5, 0, -0.5], [0, -0.5, -1]], np.float32)
    slope = cv2.filter2D(blur(height, 0.9 * unit), -1, light)
    return np.asarray(picture * (1 - np.float32(strength) * slope)[..., None], np.float32)


def cloth(context: Context, ground: str) -> F32:
    """Bare primed canvas: woven threads."""
    x, y = grid(context.shape)
    k = np.float32(2 * np.pi / max(3.2, 5.2 * context.unit))
    weave = np.sin(x * k) * np.cos(y * k * np.float32(0.5)) + np.sin(y * k) * np.cos(x * k * np.float32(0.5))
    weave = weave * np.float32(0.016) + np.float32(0.012) * noise(context.shape, 30 * context.unit, context.seed, 4)
    return np.asarray(colour(ground) * (1 + weave)[..., None], np.float32)


def drips(context: Context, sources: Sequence[tuple[float, float]], number: int, longest: float = 190.0) -> F32:
    """(h, w) 0..1 runs of paint downwards from points, with a drop at the end of each."""
    random = np.random.default_rng([context.seed, number])
    unit = context.unit
    fat, thin, ends = [], [], []
    for x, y in sources:
        long = random.uniform(0.2, 1.0) * longest * unit
        path = np.array([[x, y], [x + random.uniform(-2, 2) * unit, y + long]])
        (fat if random.random() < 0.4 else thin).append(path)
        ends.append(around(x, y + long, np.full(20, random.uniform(2.6, 4.6) * unit), 0, 1.5))
    out = np.maximum(drawn_paths(context, thin, 3.2), drawn_paths(context, fat, 5.6))
    return np.maximum(out, filled(context, ends))


def broad_brush(
    canvas: Canvas,
    *,
    brushes: Sequence[float] = (44.0, 24.0, 13.0),
    face_brushes: Sequence[float] = (10.0, 5.5),
    chroma: float = 1.6,
    cold_shade: float = 1.0,
    tremble: float = 0.05,
    accents: float = 0.05,
    ground: str = "e9a45c",
) -> F32:
    """Patches of a broad brush from coarse to fine (Haeberli 1990; Hertzmann 1998 for the layers)."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    random = np.random.default_rng([context.seed, 71])
    lab = vivid(context, chroma, cold_shade)
    lab[..., 0] = np.clip(np.float32(0.06) + np.float32(0.98) * lab[..., 0], 0, 0.97)
    picture = np.array(np.broadcast_to(colour(ground), (*shape, 3)), np.float32)
    height = np.full(shape, 0.3, np.float32)
    inner, skin = people(context), context.skin
    small = 1 - 0.35 * context.smallness
    angle = directions(context, 30)
    edge = step(0.012, 0.04, blur(context.edges, 3 * unit))
    for i, radius in enumerate(brushes):
        where = np.ones(shape, np.float32)
        if i:
            near = np.clip(inner + np.float32(0.75 if i == 1 else 0.45) * edge, 0, 1)
            where = near if i == 1 else near * np.maximum(edge, context.skin)
        _patches(context, picture, height, lab, radius * small, where, angle, tremble, accents, random)
    for radius in face_brushes:
        _patches(
            context,
            picture,
            height,
            lab,
            radius * small,
            np.maximum(skin, context.detail),
            angle,
            tremble * 0.45,
            0,
            random,
        )
    source = to_rgb(lab)
    keep = np.maximum(context.features * np.float32(0.82), context.detail * np.float32(0.45))
    picture = mix(picture, source, keep)
    picture = mix(picture, source, np.float32(0.30) * blur(context.face, 2 * unit))
    return np.clip(relief(picture, height, unit, 0.5) * (1 - np.float32(0.0)), 0, 1)


def _patches(
    context: Context,
    picture: F32,
    height: F32,
    lab: F32,
    radius: float,
    where: Array,
    angle: F32,
    tremble: float,
    accents: float,
    random: np.random.Generator,
) -> None:
    """One layer of strokes in the colours of `lab`, along the drawing."""
    x, y = scattered(context, radius, where, random, 0.95)
    n = len(x)
    if not n:
        return
    at = y.astype(np.intp), x.astype(np.intp)
    paint = blur(lab, 0.45 * radius * context.unit)[at].copy()
    other = random.standard_normal((n, 3)).astype(np.float32)
    free = (1 - context.skin[at])[:, None]
    paint += (
        other * np.array([0.7, 1, 1], np.float32) * np.float32(tremble) * (np.float32(0.3) + np.float32(0.7) * free)
    )
    odd = (random.random(n) < accents) & (free[:, 0] > 0.6)
    paint[odd, 1:] = -paint[odd, 1:] + other[odd, 1:] * np.float32(0.06)
    turn = angle[at] + random.normal(0, 0.22, n) + np.pi * (random.random(n) < 0.5)
    places = np.stack(
        [
            x,
            y,
            turn,
            np.full(n, radius * context.unit) * random.uniform(0.8, 1.15, n),
            _ASPECT * random.uniform(0.7, 1.1, n),
        ],
        1,
    )
    dab(picture, height, places, to_rgb(np.ascontiguousarray(paint[None], np.float32))[0])


def gesture(canvas: Canvas, *, ground: str = "efe9dc", strokes: int = 26, chroma: float = 1.45) -> F32:
    """A few broad expressive strokes and runs of paint on bare canvas (Haeberli 1990)."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    random = np.random.default_rng([context.seed, 81])
    lab = vivid(context, chroma, 1.2)
    bare = cloth(context, ground)
    picture, height = bare.copy(), np.full(shape, 0.2, np.float32)
    inner = people(context)
    x0, y0, tall = heads(context)[0]
    # Around the people: a fan of the widest brush, in the colours of the scene.
    far = away(context)
    places, paints = [], []
    wide = blur(lab, 30 * unit)
    for _ in range(strokes):
        turn = random.uniform(0, 2 * np.pi)
        reach = random.uniform(0.5, 2.1) * 250 * unit
        x, y = x0 + 1.15 * reach * math.cos(turn), y0 + 0.3 * tall + 0.85 * reach * math.sin(turn)
        if not (0.04 * w < x < 0.96 * w and 0.04 * h < y < 0.97 * h) or far[int(y), int(x)] < 6:
            continue
        places.append([x, y, random.normal(-0.5, 0.5), random.uniform(26, 62) * unit, random.uniform(2.2, 4.2)])
        paints.append(wide[int(y), int(x)] + random.normal(0, 0.03, 3))
    runs = []
    if places:
        dab(picture, height, np.array(places), to_rgb(np.array([paints], np.float32))[0])
        runs = [(p[0] + random.uniform(-0.6, 0.6) * p[3], p[1] + 0.5 * p[3]) for p in places[::2]]
    angle = directions(context, 24)
    small = 1 - 0.35 * context.smallness
    body = inner * (1 - context.face)
    for radius, share in ((34.0, 1.0), (17.0, 0.75)):
        layer = np.where(noise(shape, 160 * unit, context.seed + 9, 2) < share * 2 - 0.9, body, np.float32(0))
        _patches(context, picture, height, lab, radius * small, layer, angle, 0.04, 0.0, random)
    for radius in (11.0, 6.0):
        _patches(
            context,
            picture,
            height,
            lab,
            radius * small,
            np.maximum(context.skin, context.detail),
            angle,
            0.028,
            0,
            random,
        )
    source = to_rgb(lab)
    keep = np.maximum(context.features * np.float32(0.85), context.detail * np.float32(0.4))
    picture = mix(picture, source, np.maximum(keep, np.float32(0.28) * context.face))
    # Bold dark gestures along the silhouette.
    rim = context.outline(2.0) * (1 - calm(context, 0.05))
    x, y = scattered(context, 24, (rim > 0.5).astype(np.float32), random, 1.0)
    if len(x):
        keep_few = slice(0, max(1, len(x) // 2))
        x, y = x[keep_few], y[keep_few]
        soft = directions(context, 10)
        turn = soft[y.astype(np.intp), x.astype(np.intp)]
        sizes = random.uniform(3.0, 6.5, len(x)) * unit
        lines = np.stack([x, y, turn, sizes, random.uniform(7, 14, len(x))], 1)
        dab(picture, height, lines, np.broadcast_to(colour("23202a"), (len(x), 3)))
    fall = drips(context, runs, 82) * (1 - inner)
    picture = mix(picture, shifted(blur(picture, 3 * unit), 0, 60 * unit) * np.float32(0.9), fall[..., None])
    return np.clip(relief(picture, height, unit, 0.6), 0, 1)


def raw_paint(
    canvas: Canvas,
    *,
    earth: Sequence[str] = ("b5532f", "d9a441", "2f4a52", "7c8a4b", "e4d7b8", "5a2e28"),
    line: float = 9.0,
) -> F32:
    """Art brut: slabs of thick earthy paint, scratched, under raw black contours.

    Pieces are k-means (as `pen.coloring`), the strokes Haeberli's 1990; scratches take the paint off to the ground.
    """
    from portrayal.engines.studio.looks.methods.pen import pieces

    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    random = np.random.default_rng([context.seed, 91])
    labels = pieces(context, 5, 4, 0.012)
    labels = cv2.resize(labels, (w, h), interpolation=cv2.INTER_NEAREST).astype(np.float32)
    steady = np.maximum(context.face, context.detail)
    uneven = wandering(context, labels, 9, 3, 5)
    labels = np.where(steady > 0.3, labels, np.round(uneven))
    inner = people(context)
    paints = np.stack([colour(c) for c in earth])
    own = to_rgb(shades(context, 5.0, 4.0, 3.0))
    slab = np.zeros((h, w, 3), np.float32)
    order = random.permutation(len(paints))
    for k in np.unique(labels).tolist():
        where = labels == k
        mean = own[where].mean(0)
        near = paints[order[int(k) % len(order)]] if k < 5 else paints[((paints - mean) ** 2).sum(1).argmin()]
        slab[where] = mix(near, mean, 0.30 if k < 5 else 0.55)
    muddy = own * np.array([1.04, 0.93, 0.80], np.float32)
    muddy = mix(muddy, np.broadcast_to(colour("c98a5e"), muddy.shape), np.float32(0.16))
    slab = mix(slab, muddy, np.maximum(context.skin, context.detail))
    picture, height = np.array(slab * np.float32(0.8)), np.full(shape, 0.3, np.float32)
    for radius in (20.0, 11.0):
        where = np.ones(shape, np.float32) if radius > 12 else (1 - steady * np.float32(0.9))
        x, y = scattered(context, radius, where, random, 1.0)
        at = y.astype(np.intp), x.astype(np.intp)
        tone = slab[at] * (1 + random.normal(0, 0.13, (len(x), 1)).astype(np.float32) * (1 - steady[at])[:, None])
        turn = noise(shape, 200 * unit, context.seed + 4, 2)[at] * 3 + random.normal(0, 0.5, len(x))
        dab(picture, height, np.stack([x, y, turn, np.full(len(x), radius * unit), np.full(len(x), 2.4)], 1), tone)
    fine = muddy * (1 + np.float32(0.05) * noise(shape, 16 * unit, context.seed + 6, 3))[..., None]
    picture = mix(picture, fine, np.clip(context.detail * np.float32(0.85) + np.float32(0.35) * context.face, 0, 0.9))
    # Scratched with the wrong end of the brush, off the faces.
    scratches = []
    for px, py in random.random((120, 2)):
        turn, long = random.normal(0.6, 0.8), random.uniform(24, 80) * unit
        for i in range(int(random.integers(3, 7))):
            a = np.array([px * w + i * 7 * unit, py * h + i * 2 * unit])
            scratches.append(np.stack([a, a + long * np.array([math.cos(turn), math.sin(turn)])]))
    bare = wandering(context, drawn_paths(context, scratches, 2.0), 4, 1, 6) * (1 - calm(context, 0.05))
    pale = mix(np.broadcast_to(colour("efe3c4"), picture.shape), picture * np.float32(0.35), (labels % 2)[..., None])
    picture = mix(picture, pale, (bare * np.float32(0.75))[..., None])
    height = height - np.float32(0.5) * bare
    rough = step(-0.9, 0.1, noise(shape, 6 * unit, context.seed + 8, 2))
    raw = np.maximum(step(0.2, 0.5, context.lines(2.6, 30.0, 7.0)) * (np.float32(0.5) + np.float32(0.5) * inner), 0)
    raw = mix(wandering(context, raw, 4, 2, 7), context.lines(1.5, 30.0, 4.0) if False else raw, steady)
    bold = wandering(context, context.outline(line), 7, 2.5, 8)
    ink = np.maximum(raw * mix(rough, np.ones_like(rough), context.detail), bold * np.clip(rough + 0.35, 0, 1))
    picture = relief(picture, height, unit, 0.8)
    return np.clip(mix(picture, colour("1b1512"), (ink * np.float32(0.93))[..., None]), 0, 1)


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
    own = shades(context, 4.0, 5.0, 4.0)
    wide = blur(context.toned, 16 * unit)
    inside = wide[..., 0] * np.float32(11) + noise(shape, 200 * unit, context.seed + 5, 2) * np.float32(1.7)
    whole = np.floor(inside)
    part = inside - whole
    garment = wide.copy()
    garment[..., 0] = np.clip(
        garment[..., 0] + np.float32(0.055) * (whole % 2) + np.float32(0.05) * (part - np.float32(0.5)), 0.04, 0.97
    )
    garment[..., 1:] *= np.float32(1.45)
    face = context.toned.copy()
    face[..., 1:] *= np.float32(1.12)
    soft = np.maximum(context.skin, context.detail)
    lab = mix(mix(garment, own, np.float32(0.42)), mix(face, own, np.float32(0.5) * (1 - context.detail)), soft)
    figure = to_rgb(lab)
    picture = mix(behind, figure, np.maximum(inner, context.detail))
    halo = blur(inner, 26 * unit) * (1 - inner)
    picture = picture * (1 - np.float32(0.45) * halo)[..., None]
    line = context.lines(1.3, 24.0, 8.0) * inner * np.float32(0.55)
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
    return mix(out, np.float32(0.98), (line * np.float32(0.45))[..., None])


def _pebbles(context: Context, picture: F32, paints: F32) -> F32:
    """Smooth pebbles with rings in them, where it is free."""
    from portrayal.engines.studio.looks.methods.shapes import shadowed, spots

    random = np.random.default_rng([context.seed, 101])
    for i, (x, y, r) in enumerate(spots(context, 9, 20, 74, 102, 1.15, 12)):
        base = int(random.integers(0, len(paints)))
        shape = blob(x, y, r, random)
        whole = filled(context, [shape])
        picture = shadowed(picture, whole, context.unit, 5, 0.35)
        for k, scale in enumerate((1.0, 0.72, 0.46, 0.22)):
            ring = filled(context, [(shape - (x, y)) * scale + (x, y)])
            picture = mix(picture, paints[(base + 2 * k + i) % len(paints)], ring[..., None])
    return picture


def spatter(canvas: Canvas, *, drops: int = 90, blooms: int = 7) -> F32:
    """Drops that fell off the brush, and blooms where water ran back into a wash (Bousseau 2006: pigment density)."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    random = np.random.default_rng([context.seed, 111])
    free = (1 - people(context)) * (1 - calm(context, 0.3))
    density = np.zeros(shape, np.float32)
    for px, py, size in random.random((blooms, 3)).tolist():
        pool = filled(context, [blob(px * w, py * h, (40 + 90 * size) * unit, random, 0.22)])
        pool = wandering(context, pool, 10, 5, 9 + int(9 * size))
        rim = np.clip(pool - blur(pool, 7 * unit), 0, 1)
        density += np.float32(0.9) * rim - np.float32(0.16) * blur(pool, 10 * unit)
    density *= free
    picture = canvas.picture - (canvas.picture - canvas.picture**2) * density[..., None]
    paths = [
        blob(px * w, py * h, (1.2 + 7.5 * size**4) * unit, random, 0.12)
        for px, py, size in random.random((drops, 3)).tolist()
    ]
    tint = blur(canvas.picture, 40 * unit) ** np.float32(1.8)
    for part in (paths[::2], paths[1::2]):
        fallen = filled(context, part) * free
        picture = mix(picture, tint, (fallen * np.float32(0.62))[..., None])
    return np.clip(picture, 0, 1)


METHODS: Final[dict[str, Method]] = {
    "broad_brush": broad_brush,
    "gesture": gesture,
    "raw_paint": raw_paint,
    "organic": organic,
    "spatter": spatter,
}
