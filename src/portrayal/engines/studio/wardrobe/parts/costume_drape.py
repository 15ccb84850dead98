"""Draped cloth: folds that run in families, pleats, and strands of fur.

A wrapped garment (toga, sari, kimono, cape) hangs in many folds that run side by side and fan out from where the cloth
is gathered. `lay` spreads a piece of cloth between guide curves and tells every pixel its place in the cloth: s along
the folds, t across them. `hanging` and `knife` give the height of the folds as a table over (s, t), every fold with its
own width, way and strength. All lengths are cm of the bust (x right, y down), or as said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.wardrobe.stage import Stage
from portrayal.imaging import F32, Array
from portrayal.kernels import KERNEL

_ALONG: Final = 36
_ACROSS: Final = 44
_MARGIN: Final = 0.08
_ROWS: Final = 24
_REDUCE: Final = 2
_COLUMNS: Final = 640
OFF: Final = np.float32(-9.0)
"""Value of s and t where the cloth is not."""


class Laid(NamedTuple):
    """Where each pixel lies in the cloth; (h, w) float32 each, `OFF` outside: s along the folds 0..1, t across 0..1."""

    s: F32
    t: F32


@njit(**KERNEL)
def _raster(points: Any, s: Any, t: Any, out_s: Any, out_t: Any) -> None:
    """Write (s, t) of a grid of points (n, m, 2) into pictures, two triangles a cell; later cells lie on top."""
    height, width = out_s.shape
    for i in range(points.shape[0] - 1):
        for j in range(points.shape[1] - 1):
            for half in range(2):
                ai, aj, bi, bj = i, j, i + 1, j + 1
                ci, cj = (i + 1, j) if half == 0 else (i, j + 1)
                ax, ay = points[ai, aj, 0], points[ai, aj, 1]
                bx, by = points[bi, bj, 0], points[bi, bj, 1]
                cx, cy = points[ci, cj, 0], points[ci, cj, 1]
                area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
                if abs(area) < np.float32(1e-6):
                    continue
                x0 = max(0, int(np.ceil(min(ax, min(bx, cx)))))
                x1 = min(width - 1, int(np.floor(max(ax, max(bx, cx)))))
                y0 = max(0, int(np.ceil(min(ay, min(by, cy)))))
                y1 = min(height - 1, int(np.floor(max(ay, max(by, cy)))))
                inverse = np.float32(1.0) / area
                for y in range(y0, y1 + 1):
                    for x in range(x0, x1 + 1):
                        v = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) * inverse
                        w = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) * inverse
                        u = np.float32(1.0) - v - w
                        if u >= np.float32(-1e-4) and v >= np.float32(-1e-4) and w >= np.float32(-1e-4):
                            out_s[y, x] = u * s[ai] + v * s[bi] + w * s[ci]
                            out_t[y, x] = u * t[aj] + v * t[bj] + w * t[cj]


def _even(curve: Array, count: int) -> Array:
    """A polyline (n, 2) as `count` points of even spacing, stretched by the margin beyond both ends."""
    length = np.r_[0.0, np.cumsum(np.hypot(*np.diff(curve, axis=0).T))]
    at = np.linspace(-_MARGIN, 1 + _MARGIN, count) * length[-1]
    inner = np.stack([np.interp(at, length, curve[:, c]) for c in range(2)], 1)
    head, tail = curve[0] - curve[1], curve[-1] - curve[-2]
    head, tail = head / np.hypot(*head), tail / np.hypot(*tail)
    inner += np.maximum(-at, 0)[:, None] * head + np.maximum(at - length[-1], 0)[:, None] * tail
    return inner


def lattice(stage: Stage) -> Array:
    """How cm of the bust become pixels of a stage: (scale x, scale y, x of the origin, y of the origin)."""
    sx = (stage.w - 1) / float(stage.x[0, -1] - stage.x[0, 0])
    sy = (stage.h - 1) / float(stage.y[-1, 0] - stage.y[0, 0])
    return np.array([sx, sy, -float(stage.x[0, 0]) * sx, -float(stage.y[0, 0]) * sy])


def lay(stage: Stage, guides: Sequence[Array]) -> Laid:
    """Spread cloth between curves that its folds follow.

    Args:
        stage: the map is made at half its resolution; it is smooth.
        guides: at least two polylines (n, 2) in cm, all in the direction of the folds, in order across.
    """
    h, w = -(-stage.h // _REDUCE), -(-stage.w // _REDUCE)
    sx, sy, x, y = lattice(stage)
    curves = np.stack([_even(np.asarray(g, np.float64), _ALONG) for g in guides])
    knots = np.linspace(0, 1, len(guides))
    across = np.linspace(-_MARGIN, 1 + _MARGIN, _ACROSS)
    if len(guides) == 2:
        grid = curves[0][None] + across[:, None, None] * (curves[1] - curves[0])[None]
    else:
        from scipy.interpolate import CubicSpline  # late: hardly any garment needs it

        grid = CubicSpline(knots, curves, bc_type="natural")(across)
    points = np.ascontiguousarray((grid.transpose(1, 0, 2) * (sx, sy) + (x, y)) / _REDUCE, np.float32)
    s, t = (np.full((h, w), OFF, np.float32) for _ in range(2))
    along = np.linspace(-_MARGIN, 1 + _MARGIN, _ALONG).astype(np.float32)
    _raster(points, along, across.astype(np.float32), s, t)
    return Laid(s, t)


def outline(guides: Sequence[Array]) -> F32:
    """The edge of the cloth between the first and the last guide, (n, 2) closed by the straight ends through all."""
    ends = np.array([g[-1] for g in guides[1:-1]], np.float32).reshape(-1, 2)
    starts = np.array([g[0] for g in guides[1:-1]], np.float32).reshape(-1, 2)
    return np.vstack([guides[0], ends, np.asarray(guides[-1])[::-1], starts[::-1]]).astype(np.float32)


def _wander(rng: np.random.Generator, count: int, rows: int) -> F32:
    """Slow random ways along the folds, (count, rows) about -1..1."""
    from scipy.interpolate import CubicSpline

    knots = rng.normal(size=(count, 5)) * 0.6
    return np.asarray(CubicSpline(np.linspace(0, 1, 5), knots, axis=1)(np.linspace(0, 1, rows)), np.float32)


def hanging(seed: int, count: float, rough: float = 0.5) -> F32:
    """Round folds side by side, as wool and silk hang: (rows over s, columns over t) float32, about 0..1.

    Args:
        count: folds across the cloth.
        rough: 0 = as even as a curtain, 1 = each in its own way; weaker ones end on their way.
    """
    rng = np.random.default_rng([seed, 71])
    t = np.linspace(-_MARGIN, 1 + _MARGIN, _COLUMNS).astype(np.float32)[None]
    number = max(2, round(count * (1 + 2 * _MARGIN)))
    step = (1 + 2 * _MARGIN) / number
    centre = -_MARGIN + (np.arange(number) + 0.5 + rough * rng.uniform(-0.42, 0.42, number)) * step
    way = centre[:, None] + rough * 0.55 * step * _wander(rng, number, _ROWS)
    strength = np.clip(0.75 + rough * 0.5 * _wander(rng, number, _ROWS), 0.05, 1.3)
    strength *= rng.uniform(1 - 0.6 * rough, 1, number)[:, None]
    breadth = step * rng.uniform(0.62 - 0.14 * rough, 0.62 + 0.30 * rough, number)
    lean = rng.uniform(0.65, 1.5, number)
    out = np.zeros((_ROWS, _COLUMNS), np.float32)
    # Folds are tubes that lean against each other: round crests, narrow valleys.
    for k in range(number):
        d = (t - way[k][:, None]) / breadth[k]
        d = np.where(d > 0, d * lean[k], d / lean[k])
        tube = np.sqrt(np.clip(1 - d * d, 0, 1)) * np.clip(1.5 - np.abs(d), 0, 1)
        out = np.maximum(out, (strength[k][:, None] * tube).astype(np.float32))
    soft = 0.07 * step * _COLUMNS / (1 + 2 * _MARGIN)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), soft, sigmaY=0.6), np.float32)


def knife(seed: int, count: int, rough: float = 0.3, overlap: float = 0.16) -> F32:
    """Pleats laid one over the next like slates, the higher edge towards t = 1: (rows over s, columns over t), 0..1."""
    rng = np.random.default_rng([seed, 72])
    t = np.linspace(-_MARGIN, 1 + _MARGIN, _COLUMNS).astype(np.float32)[None]
    edges = (np.arange(count + 1) + rough * rng.uniform(-0.3, 0.3, count + 1)) / count
    edges[0], edges[-1] = 0.0, 1.0
    way = edges[:, None] + rough * 0.25 / count * _wander(rng, count + 1, _ROWS)
    way[0], way[-1] = -_MARGIN - 0.01, 1 + _MARGIN + 0.01
    out = np.zeros((_ROWS, _COLUMNS), np.float32)
    for k in range(count):
        low, high = way[k][:, None], way[k + 1][:, None]
        q = np.clip((t - low) / (high - low), 0, 1)
        rise = q**1.35 * np.clip((1 - q) / overlap, 0, 1) ** 0.5
        out = np.where((t >= low) & (t < high), rise * rng.uniform(0.7, 1.0), out)
    return out.astype(np.float32)


def height(stage: Stage, laid: Laid, table: F32) -> F32:
    """The folds of a table (h, w) on the stage; 0 outside the cloth."""
    columns = (np.clip(laid.t, -_MARGIN, 1 + _MARGIN) + _MARGIN) / (1 + 2 * _MARGIN) * (table.shape[1] - 1)
    rows = np.clip(laid.s, 0, 1) * (table.shape[0] - 1)
    out = cv2.remap(table, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)
    out[laid.t == OFF] = 0
    return full(stage, np.asarray(cv2.GaussianBlur(out, (0, 0), 0.7), np.float32))


def breadth(stage: Stage, laid: Laid) -> F32:
    """How many cm of the picture the whole cloth is broad at each pixel: (h, w) float32.

    Folds keep their shape where the cloth is gathered when their height goes with this.
    """
    inside = (laid.t != OFF).astype(np.float32)
    t = np.where(inside > 0, laid.t, 0).astype(np.float32)
    pixel = _REDUCE * stage.detail
    slope = np.hypot(cv2.Sobel(t, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(t, cv2.CV_32F, 0, 1, ksize=3)) / (8 * pixel)
    inside = cv2.erode(inside, np.ones((3, 3), np.uint8))
    broad = np.where(inside > 0, 1 / np.maximum(slope, 0.01), 0).astype(np.float32)
    sigma = 0.5 / pixel
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)
    mean = cv2.GaussianBlur(broad, (0, 0), sigma) / np.maximum(weight, np.float32(1e-3))
    return full(stage, np.asarray(mean, np.float32))


def full(stage: Stage, picture: F32) -> F32:
    """A reduced map at the size of the stage."""
    return np.asarray(cv2.resize(picture, (stage.w, stage.h), interpolation=cv2.INTER_LINEAR), np.float32)


@njit(**KERNEL)
def _strands(strands: Any, shade: Any, cover: Any, tone: Any, lift: Any) -> None:
    """Paint hairs one over the other: (n, 7) x0 y0 x1 y1 x2 y2 (a quadratic curve, pixels) and width at the root."""
    height, width = cover.shape
    for k in range(strands.shape[0]):
        ax, ay, bx, by = strands[k, 0], strands[k, 1], strands[k, 2], strands[k, 3]
        cx, cy, thick = strands[k, 4], strands[k, 5], strands[k, 6]
        steps = int(abs(bx - ax) + abs(by - ay) + abs(cx - bx) + abs(cy - by)) + 2
        for i in range(steps + 1):
            q = np.float32(i) / np.float32(steps)
            p = np.float32(1.0) - q
            x = p * p * ax + np.float32(2.0) * p * q * bx + q * q * cx
            y = p * p * ay + np.float32(2.0) * p * q * by + q * q * cy
            radius = thick * np.float32(0.5) * (np.float32(1.0) - np.float32(0.75) * q) + np.float32(0.25)
            reach = int(radius + np.float32(1.5))
            for v in range(max(0, int(y) - reach), min(height, int(y) + reach + 2)):
                for u in range(max(0, int(x) - reach), min(width, int(x) + reach + 2)):
                    d = np.sqrt((u - x) * (u - x) + (v - y) * (v - y))
                    a = min(np.float32(1.0), max(np.float32(0.0), radius + np.float32(0.5) - d))
                    if a <= np.float32(0.0):
                        continue
                    a *= np.float32(0.9)
                    tone[v, u] += a * (shade[k] * (np.float32(0.42) + np.float32(0.66) * q) - tone[v, u])
                    lift[v, u] += a * (q - lift[v, u])
                    cover[v, u] += a * (np.float32(1.0) - cover[v, u])


def hairs(
    stage: Stage, curve: Array, number: int, *, broad: float, length: float, density: float = 60.0,
    drift: tuple[float, float] = (0.0, 0.25), out: float = 1.0,
) -> tuple[F32, F32, F32]:  # fmt: skip
    """Fur along a curve: (cover 0..1, tone about 0.4 at the roots .. 1.2 at the tips, lift 0 root .. 1 tip), (h, w).

    Args:
        curve: (n, 2) cm, the middle of the band of fur.
        number: tells the furs of one outfit apart.
        broad: half the breadth of its roots, cm.
        length: of a hair, cm.
        density: hairs per cm2 of roots; it is lowered where hairs would be thinner than pixels.
        drift: direction in which all hairs also fall.
        out: how far they fan out to both sides.
    """
    rng = stage.random(7300 + number)
    sx, sy, x, y = lattice(stage)
    line = np.asarray(curve, np.float64)
    arc = np.r_[0.0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))]
    count = int(arc[-1] * 2 * broad * density * min(1.0, (sx / 18) ** 1.2 + 0.15))
    at, across = rng.uniform(0, arc[-1], count), rng.uniform(-broad, broad, count)
    order = np.argsort(-np.abs(across) + rng.normal(size=count) * 0.3 * broad)
    at, across = at[order], across[order]
    root = np.stack([np.interp(at, arc, line[:, c]) for c in range(2)], 1)
    tangent = np.stack([np.interp(at, arc, np.gradient(line[:, c], arc)) for c in range(2)], 1)
    tangent /= np.hypot(*tangent.T)[:, None]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    # Hairs stick together in locks: neighbours share most of their direction, and dark gaps lie between the locks.
    bent = 1.1 * np.sin(0.9 * across + 0.7 * number)
    lock = 0.50 * np.sin(at * 3.1 + across * 1.3 + bent) + 0.40 * np.sin(at * 6.7 - across * 2.1 + number)
    way = normal * (across / broad * out)[:, None] + tangent * (lock + rng.normal(size=count) * 0.22)[:, None]
    way += np.array(drift)
    way /= np.maximum(np.hypot(*way.T), 1e-6)[:, None]
    long = (length * rng.uniform(0.5, 1.15, count))[:, None]
    start = root + normal * across[:, None]
    bend = start + way * long * 0.5 + normal * rng.normal(size=(count, 1)) * 0.08
    tip = start + way * long + np.array([0.0, 0.12]) * long + rng.normal(size=(count, 2)) * 0.12
    curves = np.concatenate([start, bend, tip], 1) * np.array([sx, sy] * 3) + np.array([x, y] * 3)
    thick = np.full((count, 1), max(1.0, 0.05 * sx))
    gap = np.clip(0.5 + 0.5 * np.sin(at * 3.1 + across * 1.3 + bent + 1.2) + 0.25 * np.sin(at * 8.3 + 2 * across), 0, 1)
    shade = (rng.uniform(0.62, 1.15, count) * (0.62 + 0.42 * gap)).astype(np.float32)
    cover, tone, lift = (np.zeros((stage.h, stage.w), np.float32) for _ in range(3))
    _strands(np.ascontiguousarray(np.hstack([curves, thick]), np.float32), shade, cover, tone, lift)
    return cover, tone, lift
