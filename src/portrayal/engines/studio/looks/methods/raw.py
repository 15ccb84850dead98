"""Paint as it falls: raw slabs under black contours, and spatter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.brush import dab, full, relief, scattered
from portrayal.engines.studio.looks.methods.contour import contours, reduced, shades, toned
from portrayal.engines.studio.looks.methods.pen import borders, pieces
from portrayal.engines.studio.looks.methods.shapes import (
    Board,
    around,
    blob,
    calm,
    drawn_paths,
    filled,
    flower,
    heads,
    heart,
    people,
    star,
    wandering,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32


def raw_paint(
    canvas: Canvas,
    *,
    earth: Sequence[str] = ("a8452c", "d39a35", "33505a", "77823f", "d9c7a0", "4a2620"),
    line: float = 13.0,
) -> F32:
    """Art brut: slabs of thick earthy paint, scratched and hatched, under raw black contours.

    Pieces are k-means (as `pen.coloring`), the strokes Haeberli's 1990; scratches take the paint off to the ground.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h = shape[0]
    random = np.random.default_rng([context.seed, 91])
    small = reduced(context)
    flat = toned(context, small)
    labels = pieces(context, 5, 4, 0.014)
    steady = np.maximum(context.face, context.detail)
    inner = people(context)
    paints = np.stack([colour(c) for c in earth])
    order = random.permutation(len(paints))
    own = to_rgb(np.ascontiguousarray(cv2.resize(flat, labels.shape[::-1], interpolation=cv2.INTER_AREA), np.float32))
    slab = np.zeros((*labels.shape, 3), np.float32)
    for k in np.unique(labels).tolist():
        where = labels == k
        mean = own[where].mean(0)
        near = paints[order[k % len(order)]] if k < 5 else paints[((paints - mean) ** 2).sum(1).argmin()]
        slab[where] = mix(near, mean, 0.25 if k < 5 else 0.55)
    picture, height = slab.copy(), np.full(labels.shape, 0.3, np.float32)
    for radius, spacing in ((30.0, 1.5), (17.0, 1.9)):
        x, y = scattered(context, radius, np.ones(shape, np.float32), random, spacing)
        part = labels.shape[0] / h
        at = (
            np.minimum(y * part, labels.shape[0] - 1).astype(np.intp),
            np.minimum(x * part, labels.shape[1] - 1).astype(np.intp),
        )
        tone = slab[at] * (1 + random.normal(0, 0.10, (len(x), 1)).astype(np.float32))
        turn = noise(labels.shape, 200 * unit * part, context.seed + 4, 2)[at] * 2.5 + random.normal(0, 0.35, len(x))
        size = np.full(len(x), radius * unit * part)
        dab(picture, height, np.stack([x * part, y * part, turn, size, np.full(len(x), 2.6)], 1), tone)
    picture, height = full(context, picture, height)
    muddy = to_rgb(shades(context, flat, 2.6, 6.0, 2.2)) * np.array([1.06, 0.94, 0.80], np.float32)
    muddy = muddy * (1 + np.float32(0.05) * noise(shape, 22 * unit, context.seed + 6, 4))[..., None]
    picture = mix(
        picture, muddy, np.maximum(np.float32(0.92) * np.maximum(context.skin, steady), np.float32(0.42) * inner)
    )
    picture, height = _scratched(context, picture, height, random)
    rough = step(-1.1, -0.2, noise(shape, 7 * unit, context.seed + 8, 2))
    free = 1 - steady
    scene = borders(context, labels, 0.6 * line) * (1 - blur(inner, 4 * unit)) * rough
    bold = np.maximum(wandering(context, context.outline(line), 4, 2.0, 8), wandering(context, scene, 9, 2.5, 9))
    found = contours(context, 2.8, 34.0, 7.0, small)
    raw = mix(wandering(context, step(0.25, 0.55, found) * inner, 5, 2, 7), step(0.12, 0.45, found), steady)
    ink = np.maximum(raw * mix(rough, np.ones_like(rough), steady), bold * free)
    picture = relief(picture, height, unit, np.float32(0.5) * free)
    return np.clip(mix(picture, colour("17110e"), (ink * np.float32(0.94))[..., None]), 0, 1)


def _scratched(context: Context, picture: F32, height: F32, random: np.random.Generator) -> tuple[F32, F32]:
    """Patches of parallel scratches, made with the wrong end of the brush; none in a face."""
    unit = context.unit
    h, w = context.shape
    groups: tuple[list[F32], list[F32]] = ([], [])
    for i, (px, py) in enumerate(random.random((46, 2)).tolist()):
        turn, long = random.normal(0.9, 0.9), random.uniform(40, 110) * unit
        along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
        for j in range(int(random.integers(4, 9))):
            start = np.array([px * w, py * h]) + across * j * 11 * unit + along * random.uniform(-8, 8) * unit
            groups[i % 2].append(np.asarray(np.stack([start, start + long * along]), np.float32))
    spare = (1 - calm(context, 0.12)) * (1 - np.float32(0.7) * people(context))
    for paths, paint in zip(groups, ("f0e2bd", "241512"), strict=True):
        bare = wandering(context, drawn_paths(context, paths, 3.2), 5, 1.2, 6) * spare
        picture = mix(picture, colour(paint), (bare * np.float32(0.8))[..., None])
        height = np.asarray(height - np.float32(0.5) * bare, np.float32)
    return picture, height


