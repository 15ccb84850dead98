"""Drawn with a pen: a colouring book, doodles in a notebook."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.methods.contour import contours
from portrayal.engines.studio.looks.methods.shapes import (
    cloud,
    drawn_paths,
    filled,
    flower,
    heads,
    heart,
    people,
    spiral,
    spots,
    star,
    wandering,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, hatching, mix, noise, paper, step
from portrayal.imaging import F32, Array
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN

# Pixels of the longer side on which regions are found.
_COARSE: Final = 512
_NOSE: Final = ((129, 98, 97, 2, 326, 327, 358), (98, 64, 48), (327, 294, 278))


def pieces(context: Context, behind: int, people_in: int, least: float) -> Array:
    """Labels (h', w') uint8 of flat pieces with smooth outlines on a coarse picture, at most 512 pixels long.

    K-means in Oklab, votes of the neighbours, small pieces given to them (Kang & Lee 2008 abstract shape alike).
    Labels of the people come after those behind them.

    Args:
        behind, people_in: number of colours behind the people, and in them.
        least: area of a piece, as a share of the picture; people's may be a quarter of it.
    """
    h, w = context.shape
    part = min(1.0, _COARSE / max(h, w))
    size = max(8, round(w * part)), max(8, round(h * part))
    lab = cv2.resize(context.lab, size, interpolation=cv2.INTER_AREA)
    lab = cv2.bilateralFilter(lab, 9, 0.08, 5)
    inside = cv2.resize(people(context), size, interpolation=cv2.INTER_AREA) > 0.5
    weighted = blur(lab, 1.5) * np.array([1, 1.6, 1.6], np.float32)
    labels = np.zeros(inside.shape, np.uint8)
    votes = np.zeros((behind + people_in, *inside.shape), np.float32)
    first = 0
    for count, where, soft in ((behind, ~inside, 5.0), (people_in, inside, 2.2)):
        found = weighted[where]
        if len(found) > count:
            sample = found[:: max(1, len(found) // 3000)]
            start = np.argsort(np.argsort(sample[:, 0], kind="stable"), kind="stable") * count // len(sample)
            criteria = (cv2.TERM_CRITERIA_MAX_ITER, 12, 0.0)
            centres = cv2.kmeans(
                sample, count, start.astype(np.int32)[:, None], criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS
            )[2]
            nearest = (found @ centres.T - np.float32(0.5) * (centres**2).sum(1)).argmax(1)
            labels[where] = nearest + first
        for k in range(first, first + count):
            votes[k] = blur(((labels == k) & where).astype(np.float32), soft) + where
        first += count
    labels = votes.argmax(0).astype(np.uint8)
    small = np.zeros(inside.shape, np.bool_)
    for k in range(first):
        _, named, stats, _ = cv2.connectedComponentsWithStats((labels == k).astype(np.uint8), connectivity=4)
        limit = least * labels.size * (1.0 if k < behind else 0.25)
        tiny = stats[:, cv2.CC_STAT_AREA] < limit
        tiny[0] = False
        small |= tiny[named]
    for k in range(first):
        where = inside if k >= behind else ~inside
        votes[k] = blur(((labels == k) & ~small).astype(np.float32), 9.0) + where
    labels[small] = votes.argmax(0).astype(np.uint8)[small]
    return np.asarray(labels, np.uint8)


def borders(context: Context, labels: Array, width: float) -> F32:
    """(h, w) 1 = the line between pieces, so many units wide."""
    h, w = context.shape
    edge = np.zeros(labels.shape, np.bool_)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    far = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5)
    far = cv2.resize(blur(np.minimum(far, np.float32(12)), 1.0), (w, h), interpolation=cv2.INTER_CUBIC)
    scale = max(h, w) / max(labels.shape) / context.unit
    return 1 - step(0.5 * width - 0.3, 0.5 * width + 1.5, far * np.float32(scale))


def face_lines(context: Context, width: float) -> F32:
    """(h, w) 1 = a clean line of the faces' own features: lids, irises, brows, nose, lips, jaw, from the landmarks."""
    out = np.zeros(context.shape, np.float32)
    for points, tall in zip(context.faces, context.face_heights, strict=True):
        p = points[:, :2]
        thin = min(width, max(0.9, 0.0135 * tall / context.unit))
        # Whole figures have small faces: there the picture's own contours are the better drawing.
        if tall < 100 * context.unit:
            continue
        upper = [p[list(rows)] for rows in ((33, 246, 161, 160, 159, 158, 157, 173, 133),)]
        upper += [p[list(rows)] for rows in ((263, 466, 388, 387, 386, 385, 384, 398, 362),)]
        lower = [p[list(rows)] for rows in ((33, 7, 163, 144, 145, 153, 154, 155, 133),)]
        lower += [p[list(rows)] for rows in ((263, 249, 390, 373, 374, 380, 381, 382, 362),)]
        brows = [p[list(rows)] for rows in (mesh.BROW_LEFT, mesh.BROW_RIGHT)]
        lips = [p[list(mesh.LIPS)], p[list(mesh.MOUTH)]]
        nose = [p[list(rows)] for rows in _NOSE]
        jaw = [p[list(mesh.OVAL[6:31])]]
        eyes = filled(context, [p[list(mesh.LID_LEFT)], p[list(mesh.LID_RIGHT)]])
        lines = drawn_paths(context, [*upper, *jaw], 1.25 * thin)
        np.maximum(lines, filled(context, brows) * np.float32(0.95), out=lines)
        for paths, closed in ((lower, False), (nose, False), (lips, True)):
            np.maximum(lines, drawn_paths(context, paths, 0.8 * thin, closed), out=lines)
        rims, pupils = [], []
        for iris in (mesh.IRIS_LEFT, mesh.IRIS_RIGHT):
            ring = p[iris]
            radius = float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean())
            turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
            circle = np.stack([np.cos(turn), np.sin(turn)], 1)
            rims.append(ring[0] + radius * circle)
            pupils.append(ring[0] + 0.52 * radius * circle)
        np.maximum(lines, drawn_paths(context, rims, 0.8 * thin, True) * eyes, out=lines)
        np.maximum(lines, filled(context, pupils) * eyes, out=lines)
        np.maximum(out, lines, out=out)
    return out


