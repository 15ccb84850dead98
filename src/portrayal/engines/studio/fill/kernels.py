"""The inner loops of the synthesis: search of the nearest patch, voting, relaxation.

The search works on strips of fixed height. Within a strip matches spread from pixel to pixel; across its borders they
are read from the state before the sweep. Every random number is a hash of place and round. So the result depends
neither on the number of threads nor on their order.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numba import njit

from portrayal.imaging import F32, U8, Array
from portrayal.parallel import bands

STRIP = 24
RADIUS = 3  # of a patch: 7 x 7 pixels


@njit(nogil=True, fastmath=True, inline="always")
def _hash(a: Any, b: Any, c: Any) -> Any:
    """A well mixed 32-bit number of three numbers (Wellons' lowbias32)."""
    h = (
        np.uint32(a) * np.uint32(0x9E3779B1)
        ^ np.uint32(b) * np.uint32(0x85EBCA77)
        ^ np.uint32(c) * np.uint32(0xC2B2AE3D)
    )
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return h


@njit(nogil=True, fastmath=True, inline="always")
def _shift(a: Any, b: Any, limit: Any) -> Any:
    """How much brighter the target patch is, as far as a copy may be lightened or darkened."""
    return min(max(a - b, -limit), limit)


@njit(nogil=True, fastmath=True, cache=True)
def _distance(
    x: F32, mean: F32, trust: F32, price: F32, ay: int, ax: int, by: int, bx: int, way: Array, best: Any
) -> Any:
    """Difference of two patches per pixel, or any number over `best` as soon as it is certain to be over it."""
    h, w = trust.shape
    limit = way[0]
    s0 = _shift(mean[ay, ax, 0], mean[by, bx, 0], limit)
    s1 = _shift(mean[ay, ax, 1], mean[by, bx, 1], limit)
    s2 = _shift(mean[ay, ax, 2], mean[by, bx, 2], limit)
    dy = np.float32(ay - by) * way[1]
    dx = np.float32(ax - bx) * way[2]
    total = price[by, bx] + way[3] * (s0 * s0 + s1 * s1 + s2 * s2) + dy * dy + dx * dx
    if total >= best:
        return total
    top = -min(RADIUS, ay)
    bottom = min(RADIUS, h - 1 - ay)
    left = -min(RADIUS, ax)
    right = min(RADIUS, w - 1 - ax)
    scale = np.float32(1.0 / 49.0)
    for j in range(top, bottom + 1):
        row = np.float32(0)
        for i in range(left, right + 1):
            a = x[ay + j, ax + i, 0] - x[by + j, bx + i, 0] - s0
            b = x[ay + j, ax + i, 1] - x[by + j, bx + i, 1] - s1
            c = x[ay + j, ax + i, 2] - x[by + j, bx + i, 2] - s2
            row += trust[ay + j, ax + i] * (a * a + b * b + c * c)
        total += row * scale
        if total >= best:
            return total
    return total


@njit(nogil=True, fastmath=True, cache=True)
def _sweep(
    x: F32,
    mean: F32,
    trust: F32,
    price: F32,
    todo: U8,
    valid: U8,
    old: Array,
    match: Array,
    cost: F32,
    offsets: Array,
    way: Array,
    plan: Array,
    first: int,
    last: int,
) -> None:
    h, w = todo.shape
    reach, near, seed, back = plan[0], plan[1], plan[2], plan[3]
    step = 1 if back else -1
    for strip in range(first, last):
        top = strip * STRIP
        bottom = min(h, top + STRIP)
        for k in range(top, bottom):
            y = top + bottom - 1 - k if back else k
            for m in range(w):
                xx = w - 1 - m if back else m
                if todo[y, xx] == 0:
                    continue
                by = match[y, xx, 0]
                bx = match[y, xx, 1]
                best = _distance(x, mean, trust, price, y, xx, by, bx, way, np.float32(1e9))
                # The neighbours' offsets: two of this sweep, and from beyond the strip those of the last one.
                for q in range(4):
                    ny = y
                    nx = xx
                    if q == 0:
                        nx += step
                    elif q == 1:
                        ny += step
                    elif q == 2:
                        ny -= step
                    else:
                        nx -= step
                    if ny < 0 or nx < 0 or ny >= h or nx >= w or todo[ny, nx] == 0:
                        continue
                    if ny < top or ny >= bottom:
                        cy = old[ny, nx, 0] - ny + y
                        cx = old[ny, nx, 1] - nx + xx
                    elif q < 2:
                        cy = match[ny, nx, 0] - ny + y
                        cx = match[ny, nx, 1] - nx + xx
                    else:
                        continue
                    if cy < 0 or cx < 0 or cy >= h or cx >= w or valid[cy, cx] == 0 or (cy == by and cx == bx):
                        continue
                    if abs(cy - y) < near and abs(cx - xx) < near:
                        continue
                    d = _distance(x, mean, trust, price, y, xx, cy, cx, way, best)
                    if d < best:
                        best = d
                        by = cy
                        bx = cx
                draw = _hash(xx, y, seed)
                for q in range(min(2, offsets.shape[0])):
                    pick = int(_hash(draw, q, 77) % np.uint32(offsets.shape[0]))
                    cy = y + offsets[pick, 0]
                    cx = xx + offsets[pick, 1]
                    if cy >= 0 and cx >= 0 and cy < h and cx < w and valid[cy, cx] != 0:
                        d = _distance(x, mean, trust, price, y, xx, cy, cx, way, best)
                        if d < best:
                            best = d
                            by = cy
                            bx = cx
                radius = reach
                while radius >= 1:
                    draw = _hash(draw, radius, seed)
                    cy = by - radius + int((draw & np.uint32(0xFFFF)) % np.uint32(2 * radius + 1))
                    cx = bx - radius + int((draw >> np.uint32(16)) % np.uint32(2 * radius + 1))
                    radius //= 2
                    if cy < 0 or cx < 0 or cy >= h or cx >= w or valid[cy, cx] == 0:
                        continue
                    if abs(cy - y) < near and abs(cx - xx) < near:
                        continue
                    d = _distance(x, mean, trust, price, y, xx, cy, cx, way, best)
                    if d < best:
                        best = d
                        by = cy
                        bx = cx
                match[y, xx, 0] = by
                match[y, xx, 1] = bx
                cost[y, xx] = best


def sweep(
    x: F32,
    mean: F32,
    trust: F32,
    price: F32,
    todo: U8,
    valid: U8,
    match: Array,
    cost: F32,
    offsets: Array,
    way: Array,
    plan: tuple[int, int, int, int],
) -> None:
    """One sweep of PatchMatch (Barnes et al. 2009) over the pixels of `todo`; changes `match` and `cost`.

    Args:
        x: (h, w, 3) the picture as it is now; sources and targets are patches of it.
        mean: (h, w, 3) means of its patches.
        trust: (h, w) how much a pixel counts in a target patch.
        price: (h, w) what it costs to copy from a place.
        todo, valid: (h, w) 255 = target, source.
        match: (h, w, 2) int32 row and column of the source.
        cost: (h, w) what the match costs.
        offsets: (n, 2) int32 rows and columns that are tried everywhere.
        way: float32: lightening allowed, price of distance in rows and in columns (per pixel), price of lightening.
        plan: search radius, least distance of source and target, seed, 1 = backwards.
    """
    old = match.copy()
    numbers = np.array(plan, np.int64)
    count = -(-todo.shape[0] // STRIP)
    bands(
        lambda a, b: _sweep(x, mean, trust, price, todo, valid, old, match, cost, offsets, way, numbers, a, b),
        count,
        least=1,
    )


@njit(nogil=True, fastmath=True, cache=True)
def _vote(
    out: F32, x: F32, mean: F32, todo: U8, hole: U8, match: Array, weight: F32, limit: Any, first: int, last: int
) -> None:
    h, w = todo.shape
    for y in range(first, last):
        for xx in range(w):
            if hole[y, xx] == 0:
                continue
            r = np.float32(0)
            g = np.float32(0)
            b = np.float32(0)
            total = np.float32(0)
            for j in range(-min(RADIUS, y), min(RADIUS, h - 1 - y) + 1):
                for i in range(-min(RADIUS, xx), min(RADIUS, w - 1 - xx) + 1):
                    py = y + j
                    px = xx + i
                    if todo[py, px] == 0:
                        continue
                    my = match[py, px, 0]
                    mx = match[py, px, 1]
                    sy = my - j
                    sx = mx - i
                    if sy < 0 or sx < 0 or sy >= h or sx >= w:
                        continue
                    k = weight[py, px]
                    r += k * (x[sy, sx, 0] + _shift(mean[py, px, 0], mean[my, mx, 0], limit))
                    g += k * (x[sy, sx, 1] + _shift(mean[py, px, 1], mean[my, mx, 1], limit))
                    b += k * (x[sy, sx, 2] + _shift(mean[py, px, 2], mean[my, mx, 2], limit))
                    total += k
            if total > 0:
                out[y, xx, 0] = r / total
                out[y, xx, 1] = g / total
                out[y, xx, 2] = b / total


def vote(x: F32, mean: F32, todo: U8, hole: U8, match: Array, weight: F32, limit: float) -> F32:
    """The picture whose pixels under `hole` are what the patches over them say (Wexler, Shechtman, Irani 2007)."""
    out = x.copy()
    bands(lambda a, b: _vote(out, x, mean, todo, hole, match, weight, np.float32(limit), a, b), x.shape[0], least=16)
    return out


@njit(nogil=True, fastmath=True, cache=True)
def _relax(new: F32, old: F32, free: U8, first: int, last: int) -> None:
    h, w = free.shape
    for y in range(first, last):
        up = max(y - 1, 0)
        down = min(y + 1, h - 1)
        for xx in range(w):
            left = max(xx - 1, 0)
            right = min(xx + 1, w - 1)
            for c in range(old.shape[2]):
                v = old[y, xx, c]
                if free[y, xx] != 0:
                    side = old[y, left, c] + old[y, right, c]
                    v += np.float32(0.9) * (np.float32(0.25) * (old[up, xx, c] + old[down, xx, c] + side) - v)
                new[y, xx, c] = v


def relax(values: F32, free: U8, rounds: int) -> F32:
    """Jacobi rounds towards Laplace's equation at the pixels of `free` ((h, w), 255); no flow over the border."""
    a, b = values, np.empty_like(values)
    for _ in range(rounds):
        bands(partial(_relax, b, a, free), values.shape[0])
        a, b = b, a
    return a