def spatter(canvas: Canvas, *, drops: int = 90, blooms: int = 7) -> F32:
    """Drops that fell off the brush, and blooms where water ran back into a wash (Bousseau 2006: pigment density)."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    random = np.random.default_rng([context.seed, 111])
    free = (1 - people(context)) * (1 - calm(context, 0.3))
    pools = [
        filled(context, [blob(px * w, py * h, (40 + 90 * size) * unit, random, 0.22)])
        for px, py, size in random.random((blooms, 3)).tolist()
    ]
    pool = wandering(context, np.maximum.reduce(pools), 12, 5, 9)
    rim = np.clip(pool - blur(pool, 7 * unit), 0, 1)
    density = np.float32(0.9) * rim - np.float32(0.16) * blur(pool, 10 * unit)
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
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def varnish(canvas: Canvas, *, warm: float = 0.6, depth: float = 0.35) -> F32:
    """An old master's finish: a warm varnish, deeper darks away from the faces, the weave of the canvas."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    x, y = grid(shape)
    cx, cy, tall = heads(context)[0]
    far = np.sqrt((x - np.float32(cx)) ** 2 + (y - np.float32(cy + 0.4 * tall)) ** 2) / np.float32(max(shape))
    shade = 1 - np.float32(depth) * step(0.22, 0.80, far) * (1 - np.float32(0.5) * people(context))
    picture = canvas.picture * shade[..., None]
    tint = np.array([1.03, 0.975, 0.83], np.float32)
    free = 1 - np.float32(0.55) * context.skin
    picture = picture * (1 + np.float32(warm) * (tint - 1) * free[..., None])
    picture = picture + np.float32(0.35) * (picture * picture * (3 - 2 * picture) - picture) * free[..., None]
    k = np.float32(2 * np.pi / max(3.0, 4.4 * unit))
    weave = np.sin(x * k) * np.cos(y * k * np.float32(0.5)) + np.sin(y * k) * np.cos(x * k * np.float32(0.5))
    weave = weave * np.float32(0.014) * (1 - np.float32(0.7) * context.face)
    return np.asarray(np.clip(picture * (1 + weave)[..., None], 0, 1), np.float32)


def storybook(
    canvas: Canvas, *, page: str = "ffeab8", crayons: Sequence[str] = ("f2a65a", "e4717a", "6fae8f", "6c9bd1")
) -> F32:
    """A page of a picture book: the painting fades into paper, small things in crayon stand in the margin."""
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    height, shade = paper(shape, unit, context.seed + 31, 1.0)
    ground = np.broadcast_to(colour(page), (h, w, 3)) * (shade * (1 + np.float32(0.010) * height))[..., None]
    x, y = grid(shape)
    # A superellipse, a little lower than the middle: the margin is where the words would stand.
    u = ((x / np.float32(w) - np.float32(0.5)) / np.float32(0.455)) ** 2
    v = ((y / np.float32(h) - np.float32(0.51)) / np.float32(0.455)) ** 2
    far = np.sqrt(np.sqrt(u * u + v * v))
    ragged = np.float32(0.030) * noise(shape, 90 * unit, context.seed + 32, 3) + np.float32(0.022) * height
    inside = 1 - step(0.955, 1.015, far + ragged)
    kept = np.maximum(inside, context.face)
    # Poster paint is brighter than the wash of the step before, on skin a little.
    free = (1 - np.float32(0.7) * context.skin)[..., None]
    grey = canvas.picture.mean(2, keepdims=True)
    soft = canvas.picture + (canvas.picture - grey) * np.float32(0.45) * free
    soft = soft + np.float32(0.10) * (1 - soft) * free
    picture = mix(np.asarray(ground, np.float32), np.clip(soft, 0, 1), kept)
    tooth = np.clip(np.float32(0.70) + np.float32(0.6) * height, 0, 1)
    rim = np.abs(far - np.float32(1.035) + np.float32(0.012) * noise(shape, 70 * unit, context.seed + 34, 2))
    rim = (1 - step(0.0035, 0.0075, rim)) * (1 - np.float32(0.75) * kept) * tooth
    picture = mix(picture, colour(crayons[1]), (rim * np.float32(0.9))[..., None])
    random = np.random.default_rng([context.seed, 211])
    marks: list[F32] = []
    board = Board(context, np.broadcast_to(colour(crayons[0]), (h, w, 3)))
    for i, (px, py) in enumerate(_MARGIN):
        r, turn = float(random.uniform(20, 30)) * unit, float(random.uniform(-0.4, 0.4))
        cx, cy = px * w, py * h
        shapes = (star(cx, cy, r, 5, 0.45, turn), heart(cx, cy, r, turn), flower(cx, cy, r, 6, 0.45, turn))
        marks.append(shapes[(i + context.seed) % 3])
        board.fill([around(cx, cy, np.full(24, 1.5 * r))], colour(crayons[i % len(crayons)]))
    drawn = np.maximum(np.float32(0.55) * filled(context, marks), drawn_paths(context, marks, 4.5, True))
    cover = wandering(context, drawn, 2.0, 0.8, 33) * tooth * np.float32(0.92) * (1 - kept)
    picture = mix(picture, board.picture, cover[..., None])
    return np.asarray(np.clip(picture, 0, 1), np.float32)


# Where things stand in the margin, as shares of the picture: the corners, which the rounded painting leaves free.
# fmt: off
_MARGIN: Final = (
    (0.05, 0.05), (0.12, 0.028), (0.028, 0.12), (0.95, 0.05), (0.88, 0.028), (0.972, 0.12), (0.045, 0.955),
    (0.955, 0.955))
# fmt: on

METHODS: Final[dict[str, Method]] = {
    "raw_paint": raw_paint,
    "spatter": spatter,
    "storybook": storybook,
    "varnish": varnish,
}