def coloring(canvas: Canvas, *, width: float = 3.4, patterns: bool = False) -> F32:
    """A page of a colouring book: closed black outlines on white, or filled with patterns.

    Regions are k-means of Oklab with smooth borders (Kang & Lee 2008), the face is drawn from its landmarks.
    """
    context = canvas.context
    shape = context.shape
    labels = pieces(context, 5, 6 if patterns else 5, 0.009)
    inner = people(context)
    found = contours(context, 1.7, 30.0, 6.0)
    cover, own = borders(context, labels, width), step(0.30, 0.55, found) * inner
    face, plain = face_lines(context, width), context.skin
    if float(face.max()) > 0:
        # In a drawn face only its features have lines, and what is deeply cut into it.
        inside = blur(context.face, 1.5 * context.unit)
        own *= 1 - inside
        cover *= 1 - np.maximum(inside, blur(plain, 2 * context.unit))
        face = np.maximum(face, step(0.62, 0.90, found) * inside)
    if patterns:
        fill = _patterned(context, labels) * (1 - step(0.2, 0.5, np.maximum(plain, blur(context.face, context.unit))))
        cover = np.maximum(cover, fill)
        own *= plain
    if context.regions is not None:
        # The hair's outline closes the head; in the hair only its own lines.
        parts = np.zeros(shape, np.uint8)
        parts[context.regions == HAIR] = 1
        parts[context.regions == CLOTHING] = 2
        parts[(context.regions == FACE) | (context.regions == SKIN)] = 3
        small = cv2.resize(parts, labels.shape[::-1], interpolation=cv2.INTER_NEAREST)
        small = np.asarray(np.stack([blur((small == k).astype(np.float32), 2.0) for k in range(4)]).argmax(0), np.uint8)
        if not patterns:
            cover *= 1 - blur((parts == 1).astype(np.float32), 2 * context.unit)
        cover = np.maximum(cover, borders(context, small, width) * inner * (1 - context.features))
    line = np.maximum(np.maximum(own, cover), np.maximum(face, context.outline(1.5 * width)))
    page = np.broadcast_to(colour("fdfdfb"), (*shape, 3))
    out = mix(page, np.full(3, 0.06, np.float32), np.clip(line, 0, 1)[..., None])
    _, shade = paper(shape, context.unit, context.seed, 0.25)
    return np.asarray(np.clip(out * shade[..., None], 0, 1), np.float32)


