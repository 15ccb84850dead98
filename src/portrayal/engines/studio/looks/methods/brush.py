"""Painted with a broad brush: strokes as textures that are laid on a canvas; bright acrylic, a gesture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks import kernels
from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context, flow
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.shapes import (
    around,
    away,
    calm,
    drawn_paths,
    filled,
    heads,
    people,
    shifted,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, step
from portrayal.imaging import F32, Array

# Rows and columns of a stroke's texture; its middle half is the brush's width, the rest is room for a bend.
_ROWS, _COLUMNS, _KINDS = 96, 224, 12
_ASPECT: Final = 3.4


@lru_cache(1)
def _strokes() -> F32:
    """Strokes of a flat brush from left to right: (kinds, rows, columns, 2) cover and thickness of the paint, 0..1."""
    random = np.random.default_rng(5)
    v = np.linspace(-1.5, 1.5, _ROWS, dtype=np.float32)[:, None]
    u = np.linspace(0, 1, _COLUMNS, dtype=np.float32)[None]
    out = []
    for _ in range(_KINDS):
        across = v + np.float32(random.uniform(-0.42, 0.42)) * (4 * u * (1 - u) - np.float32(0.5))
        hairs = blur(random.standard_normal((1, _ROWS), np.float32), 1.3)[0] * np.float32(1.1)
        hairs += blur(random.standard_normal((1, _ROWS), np.float32), 3.0)[0] * np.float32(2.0)
        at = np.clip((across + np.float32(1.5)) * np.float32((_ROWS - 1) / 3), 0, _ROWS - 1)
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
        thick = np.clip(np.float32(0.5) + np.float32(0.16) * streak + ridge, 0, 1.2)
        out.append(np.ascontiguousarray(np.stack([cover, thick], 2), np.float32))
    return np.stack(out)


def dab(picture: F32, height: F32, places: Array, colours: F32) -> None:
    """Lay strokes on a picture (h, w, 3) and the thickness of its paint (h, w), in their order (Haeberli 1990).

    Args:
        places: (n, 5): x and y of the middle, angle, half the brush's width, length over width; in pixels.
        colours: (n, 3).
    """
    kernels.dab(picture, height, places, colours, _strokes())


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


def relief(picture: F32, height: F32, unit: float, strength: Array | float = 0.55) -> F32:
    """Light from the upper left over the thickness of the paint (Hertzmann 2002)."""
    light = np.array([[1, 0.5, 0], [0.5, 0, -0.5], [0, -0.5, -1]], np.float32)
    slope = cv2.filter2D(blur(height, 0.9 * unit), -1, light)
    return np.asarray(picture * (1 - np.asarray(strength, np.float32) * slope)[..., None], np.float32)


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
    fat: list[Array] = []
    thin: list[Array] = []
    ends: list[Array] = []
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
    brushes: Sequence[float] = (44.0, 25.0, 14.0, 9.0),
    face_brushes: Sequence[float] = (11.0, 6.5),
    chroma: float = 1.6,
    cold_shade: float = 1.0,
    tremble: float = 0.042,
    accents: float = 0.05,
    ground: str = "e9a45c",
) -> F32:
    """Patches of a broad brush from coarse to fine (Haeberli 1990; Hertzmann 1998 for the layers)."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    random = np.random.default_rng([context.seed, 71])
    lab = vivid(context, chroma, cold_shade)
    lab[..., 0] = np.clip(np.float32(0.06) + np.float32(0.98) * lab[..., 0], 0, 0.97)
    picture, height = easel(context, np.broadcast_to(colour(ground), (*shape, 3)), 0.3)
    inner = people(context)
    small, tip = 1 - 0.35 * context.smallness, 1 - 0.6 * context.smallness
    angle = directions(context, 30)
    edge = step(0.012, 0.04, blur(context.edges, 3 * unit))
    body = inner * np.maximum(edge, context.skin)
    layers = (
        np.ones(shape, np.float32),
        np.clip(inner + np.float32(0.75) * edge, 0, 1),
        body,
        body * (1 - context.face),
    )
    for i, (radius, where) in enumerate(zip(brushes, layers, strict=True)):
        if i == 2:
            picture, height = full(context, picture, height)
        _patches(context, picture, height, lab, radius * small, where, angle, (tremble, accents), random)
    own = np.maximum(context.skin, context.detail)
    for radius in face_brushes:
        _patches(context, picture, height, lab, radius * tip, own, angle, (tremble * 0.3, 0.0), random)
    picture = _kept_face(context, picture, to_rgb(lab))
    return np.clip(relief(picture, height, unit, np.float32(0.45) * (1 - np.float32(0.6) * context.face)), 0, 1)


def _kept_face(context: Context, picture: F32, source: F32) -> F32:
    """Features as they are, and the face's own tones under the strokes."""
    keep = context.detail * np.float32(0.45 + 0.35 * context.smallness)
    keep = np.maximum(context.features * np.float32(0.82), keep)
    return mix(picture, source, np.maximum(keep, np.float32(0.42) * blur(context.face, 2 * context.unit)))


