"""Looks that live from the brush: watercolor, oil, children's book, travel poster. Each gives sRGB codes 0..1."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.context import Context, flow
from portrayal.engines.studio.looks.drawn import cel, shades
from portrayal.engines.studio.looks.kernels import stroke, to_lab, to_rgb, trace
from portrayal.engines.studio.looks.texture import blur, border, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32, Array

_PAPER: Final = np.array([0.985, 0.972, 0.945], np.float32)
# Brush radii in pixels of a 1024 px picture, and how far a stroke differs in colour.
_BRUSHES: Final = (20.0, 11.0, 6.0, 3.2, 1.7)
_COLOUR_NOISE: Final = 0.026
_POSTER: Final = ("f6e8c9", "eab24e", "dd7b3f", "c8453f", "8d2f3c", "8fb5a8", "2f7d83", "1d4f66", "17263d")


def watercolor(context: Context) -> F32:
    """Glazes on rough paper: dark edges of each wash, turbulent pigment that settles in the grain (Bousseau 2006,
    Montesdeoca 2017)."""
    unit, shape, seed = context.unit, context.shape, context.seed
    lab = context.toned.copy()
    away = np.clip(context.subject * np.float32(1.1) + context.detail, 0, 1)
    lab = mix(blur(lab, 7 * unit), lab, away) if context.cut else lab
    # Washes get thinner towards the rim: the white of the paper is the light.
    x, y = grid(shape)
    away = np.minimum(np.minimum(x, shape[1] - 1 - x), np.minimum(y, shape[0] - 1 - y)) / np.float32(max(shape))
    thin = (1 - step(0.0, 0.24, away + np.float32(0.05) * noise(shape, 120 * unit, seed + 7))) * (1 - context.subject)
    pale = np.float32(0.32) - np.float32(0.16) * context.skin
    lab[..., 0] = np.clip(pale + (np.float32(1.02) - pale) * lab[..., 0], 0, 1)
    lab[..., 0] += (np.float32(0.97) - lab[..., 0]) * (
        np.float32(0.10) * (1 - context.subject) + np.float32(0.5) * thin
    )
    lab[..., 1:] *= np.float32(1.38)
    lab[..., 0] = mix(lab[..., 0], cel(lab[..., 0], 8, 1.3), np.float32(0.55) * (1 - context.detail))
    picture = to_rgb(lab)
    # A trembling hand: outlines wander, but not in the face.
    steady = 1 - np.float32(0.95) * np.maximum(context.detail, np.float32(0.85) * blur(context.face, 6 * unit))
    map_x = x + noise(shape, 22 * unit, seed) * steady * np.float32(2.0 * unit)
    map_y = y + noise(shape, 22 * unit, seed + 5) * steady * np.float32(2.0 * unit)
    picture = np.asarray(cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    dark_rim = np.clip(np.abs(blur(grey, 1.6 * unit) - blur(grey, 4.5 * unit)) * np.float32(7), 0, 1)
    height, shade = paper(shape, unit, seed + 9)
    turbulence = noise(shape, 90 * unit, seed + 2, 4) * (1 - np.float32(0.6) * context.face)
    density = np.float32(0.42) * dark_rim + np.float32(0.16) * turbulence
    density += np.float32(0.15) * height * np.clip(np.float32(1.15) - grey, 0, 1)
    picture = picture - (picture - picture * picture) * density[..., None]
    painted = border(shape, 0.031, 0.019, 60 * unit, seed + 3)
    wet = np.exp(-(((painted - np.float32(0.5)) / np.float32(0.22)) ** 2)) * np.float32(0.18)
    picture = mix(_PAPER, picture * (1 - wet)[..., None], painted[..., None])
    line = context.lines(1.0, 20.0, 4.0) * np.float32(0.34) * painted
    picture = mix(picture, np.array([0.24, 0.19, 0.22], np.float32), line[..., None])
    return np.asarray(np.clip(picture * shade[..., None], 0, 1), np.float32)


def oil(context: Context) -> F32:
    """Curved strokes of five brushes, coarse to fine (Hertzmann 1998), lit over the thickness of the paint (2002)."""
    unit, shape = context.unit, context.shape
    lab = context.fine.copy()  # the brushes flatten it enough
    lab[..., 0] = mix(lab[..., 0], context.lifted(lab[..., 0]), 0.65)
    lab[..., 0] = np.clip(np.float32(0.55) + (lab[..., 0] - np.float32(0.54)) * np.float32(1.05), 0, 1)
    lab[..., 1:] *= np.float32(1.14)
    source = to_rgb(lab)
    random = np.random.default_rng([context.seed, 17])
    bristles = cv2.blur(blur(random.random((29, 512), np.float32), 0.6), (41, 1))
    tuft = np.asarray((bristles - bristles.min()) / np.ptp(bristles), np.float32)
    tangent = _brush_flow(context)
    size = unit * (1 - 0.22 * context.smallness)  # a whole figure is painted with smaller brushes
    canvas = np.ascontiguousarray(blur(source, _BRUSHES[0] * size * 1.5))
    height, paint = np.full(shape, 0.35, np.float32), np.zeros((*shape, 5), np.float32)
    finest = np.maximum(context.detail, np.float32(0.9) * context.face)
    near = np.clip(blur(context.subject, 5 * unit) * np.float32(2.4), 0, 1)
    edges = step(0.015, 0.05, context.edges) * near
    only: tuple[F32 | None, ...] = (
        None,
        None,
        np.maximum(near * np.float32(0.8), finest),
        np.maximum(finest * np.float32(0.8), edges),
        np.maximum(context.detail, finest * np.float32(0.35) + edges * np.float32(0.2)),
    )
    for i, (brush, where) in enumerate(zip(_BRUSHES, only, strict=True)):
        _layer(context, source, canvas, height, paint, tangent, tuft, max(0.9, brush * size), where, i == 0, random)
    # Small features get the tip of the brush at last: they are painted as they are.
    canvas = mix(canvas, source, np.maximum(context.features * np.float32(0.6), context.detail * np.float32(0.3)))
    light = np.array([[1, 0.5, 0], [0.5, 0, -0.5], [0, -0.5, -1]], np.float32)
    relief = cv2.filter2D(blur(height, 0.8 * unit), -1, light)
    relief = (
        relief
        * np.float32(0.7)
        * (1 - np.float32(0.6) * np.maximum(context.face * np.float32(1 - 0.4 * context.smallness), context.features))
    )
    return np.asarray(np.clip(canvas * (1 + relief)[..., None], 0, 1), np.float32)


def _brush_flow(context: Context) -> tuple[F32, F32]:
    """Where there are no edges, strokes follow the smooth surroundings."""
    tx, ty = context.tangent
    wide_x, wide_y, _, _ = flow(blur(context.lab[..., 0], 4 * context.unit), 26 * context.unit)
    near = step(0.012, 0.04, context.edges)
    # Directions without sense: mixed as angles doubled.
    x = mix(wide_x * wide_x - wide_y * wide_y, tx * tx - ty * ty, near)
    y = mix(2 * wide_x * wide_y, 2 * tx * ty, near)
    angle = np.float32(0.5) * np.arctan2(y, x)
    return np.ascontiguousarray(np.cos(angle), np.float32), np.ascontiguousarray(np.sin(angle), np.float32)


def _layer(
    context: Context,
    source: F32,
    canvas: F32,
    height: F32,
    paint: F32,
    tangent: tuple[F32, F32],
    bristles: F32,
    radius: float,
    where: F32 | None,
    everywhere: bool,
    random: np.random.Generator,
) -> None:
    """Paint one layer of strokes where the canvas is not yet like the source."""
    h, w = context.shape
    goal = np.ascontiguousarray(blur(source, radius * 0.35))
    spacing = max(1.5, radius * 0.85)
    ys, xs = (v.ravel() for v in np.mgrid[spacing / 2 : h : spacing, spacing / 2 : w : spacing].astype(np.float32))
    xs = np.clip(xs + random.uniform(-0.6, 0.6, len(xs)).astype(np.float32) * np.float32(spacing), 0, w - 2)
    ys = np.clip(ys + random.uniform(-0.6, 0.6, len(ys)).astype(np.float32) * np.float32(spacing), 0, h - 2)
    at = ys.astype(np.intp), xs.astype(np.intp)
    chosen = np.ones(len(xs), np.bool_)
    if not everywhere:
        wrong = cv2.transform(cv2.absdiff(goal, canvas), np.ones((1, 3), np.float32))
        chosen = blur(wrong, radius * 0.5)[at] > 0.09
    if where is not None:
        chosen &= where[at] > 0.3
    order = random.permutation(np.flatnonzero(chosen))
    xs, ys = np.ascontiguousarray(xs[order]), np.ascontiguousarray(ys[order])
    n = len(xs)
    if n == 0:
        return
    paths, counts = np.zeros((n, 9, 2), np.float32), np.zeros(n, np.int32)
    colours = np.zeros((n, 3), np.float32)
    trace(xs, ys, goal, *tangent, canvas, radius, paths, counts, colours)
    other = random.standard_normal((n, 1)) + random.standard_normal((n, 3)) * 0.22
    face = context.face[ys.astype(np.intp), xs.astype(np.intp)][:, None]
    colours += (other * _COLOUR_NOISE * (1 - 0.85 * face)).astype(np.float32)
    stroke(canvas, height, paint, paths, counts, np.clip(colours, 0, 1), bristles, radius)


def childrens_book(context: Context) -> F32:
    """Gouache in soft shades, rosy cheeks, a brown crayon line on the tooth of the paper."""
    unit, shape = context.unit, context.shape
    lab = shades(context, 3.2, 6.0, 1.6)
    smooth = context.toned
    soft = blur(smooth, 3 * unit)
    lab = mix(lab, soft, np.maximum(context.face * np.float32(0.6), (1 - context.subject) * np.float32(0.75)))
    lab = mix(lab, smooth, context.detail * np.float32(0.9))
    pale = np.float32(0.18) - np.float32(0.09) * context.skin
    lab[..., 0] = np.clip(pale + (np.float32(1.01) - pale) * lab[..., 0], 0, 0.975)
    lab[..., 1:] *= np.float32(1.32)
    cheeks = context.cheeks()
    lab[..., 1] += np.float32(0.040) * cheeks
    lab[..., 2] += np.float32(0.012) * cheeks
    picture = to_rgb(lab)
    height, shade = paper(shape, unit, context.seed, 1.25)
    density = np.float32(0.12) * noise(shape, 60 * unit, context.seed + 1, 4) + np.float32(0.09) * height
    picture = picture - (picture - picture * picture) * (density * (1 - np.float32(0.5) * context.face))[..., None]
    line = np.maximum(context.lines(1.5, 24.0, 5.0), np.float32(0.8) * context.outline(3.0))
    tooth = np.clip(np.float32(0.72) + np.float32(0.55) * height, 0, 1)
    line = line * mix(tooth, np.ones_like(tooth), context.detail * np.float32(0.7)) * np.float32(0.82)
    picture = mix(picture, picture * np.array([0.36, 0.24, 0.22], np.float32), line)
    return np.asarray(np.clip(picture * shade[..., None], 0, 1), np.float32)


def travel_poster(context: Context) -> F32:
    """A print of a few flat inks with smooth outlines, lithographic grain where they meet, a paper margin."""
    unit, shape = context.unit, context.shape
    lab = context.toned
    behind = mix(blur(lab, 5 * unit), lab, context.subject)
    labels, palette = _inks(context, behind, 14)
    paints = to_lab(np.stack([np.round(colour(c) * 255) for c in _POSTER]).astype(np.uint8)[None])[0]
    scale = np.array([0.8, 1.6, 1.6], np.float32)
    nearest = (((palette - paints[:, None]) * scale) ** 2).sum(2).argmin(0)
    # Half way to an ink of a poster: the colours get harmony and stay what they are.
    printed = (mix(palette, paints[nearest], 0.45) * np.array([1, 1.12, 1.12], np.float32))[labels]
    # People keep the colours of their clothes and hair, in flat shades.
    own = shades(context, 3.0, 5.0, 4.0)
    own[..., 1:] *= np.float32(1.15)
    own = mix(own, printed, np.float32(0.22) * (1 - np.maximum(context.skin, context.detail)))
    out = mix(blur(printed, 0.6), own, np.maximum(context.subject, context.detail))
    gentle = np.float32(0.022) * noise(shape, 1.8 * unit, context.seed, 1) * (1 - np.float32(0.7) * context.face)
    out[..., 0] = np.clip(np.float32(0.06) + np.float32(0.95) * out[..., 0] + gentle, 0, 0.97)
    picture = to_rgb(out)
    line = np.maximum(context.lines(1.3, 24.0, 6.0) * context.subject, np.float32(0.9) * context.outline(2.6))
    picture = mix(picture, colour(_POSTER[-1]), (line * np.float32(0.78))[..., None])
    height, shade = paper(shape, unit, context.seed + 3, 0.7)
    page = colour(_POSTER[0]) * np.float32(1.02)
    worn = step(1.25, 1.7, noise(shape, 5 * unit, context.seed + 5)) * (1 - context.skin) * np.float32(0.25)
    picture = mix(picture, page, worn[..., None])
    x, y = grid(shape)
    away = np.minimum(np.minimum(x, shape[1] - 1 - x), np.minimum(y, shape[0] - 1 - y)) / np.float32(max(shape))
    margin = 1 - step(0.026, 0.0275, away)
    picture = mix(picture, page, margin[..., None])
    return np.asarray(
        np.clip(picture * (1 + np.float32(0.02) * height)[..., None] * shade[..., None], 0, 1), np.float32
    )


def _inks(context: Context, lab: F32, count: int) -> tuple[Array, F32]:
    """Labels (h, w) with smooth outlines and their palette (count, 3), by k-means in Oklab."""
    weights = np.array([1, 1.8, 1.8], np.float32)
    random = np.random.default_rng(11)
    flat = lab.reshape(-1, 3)
    samples = flat[random.integers(0, len(flat), 4500)]
    people = np.flatnonzero((context.subject > 0.5).ravel())
    if context.cut and len(people):
        samples = np.concatenate([samples, flat[random.choice(people, 3000)]])
    samples = (samples * weights).astype(np.float32)
    centres = samples[:1]
    away = np.full(len(samples), np.inf, np.float32)
    for _ in range(count - 1):  # far apart at first, but nothing that is rare
        away = np.minimum(away, ((samples - centres[-1]) ** 2).sum(1))
        centres = np.vstack([centres, samples[np.argsort(away, kind="stable")[int(0.985 * len(samples))]]])
    for _ in range(12):
        nearest = ((samples[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        for k in range(count):
            if (nearest == k).any():
                centres[k] = samples[nearest == k].mean(0)
    # Outlines are smoothed by far more than a pixel: the half picture has all that they need.
    h, w = context.shape
    half = np.asarray(cv2.resize(lab, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA), np.float32)
    # The nearest centre is the one with the largest x.c - c.c/2.
    scores = np.float32(0.5) * (centres * centres).sum(1)
    best = np.full(half.shape[:2], -np.inf, np.float32)
    own = np.zeros(half.shape[:2], np.uint8)
    for k in range(count):
        near = np.asarray(cv2.transform(half, np.asarray([centres[k] * weights], np.float32)), np.float32) - scores[k]
        own[near > best] = k
        np.maximum(best, near, out=best)
    best, labels = np.full(context.shape, -np.inf, np.float32), np.zeros(context.shape, np.uint8)
    for k in range(count):
        vote = blur((own == k).astype(np.float32), 2 * context.unit)
        vote = np.asarray(cv2.resize(vote, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
        np.putmask(labels, vote > best, k)
        np.maximum(best, vote, out=best)
    return labels, np.asarray(centres / weights, np.float32)