def _patterned(context: Context, labels: Array) -> F32:
    """(h, w) 1 = ink of the patterns that fill the pieces, a different one in each (zentangle)."""
    h, w = context.shape
    unit = context.unit
    full = cv2.resize(labels, (w, h), interpolation=cv2.INTER_NEAREST)
    out = np.zeros((h, w), np.float32)
    if context.regions is not None:
        # Strands follow the hair.
        full = np.where(context.regions == HAIR, np.uint8(255), full)
    order = np.random.default_rng([context.seed, 41]).permutation(len(_PATTERNS))
    for k in np.unique(full).tolist():
        rows, columns = np.nonzero(full == k)
        x, y = columns.astype(np.float32), rows.astype(np.float32)
        if k == 255:
            x0, y0, tall = heads(context)[0]
            round_about = np.arctan2(y - np.float32(y0), x - np.float32(x0))
            far = np.sqrt((x - np.float32(x0)) ** 2 + (y - np.float32(y0)) ** 2) / np.float32(unit)
            lobes = np.float32(0.03 * tall / unit) * np.sin(round_about * 11)
            level = (far + lobes + np.float32(4) * noise((h, w), 90 * unit, 8, 2)[rows, columns]) / np.float32(14)
            ink = _ring((level - np.floor(level) - np.float32(0.5)) * 14, 0.0, unit)
        else:
            turn = 0.35 * k
            c, s = np.float32(math.cos(turn) / unit), np.float32(math.sin(turn) / unit)
            wave = noise((h, w), 300 * unit, 5 + k, 2)[rows, columns] * np.float32(14)
            ink = _PATTERNS[order[k % len(order)]](x * c + y * s + wave, y * c - x * s + wave, unit)
        out[rows, columns] = ink
    return out


def _ring(far: Array, radius: float, unit: float, width: float = 2.2) -> F32:
    """A line where a distance in units is `radius`."""
    soft = 1.0 / unit
    return 1 - step(0.5 * width - 0.3, 0.5 * width + soft, np.abs(far - np.float32(radius)))


def _cells(u: Array, v: Array, across: float, down: float, brick: bool) -> tuple[F32, F32]:
    row = np.floor(v / np.float32(down))
    moved = u + (row % 2) * np.float32(0.5 * across) if brick else u
    return (
        np.asarray(moved - np.float32(across) * (np.floor(moved / np.float32(across)) + np.float32(0.5)), np.float32),
        np.asarray(v - np.float32(down) * (row + np.float32(0.5)), np.float32),
    )


def _dotted(u: Array, v: Array, unit: float) -> F32:
    a, b = _cells(u, v, 30, 26, True)
    far = np.sqrt(a * a + b * b)
    return np.maximum(_ring(far, 8.5, unit), 1 - step(2.2, 2.2 + 1 / unit, far))


def _scales(u: Array, v: Array, unit: float) -> F32:
    a, b = _cells(u, v, 44, 22, True)
    out = np.zeros(np.broadcast_shapes(u.shape, v.shape), np.float32)
    far = np.sqrt(a * a + (b + np.float32(11)) ** 2)
    for radius in (22.0, 15.0, 8.0):
        out = np.maximum(out, _ring(far, radius, unit))
    return out


def _waves(u: Array, v: Array, unit: float) -> F32:
    bent = v + np.float32(9) * np.sin(u * np.float32(2 * np.pi / 80))
    _, b = _cells(u, bent, 40, 15, False)
    return _ring(np.abs(b), 0.0, unit)


