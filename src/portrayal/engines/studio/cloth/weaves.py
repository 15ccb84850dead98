"""The kernel that weaves: layers of thread, grain and wear over the colours of a cloth.

A layer is a row of numbers (`COLUMNS`), so that one kernel makes every fabric and a new fabric is data. The shape of a
layer is a number s, about -1..1 with a mean of 0, so that cloth seen from afar keeps its colour. Detail whose period is
below a few pixels fades before it aliases.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from portrayal.engines.studio.cloth.grain import cells, cloud, density, roll, seen, value
from portrayal.kernels import HELPER, KERNEL

KINDS: Final = (
    "cloud", "weave", "twill", "ridge", "knit", "cells", "crease", "rings", "discs", "lace", "fleck", "fur", "hexagons",
)  # fmt: skip
COLUMNS: Final = ("kind", "u", "v", "relief", "tone", "pale", "gloss", "bend")
_TURN: Final = np.float32(2 * np.pi)


@njit(**HELPER)
def _knit(u: Any, v: Any, pixel: Any, pu: Any, pv: Any) -> Any:
    """Wales of V-shaped stitches; the wales show longer than the stitches."""
    q = u / pu
    across = q - np.floor(q) - np.float32(0.5)
    wale = np.cos(across * _TURN)
    row = (v + abs(across) * np.float32(1.25) * pv) / pv
    stitch = np.cos(row * _TURN)
    near = seen(pv, pixel)
    # The gap between two rows is narrow and deep.
    deep = np.float32(0.22) - max(-stitch, np.float32(0.0)) ** 3
    return seen(pu, pixel) * (np.float32(0.55) * wale) + near * deep * (np.float32(0.75) + np.float32(0.35) * wale)


@njit(**HELPER)
def _rings(u: Any, v: Any, pixel: Any, p: Any) -> Any:
    """Rows of linked rings (mail): each row half a ring aside, and leaning the other way."""
    best = np.float32(-0.9)
    rows = p * np.float32(0.62)
    j0 = int(np.floor(v / rows))
    for j in range(j0 - 1, j0 + 3):
        aside = np.float32(0.5 * (j & 1))
        q = u / p - aside
        i = np.floor(q + np.float32(0.5))
        dx = (q - i) * p
        dy = v - np.float32(j) * rows
        lean = np.float32(0.22) * p if (j & 1) == 0 else np.float32(-0.22) * p
        away = np.sqrt(dx * dx + dy * dy * np.float32(1.15))
        wire = abs(away - np.float32(0.47) * p) / (np.float32(0.135) * p)
        if wire < np.float32(1.0):
            # A ring goes over its neighbour on one side and under it on the other.
            over = np.float32(0.35) * dx * lean / (p * p * np.float32(0.22))
            best = max(best, np.sqrt(np.float32(1.0) - wire * wire) + over - np.float32(0.25))
    return seen(p * np.float32(0.5), pixel) * best


@njit(**HELPER)
def _lace(table: Any, u: Any, v: Any, pixel: Any, p: Any) -> Any:
    """Flowers of close thread on a net: 0.45 in thread, less in the holes."""
    j = np.floor(v / p)
    q = u / p + np.float32(0.5) * np.float32(int(j) & 1)
    dx, dy = (q - np.floor(q) - np.float32(0.5)) * p, (v / p - j - np.float32(0.5)) * p
    away = np.sqrt(dx * dx + dy * dy) / p
    turn = np.arctan2(dy, dx) + np.float32(1.4) * roll(table, int(np.floor(q)), int(j))
    petal = np.float32(0.30) + np.float32(0.13) * np.cos(np.float32(6.0) * turn)
    soft = max(pixel / p, np.float32(0.02))
    rim = abs(away - petal) < np.float32(0.045)
    inside = min(max((petal - away) / soft, np.float32(0.0)), np.float32(1.0))
    # A net of two diagonals.
    n = np.float32(0.26)
    a, b = (u + v * np.float32(0.6)) / n, (u - v * np.float32(0.6)) / n
    a, b = abs(a - np.floor(a) - np.float32(0.5)), abs(b - np.floor(b) - np.float32(0.5))
    net = np.float32(1.0) if max(a, b) > np.float32(0.36) else np.float32(0.0)
    near = seen(n, pixel)
    net = net * near + np.float32(0.48) * (np.float32(1.0) - near)
    vein = np.float32(0.88) + np.float32(0.12) * np.cos(np.float32(24.0) * turn)
    thread = np.float32(1.0) if rim else inside * vein + (np.float32(1.0) - inside) * net
    return (thread - np.float32(0.62)) * seen(p, pixel)


@njit(**HELPER)
def _hexagons(u: Any, v: Any, pixel: Any, p: Any, groove: Any) -> Any:
    """Six-sided plates with grooves between."""
    y = np.float32(1.7320508)
    a, b = u / p, v / p
    ax, ay = a - np.floor(a) - np.float32(0.5), (b / y - np.floor(b / y) - np.float32(0.5)) * y
    cx = a + np.float32(0.5) - np.floor(a + np.float32(0.5)) - np.float32(0.5)
    cy = (b / y + np.float32(0.5) - np.floor(b / y + np.float32(0.5)) - np.float32(0.5)) * y
    if ax * ax + ay * ay > cx * cx + cy * cy:
        ax, ay = cx, cy
    ax, ay = abs(ax), abs(ay)
    edge = np.float32(0.5) - max(ax, np.float32(0.5) * ax + np.float32(0.8660254) * ay)
    return (min(edge / groove, np.float32(1.0)) - np.float32(0.78)) * seen(p, pixel)


@njit(**HELPER)
def _discs(table: Any, u: Any, v: Any, pixel: Any, p: Any) -> Any:
    """Overlapping discs, each tilted another way: (height, brightness)."""
    rows = p * np.float32(0.62)
    j0 = int(np.floor(v / rows))
    near = seen(p, pixel)
    # The upper rows lie on the lower ones.
    for j in range(j0 - 1, j0 + 2):
        q = u / p - np.float32(0.5 * (j & 1))
        i = np.floor(q + np.float32(0.5))
        dx = (q - i) * np.float32(2.0)
        dy = (v - (np.float32(j) + np.float32(0.5)) * rows) / (np.float32(0.5) * p)
        if dx * dx + dy * dy < np.float32(1.0):
            a, b = roll(table, int(i), j), roll(table, int(i) + 41, j + 7)
            height = np.float32(0.8) * (dx * a + dy * b) + np.float32(0.25) * dy
            return height * near, roll(table, int(i) + 11, j + 23) * near
    return np.float32(-0.5) * near, np.float32(-0.9) * near


@njit(**HELPER)
def _shape(table: Any, kind: Any, u: Any, v: Any, pixel: Any, pu: Any, pv: Any, bend: Any) -> Any:
    """Height and tone of one layer at one point, both about -1..1 with mean 0."""
    s = np.float32(0.0)
    if kind == 0:
        s = cloud(table, u / pu, v / pv, int(bend), min(pu, pv), pixel) * np.float32(1.3)
    elif kind == 1:
        s = seen(pu, pixel)
        if s > 0:
            s *= np.sin(u * _TURN / pu) * np.sin(v * _TURN / pv)
    elif kind == 2:
        s = seen(pu, pixel)
        if s > 0:
            s *= np.sin((u * bend + v) * _TURN / pu)
    elif kind == 3:
        r = np.cos((u / pu + np.float32(0.12) * value(table, u * np.float32(0.4), v * np.float32(0.35))) * _TURN)
        s = seen(pu, pixel) * (abs(r) ** bend) * (np.float32(1.0) if r > 0 else np.float32(-1.0))
    elif kind == 4:
        # Hand and washing move the wales a little.
        w = np.float32(0.22) * value(table, u * np.float32(0.35), v * np.float32(0.35))
        s = _knit(u + w * pu, v + w * pv, pixel, pu, pv)
    elif kind == 5:
        near = seen(pu, pixel)
        if near > 0:
            first, second, _ = cells(table, u / pu, v / pv)
            s = (min(second - first, bend) / bend - np.float32(0.72)) * near
    elif kind == 6:
        w = np.float32(0.5) * value(table, u / pu * np.float32(2.1) + np.float32(31.0), v / pv * np.float32(2.1))
        n = cloud(table, u / pu + w, v / pv - w, np.int64(2), pu, pixel) / bend
        s = np.exp(-n * n) - bend * np.float32(1.6)
    elif kind == 7:
        s = _rings(u, v, pixel, pu)
    elif kind == 8:
        return _discs(table, u, v, pixel, pu)
    elif kind == 9:
        s = _lace(table, u, v, pixel, pu)
    elif kind == 10:
        n = value(table, u / pu, v / pv) * np.float32(1.6)
        n = max(abs(n) - bend, np.float32(0.0)) * (np.float32(2.5) if n > 0 else np.float32(-2.5))
        s = min(max(n, np.float32(-1.0)), np.float32(1.0)) * seen(pu, pixel)
    elif kind == 11:
        # Tufts: hairs of one tuft lie alike, and tufts lie over each other.
        w = value(table, u / pv, v / pv) * np.float32(0.20) * pv
        w2 = value(table, u / pv * np.float32(3.1), v / pv * np.float32(1.7) + np.float32(9.0)) * np.float32(0.07) * pv
        n = value(table, (u + w + w2) / pu, v / pv)
        n += np.float32(0.6) * value(
            table, (u + w - w2) / pu * np.float32(1.9) + np.float32(40.0), v / pv * np.float32(1.3)
        )
        s = (np.float32(0.72) - np.float32(1.7) * abs(n)) * seen(pu, pixel)
    elif kind == 12:
        s = _hexagons(u, v, pixel, pu, bend)
    return s, s


@njit(**KERNEL)
def weave_rows(
    u: Any, v: Any, detail: Any, layers: Any, table: Any, seed: Any, thread: Any, albedo: Any, relief: Any, rough: Any,
    first: int, last: int,
) -> None:  # fmt: skip
    """Weave a band of rows: `albedo` (h, w, 3) holds the dye and is changed; `relief` and `rough` (h, w) are written.

    `thread` is the scene light of undyed thread; `rough` comes filled with the fabric's own roughness, (1, 1) = not
    wanted.
    """
    width = u.shape[1]
    pixel = np.empty(width, np.float32)
    tone = np.empty(width, np.float32)
    pale = np.empty(width, np.float32)
    glossy = rough.shape[1] == width and rough.shape[0] == u.shape[0]
    for y in range(first, last):
        density(u, v, y, detail, pixel)
        for x in range(width):
            tone[x], pale[x], relief[y, x] = np.float32(1.0), np.float32(0.0), np.float32(0.0)
        for k in range(layers.shape[0]):
            kind = int(layers[k, 0])
            pu, pv, high, tint = layers[k, 1], layers[k, 2], layers[k, 3], layers[k, 4]
            undyed, gloss, bend = layers[k, 5], layers[k, 6], layers[k, 7]
            # Whole periods of nothing: each layer and seed reads another place of the noise.
            du, dv = np.float32(seed * 3.7 + k * 11.3), np.float32(seed * 5.9 + k * 7.1)
            for x in range(width):
                height, s = _shape(table, kind, u[y, x] + du, v[y, x] + dv, pixel[x], pu, pv, bend)
                relief[y, x] += high * height
                tone[x] *= np.float32(1.0) + tint * s
                pale[x] += undyed * s
                if glossy:
                    rough[y, x] += gloss * s
        for x in range(width):
            for c in range(3):
                value_ = albedo[y, x, c] * max(tone[x], np.float32(0.12)) + pale[x] * thread
                albedo[y, x, c] = max(value_, albedo[y, x, c] * np.float32(0.2))
            if glossy:
                rough[y, x] = min(max(rough[y, x], np.float32(0.1)), np.float32(1.0))