def easel(context: Context, ground: Array, thickness: float) -> tuple[F32, F32]:
    """A picture and the thickness of its paint, at most 512 pixels long: room for the broad brushes."""
    h, w = context.shape
    part = min(1.0, 512 / max(h, w))
    size = max(8, round(w * part)), max(8, round(h * part))
    small = cv2.resize(np.ascontiguousarray(ground, np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32), np.full(size[::-1], thickness, np.float32)


def full(context: Context, picture: F32, height: F32) -> tuple[F32, F32]:
    """What was painted on an `easel`, in full size."""
    h, w = context.shape
    if picture.shape[:2] == (h, w):
        return picture, height
    one, two = (cv2.resize(v, (w, h), interpolation=cv2.INTER_CUBIC) for v in (picture, height))
    return np.asarray(one, np.float32), np.asarray(two, np.float32)


def _patches(
    context: Context,
    picture: F32,
    height: F32,
    lab: F32,
    radius: float,
    where: Array,
    angle: F32,
    free: tuple[float, float],
    random: np.random.Generator,
) -> None:
    """One layer of strokes in the colours of `lab`, along the drawing; `free` = tremble of colour, share of accents."""
    x, y = scattered(context, radius, where, random, 1.45)
    n = len(x)
    if not n:
        return
    tremble, accents = free
    at = y.astype(np.intp), x.astype(np.intp)
    paint = blur(lab, 0.4 * radius * context.unit)[at].copy()
    other = random.standard_normal((n, 3)).astype(np.float32)
    bare = (1 - context.skin[at])[:, None]
    paint += (
        other * np.array([0.7, 1, 1], np.float32) * np.float32(tremble) * (np.float32(0.3) + np.float32(0.7) * bare)
    )
    odd = (random.random(n) < accents) & (bare[:, 0] > 0.6)
    paint[odd, 1:] = -paint[odd, 1:] + other[odd, 1:] * np.float32(0.06)
    turn = angle[at] + random.normal(0, 0.2, n) + np.pi * (random.random(n) < 0.5)
    part = picture.shape[0] / context.shape[0]
    wide = radius * context.unit * part * random.uniform(0.85, 1.2, n)
    places = np.stack([x * part, y * part, turn, wide, _ASPECT * random.uniform(0.7, 1.1, n)], 1)
    dab(picture, height, places, to_rgb(np.ascontiguousarray(paint[None], np.float32))[0])


def gesture(canvas: Canvas, *, ground: str = "efe9dc", strokes: int = 26, chroma: float = 1.45) -> F32:
    """A few broad expressive strokes and runs of paint on bare canvas (Haeberli 1990)."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    random = np.random.default_rng([context.seed, 81])
    lab = vivid(context, chroma, 1.2)
    picture, height = easel(context, cloth(context, ground), 0.2)
    part = picture.shape[0] / h
    inner = people(context)
    x0, y0, tall = heads(context)[0]
    # Around the people: a fan of the widest brush, in the colours of the scene.
    far = away(context)
    places: list[list[float]] = []
    paints: list[Array] = []
    wide = blur(lab, 30 * unit)
    for _ in range(6 * strokes):
        turn, reach = random.uniform(0, 2 * np.pi), random.uniform(0.55, 2.0) * 250 * unit
        tilt, size, long = random.normal(-0.55, 0.35), random.uniform(30, 66) * unit, random.uniform(2.2, 4.0)
        x, y = x0 + 1.15 * reach * math.cos(turn), y0 + 0.3 * tall + 0.85 * reach * math.sin(turn)
        if len(places) >= strokes or not (0.09 * w < x < 0.91 * w and 0.07 * h < y < 0.97 * h):
            continue
        if far[int(y), int(x)] < 6:
            continue
        places.append([x * part, y * part, tilt, size * part, long])
        paints.append(wide[int(y), int(x)] + random.normal(0, 0.03, 3))
    runs = []
    if places:
        dab(picture, height, np.array(places), to_rgb(np.array([paints], np.float32))[0])
        runs = [
            (p[0] / part + random.uniform(-1.2, 1.2) * p[3] / part, (p[1] + 0.5 * p[3]) / part) for p in places[::2]
        ]
    angle = directions(context, 24)
    small, tip = 1 - 0.35 * context.smallness, 1 - 0.6 * context.smallness
    body = inner * (1 - context.face)
    for radius, share in ((36.0, 1.0), (20.0, 0.8)):
        layer = np.where(noise(shape, 160 * unit, context.seed + 9, 2) < share * 2 - 0.3, body, np.float32(0))
        _patches(context, picture, height, lab, radius * small, layer, angle, (0.035, 0.0), random)
    picture, height = full(context, picture, height)
    edge = step(0.012, 0.04, blur(context.edges, 3 * unit))
    _patches(context, picture, height, lab, 11 * small, body * edge, angle, (0.03, 0.0), random)
    for radius in (12.0, 7.0):
        own = np.maximum(context.skin, context.detail)
        _patches(context, picture, height, lab, radius * tip, own, angle, (0.02, 0.0), random)
    picture = _kept_face(context, picture, to_rgb(lab))
    # Bold dark gestures along the silhouette.
    rim = context.outline(2.0) * step(0.98, 1.0, 1 - calm(context, 0.40))
    across, down = scattered(context, 24, (rim > 0.5).astype(np.float32), random, 1.0)
    few = max(1, len(across) // 2)
    if len(across):
        across, down = across[:few], down[:few]
        turns = directions(context, 10)[down.astype(np.intp), across.astype(np.intp)]
        lines = np.stack([across, down, turns, random.uniform(3.0, 6.5, few) * unit, random.uniform(7, 14, few)], 1)
        dab(picture, height, lines, np.broadcast_to(colour("23202a"), (few, 3)))
    fall = drips(context, runs, 82) * (1 - inner)
    picture = mix(picture, shifted(blur(picture, 3 * unit), 0, 60 * unit) * np.float32(0.9), fall[..., None])
    return np.clip(relief(picture, height, unit, np.float32(0.5) * (1 - np.float32(0.6) * context.face)), 0, 1)


METHODS: Final[dict[str, Method]] = {"broad_brush": broad_brush, "gesture": gesture}