def _leaves(u: Array, v: Array, unit: float) -> F32:
    a, b = _cells(u, v, 56, 34, True)
    half = np.float32(12) * np.sqrt(np.clip(1 - (a / np.float32(24)) ** 2, 0, 1)) ** np.float32(1.5)
    rim = _ring(np.abs(b) - half, 0.0, unit) * (np.abs(a) < 25)
    vein = _ring(np.abs(b), 0.0, unit, 1.6) * (np.abs(a) < 22)
    ribs = _ring(np.mod(np.abs(b) * np.float32(0.9) + a + 60, 9) - np.float32(4.5), 0.0, unit, 1.2)
    inside = (np.abs(b) < half - 1.5) & (np.abs(a) < 20)
    return np.asarray(np.maximum(np.maximum(rim, vein), ribs * inside), np.float32)


def _circles(u: Array, v: Array, unit: float) -> F32:
    a, b = _cells(u, v, 52, 52, False)
    far = np.sqrt(a * a + b * b)
    out = np.maximum(_ring(far, 23.0, unit), np.maximum(_ring(far, 14.0, unit), _ring(far, 5.0, unit)))
    corner = np.sqrt((26 - np.abs(a)) ** 2 + (26 - np.abs(b)) ** 2)
    return np.maximum(out, _ring(corner, 6.0, unit))


def _petals(u: Array, v: Array, unit: float) -> F32:
    a, b = _cells(u, v, 64, 60, True)
    far, angle = np.sqrt(a * a + b * b), np.arctan2(b, a)
    rim = far - np.float32(11) - np.float32(15) * np.abs(np.cos(angle * 3)) ** np.float32(0.7)
    return np.maximum(_ring(rim, 0.0, unit), _ring(far, 6.5, unit))


def _lattice(u: Array, v: Array, unit: float) -> F32:
    a, b = _cells(u + v, u - v, 34, 34, False)
    lines = np.maximum(_ring(np.abs(a), 0.0, unit), _ring(np.abs(b), 0.0, unit))
    return np.maximum(lines, 1 - step(3.0, 3.0 + 1 / unit, np.sqrt((17 - np.abs(a)) ** 2 + (17 - np.abs(b)) ** 2)))


_PATTERNS: Final[tuple[Callable[[Array, Array, float], F32], ...]] = (
    _petals,
    _scales,
    _dotted,
    _leaves,
    _waves,
    _circles,
    _lattice,
)


def ballpen(canvas: Canvas, *, ink: str = "142480", second: str = "c2273d", ornaments: int = 16) -> F32:
    """Doodled with a ball pen in a notebook: lines gone over twice, scribbled shade, ornaments where it is free.

    Lines are flow-based differences of Gaussians (Kang 2007); the shade's hatching follows Praun et al. 2001.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    steady = np.maximum(context.detail, np.float32(0.8) * context.face)
    scene = np.float32(0.46) + np.float32(0.54) * people(context)
    line = contours(context, 1.25, 34.0, 4.0)
    line = np.maximum(mix(step(0.2, 0.6, line), line, context.detail) * scene, context.outline(2.6))
    once = mix(wandering(context, line, 2.6, 0.8, 1), line, steady)
    again = mix(wandering(context, line, 3.4, 0.8, 2), line, steady)
    even = cv2.bilateralFilter(context.fine[..., 0], 7, 0.1, 4 * unit + 1)
    light = np.clip(context.lifted(np.asarray(even, np.float32)), 0, 1)
    dark = (1 - light) * scene
    drawn = np.maximum(once, np.float32(0.75) * again)
    period = max(4.0, 8.5 * unit)
    wobble = noise(shape, 70 * unit, context.seed + 3, 2) * np.float32(5 * unit)
    x, y = grid(shape)
    calmer = 1 - np.float32(0.7) * np.maximum(context.detail, np.float32(0.55) * context.face)
    for i, (angle, least) in enumerate(((0.72, 0.36), (-0.5, 0.56), (1.45, 0.72))):
        lines = hatching(shape, angle, period, context.seed + 20 + i)
        bent = cv2.remap(lines, x + wobble, y - wobble, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        width = np.clip((dark - np.float32(least)) * np.float32(1.5), 0, 0.42)
        soft = 1.3 / period
        pressed = step(-soft, soft, width - bent) * step(0, 0.05, width) * calmer
        drawn = np.maximum(drawn, pressed * np.float32(0.80))
    wash = np.clip((dark - np.float32(0.36)) * np.float32(1.7), 0, 1) * context.detail
    drawn = np.maximum(drawn, wash)
    first, other = _ornaments(context, ornaments)
    height, shade = paper(shape, unit, context.seed, 0.35)
    pressure = np.float32(0.95) + np.float32(0.06) * noise(shape, 24 * unit, context.seed + 8, 2)
    page = _notebook(context)
    page = mix(page, colour(second), (other * pressure * np.float32(0.86))[..., None])
    page = mix(page, colour(ink), np.clip(np.maximum(drawn, first) * pressure, 0, 0.97)[..., None])
    return np.asarray(np.clip(page * shade[..., None] + np.float32(0.006) * height[..., None], 0, 1), np.float32)


def _notebook(context: Context) -> F32:
    """A ruled page with a margin and holes."""
    h, w = context.shape
    unit = context.unit
    x, y = grid((h, w))
    page = np.broadcast_to(colour("fbf8ee"), (h, w, 3)).astype(np.float32)
    pitch = 36 * unit
    ruled = 1 - step(0.55 * unit, 0.55 * unit + 1.0, np.abs(np.mod(y - 64 * unit, pitch) - pitch / 2))
    page = mix(page, colour("a9c6e6"), (ruled * np.float32(0.62) + x * np.float32(0))[..., None])
    margin = 1 - step(0.7 * unit, 0.7 * unit + 1.0, np.abs(x - 92 * unit))
    page = mix(page, colour("e58a94"), (margin * np.float32(0.75) + y * np.float32(0))[..., None])
    for share in (0.16, 0.5, 0.84):
        far = np.sqrt((x - 42 * unit) ** 2 + (y - share * h) ** 2)
        hole = 1 - step(17 * unit, 17 * unit + 1.5, far)
        rim = 1 - step(17 * unit, 24 * unit, far)
        page = mix(page, page * np.float32(0.86), rim[..., None])
        page = mix(page, colour("c9c3b4"), hole[..., None])
    return page


def _ornaments(context: Context, count: int) -> tuple[F32, F32]:
    """What one doodles beside a drawing, in two inks: stars, spirals, hearts, clouds, flowers, bolts."""
    random = np.random.default_rng([context.seed, 51])
    inks: tuple[list[F32], list[F32]] = ([], [])
    for i, (x, y, r) in enumerate(spots(context, count, 16, 52, 52, 1.25, 14)):
        turn = float(random.uniform(-0.5, 0.5))
        kind = int(random.integers(0, 6))
        into = inks[i % 3 == 1]
        if kind == 0:
            into += [_closed(star(x, y, r, 5, 0.42, turn)), _closed(star(x, y, r * 0.93, 5, 0.44, turn + 0.06))]
        elif kind == 1:
            into.append(spiral(x, y, r, 3.2, 6 * turn))
        elif kind == 2:
            into += [_closed(heart(x, y, r, turn)), _closed(heart(x, y, r * 0.8, turn + 0.05))]
        elif kind == 3:
            into.append(_closed(cloud(x, y, r * 1.1)))
            into += [np.array([[x + d * r, y + 0.5 * r], [x + (d - 0.15) * r, y + 0.85 * r]]) for d in (-0.5, 0.0, 0.5)]
        elif kind == 4:
            into += [_closed(flower(x, y, r, 6, 0.45, turn)), _closed(star(x, y, r * 0.25, 8, 0.9))]
        else:
            bolt = np.array([[0.2, -1], [-0.45, 0.1], [-0.05, 0.1], [-0.25, 1], [0.5, -0.2], [0.08, -0.2], [0.45, -1]])
            into.append(_closed(np.asarray([x, y] + bolt * r * 0.9, np.float32)))
    out = []
    for paths in inks:
        once = drawn_paths(context, paths, 2.6)
        out.append(
            np.maximum(wandering(context, once, 2.5, 0.6, 3), np.float32(0.7) * wandering(context, once, 3.5, 0.6, 4))
        )
    return out[0], out[1]


def _closed(path: Array) -> F32:
    return np.concatenate([path, path[:1]]).astype(np.float32)


METHODS: Final[dict[str, Method]] = {"coloring": coloring, "ballpen": ballpen}
