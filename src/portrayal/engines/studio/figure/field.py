"""The distance field of the rows: the one piece of geometry that tracing, occlusion and the ground share.

All kernels are float32. Noise comes from a table (see `noise_table`), because it is read some hundred million times.
Rows and table go in flat: an array of one dimension costs a call of a kernel fewer arguments. `r` is a row's first
index.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numba import njit

from portrayal.imaging import F32
from portrayal.kernels import HELPER

_CELLS: Final = 32
_MASK: Final = _CELLS - 1
_FAR: Final = np.float32(1e9)
# Folds fade between these distances from the smooth limb, in cm; a step would draw contour lines wherever parts blend.
_FOLD_NEAR: Final = np.float32(0.9)
_FOLD_FAR: Final = np.float32(3.2)
_DEEPEST: Final = np.float32(0.55)


@lru_cache(1)
def noise_table() -> F32:
    """Random values -1..1 on a periodic lattice of 32**3, flat, float32."""
    rng = np.random.default_rng([7, 1990])
    return np.ascontiguousarray(rng.uniform(-1, 1, _CELLS**3), np.float32)


@njit(**HELPER)
def noise(x: Any, y: Any, z: Any, table: Any) -> Any:
    """Value noise -1..1, smooth to the second derivative, period 32."""
    # np.floor stays float32; math.floor would make an integer, and float64 of all that follows.
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    a, b, c = x - fx, y - fy, z - fz
    six, ten, fifteen = np.float32(6.0), np.float32(10.0), np.float32(15.0)
    a = a * a * a * (a * (a * six - fifteen) + ten)
    b = b * b * b * (b * (b * six - fifteen) + ten)
    c = c * c * c * (c * (c * six - fifteen) + ten)
    i, j, k = int(fx) & _MASK, (int(fy) & _MASK) * _CELLS, (int(fz) & _MASK) * (_CELLS * _CELLS)
    i1, j1, k1 = (i + 1) & _MASK, (j + _CELLS) & (_MASK * _CELLS), (k + _CELLS * _CELLS) & (_MASK * _CELLS * _CELLS)
    u0 = table[k + j + i] + (table[k + j + i1] - table[k + j + i]) * a
    u1 = table[k + j1 + i] + (table[k + j1 + i1] - table[k + j1 + i]) * a
    w0 = table[k1 + j + i] + (table[k1 + j + i1] - table[k1 + j + i]) * a
    w1 = table[k1 + j1 + i] + (table[k1 + j1 + i1] - table[k1 + j1 + i]) * a
    u0 += (u1 - u0) * b
    w0 += (w1 - w0) * b
    return u0 + (w0 - u0) * c


@njit(**HELPER)
def smooth_min(a: Any, b: Any, k: Any) -> Any:
    """Quadratic smooth minimum over k cm."""
    h = max(k - abs(a - b), np.float32(0.0)) / max(k, np.float32(1e-6))
    return min(a, b) - h * h * k * np.float32(0.25)


@njit(**HELPER)
def folds(s: Any, v: Any, w: Any, rows: Any, r: Any, table: Any) -> Any:
    """Relief of cloth, about -1..0.7: narrow creases between round ridges, running obliquely round the limb."""
    seed = rows[r + 44] * np.float32(3.7)
    along, across, shear = rows[r + 47], rows[r + 48], rows[r + 49]
    s += rows[r + 63]
    q = s + shear * v + np.float32(0.6) * w * shear
    # One call in a loop: each call would be compiled anew.
    n0, n1, n2, value = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for k in range(4):
        if k == 0:
            x, y, z = s * np.float32(0.09) + seed, v * np.float32(0.10), w * np.float32(0.10)
        elif k == 1:
            n0 = np.float32(1.1) * value
            x, y, z = q * along + n0, v * across + seed, w * across
        elif k == 2:
            n1 = value
            x = q * along * np.float32(1.8) + n0 * np.float32(1.3) + np.float32(3.1)
            y, z = v * across * np.float32(1.5), w * across * np.float32(1.5) + seed
        else:
            n2 = value
            x, y, z = s * np.float32(0.04), v * np.float32(0.16) + seed, w * np.float32(0.16)
        value = noise(x, y, z, table)
    ridge = np.float32(0.62) - math.sqrt(n1 * n1 + np.float32(0.018)) * np.float32(1.9)
    fine = np.float32(0.55) - math.sqrt(n2 * n2 + np.float32(0.02)) * np.float32(1.7)
    return ridge + np.float32(0.38) * fine + np.float32(0.45) * value


@njit(**HELPER)
def _section(v: Any, w: Any, b: Any, rv: Any, rw: Any, flat: Any, square: Any) -> Any:
    """Distance to an elliptic or boxy tube; b = how far beyond its ends."""
    zero, one = np.float32(0.0), np.float32(1.0)
    least = min(rv, rw)
    iv, iw = one / rv, one / rw
    if square > zero:
        d = ((abs(v * iv) ** square + abs(w * iw) ** square) ** (one / square) - one) * least
        if b != zero:
            if flat > zero:
                e = max(d, zero)
                d = math.sqrt(e * e + b * b)
            else:
                e = max(d + least * np.float32(0.8), zero)
                d = math.sqrt(e * e + b * b) - least * np.float32(0.8)
        return d
    if b == zero or flat > zero:
        k0 = math.sqrt((v * iv) * (v * iv) + (w * iw) * (w * iw))
        k1 = math.sqrt((v * iv * iv) * (v * iv * iv) + (w * iw * iw) * (w * iw * iw)) + np.float32(1e-6)
        d = k0 * (k0 - one) / k1 if k0 > np.float32(0.3) else -least * np.float32(0.7)
        if b != zero:
            e = max(d, zero)
            d = math.sqrt(e * e + b * b)
        return d
    ie = one / (least * np.float32(0.9))
    k0 = math.sqrt((v * iv) * (v * iv) + (w * iw) * (w * iw) + (b * ie) * (b * ie))
    k1 = math.sqrt(
        (v * iv * iv) * (v * iv * iv) + (w * iw * iw) * (w * iw * iw) + (b * ie * ie) * (b * ie * ie)
    ) + np.float32(1e-6)
    return k0 * (k0 - one) / k1 if k0 > np.float32(0.3) else -least * np.float32(0.7)


@njit(**HELPER)
def _limb(s: Any, v: Any, w: Any, rows: Any, r: Any, table: Any, with_folds: Any) -> Any:
    """(distance, t along the bone) of a tube."""
    zero, one, half, two = np.float32(0.0), np.float32(1.0), np.float32(0.5), np.float32(2.0)
    length = rows[r + 16]
    t = min(max(s / length, zero), one)
    g = t * np.float32(5.0)
    i = min(int(g), 4)
    f = g - np.float32(i)
    i0, i3 = max(i - 1, 0), min(i + 2, 5)
    f2, f3 = f * f, f * f * f
    c0 = -half * f3 + f2 - half * f
    c1 = np.float32(1.5) * f3 - np.float32(2.5) * f2 + one
    c2 = -np.float32(1.5) * f3 + two * f2 + half * f
    c3 = half * f3 - half * f2
    rv = c0 * rows[r + 17 + i0] + c1 * rows[r + 17 + i] + c2 * rows[r + 18 + i] + c3 * rows[r + 17 + i3]
    rw = c0 * rows[r + 23 + i0] + c1 * rows[r + 23 + i] + c2 * rows[r + 24 + i] + c3 * rows[r + 23 + i3]
    height = c0 * rows[r + 35 + i0] + c1 * rows[r + 35 + i] + c2 * rows[r + 36 + i] + c3 * rows[r + 35 + i3]
    straight = w
    w -= c0 * rows[r + 29 + i0] + c1 * rows[r + 29 + i] + c2 * rows[r + 30 + i] + c3 * rows[r + 29 + i3]
    b = s - t * length
    if abs(b) < np.float32(1e-4):
        b = zero
    sheet = rows[r + 56] > np.float32(1.5)
    if sheet:
        w += height * (
            math.sin(v * rows[r + 48] * np.float32(6.283) + rows[r + 44] + two * t)
            + half
            * math.sin(v * rows[r + 48] * np.float32(14.0) + np.float32(1.3) * rows[r + 44] - np.float32(3.0) * t)
            + np.float32(0.3) * math.sin(s * np.float32(0.09) + np.float32(1.7) * rows[r + 44] + v * np.float32(0.07))
        )
    if rows[r + 57] > zero:
        turn = math.atan2(v, w)
        m = one + rows[r + 57] * t * (
            math.sin(turn * rows[r + 58] + rows[r + 44])
            + half * math.sin(turn * np.floor(rows[r + 58] * half + one) + np.float32(2.1) * rows[r + 44])
            + np.float32(0.3) * math.sin(turn * (rows[r + 58] + np.float32(3.0)) + t * two)
        )
        rv *= m
        rw *= m
    flat = rows[r + 41] if b < zero else rows[r + 42]
    d = _section(v, w, b, rv, rw, flat, rows[r + 45])
    if b == zero and rows[r + 45] == zero:
        e = _FAR
        if rows[r + 42] > zero:
            e = length - s
        if rows[r + 41] > zero:
            e = min(e, s)
        d = max(d, -e)
    if sheet:
        d *= np.float32(0.55)
    elif with_folds > 0 and rows[r + 56] > zero and abs(d) < _FOLD_FAR:
        fade = min(max((_FOLD_FAR - abs(d)) / (_FOLD_FAR - _FOLD_NEAR), zero), one)
        fade *= math.exp(-b * b * np.float32(0.12)) * min(np.float32(1.25) * height, _DEEPEST)
        if fade > np.float32(0.004):
            d -= fade * folds(s, v, straight, rows, r, table)
    if rows[r + 59] > zero:
        d = max(d, -(straight + rows[r + 60]))
    return d, t


@njit(**HELPER)
def _row_distance(px: Any, py: Any, pz: Any, s: Any, rows: Any, r: Any, table: Any, with_folds: Any) -> Any:
    """(distance in cm, t along the bone) of one row from a point given from its origin; s = along its bone."""
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    v = px * rows[r + 10] + py * rows[r + 11] + pz * rows[r + 12]
    w = px * rows[r + 13] + py * rows[r + 14] + pz * rows[r + 15]
    if rows[r + 0] == one:
        return _limb(s, v, w, rows, r, table, with_folds)
    if rows[r + 0] == zero:
        t = min(max(s / rows[r + 16], zero), one)
        e = s - t * rows[r + 16]
        return math.sqrt(e * e + v * v + w * w) - (rows[r + 17] + (rows[r + 18] - rows[r + 17]) * t), t
    if rows[r + 0] == np.float32(2.0):
        a, b = abs(s) - rows[r + 17] + rows[r + 46], abs(v) - rows[r + 18] + rows[r + 46]
        c = abs(w) - rows[r + 19] + rows[r + 46]
        o0, o1, o2 = max(a, zero), max(b, zero), max(c, zero)
        return math.sqrt(o0 * o0 + o1 * o1 + o2 * o2) + min(max(a, max(b, c)), zero) - rows[r + 46], half
    q = math.sqrt(v * v + w * w) - rows[r + 17]
    return math.sqrt(q * q + s * s) - rows[r + 18], half


@njit(**HELPER)
def distance(x: Any, y: Any, z: Any, rows: Any, index: Any, count: Any, table: Any, with_folds: Any) -> Any:
    """(distance in cm to the body, the row nearest to the point in the nearest group).

    Args:
        x, y, z: the point.
        rows: (n * 64,) sorted by group and chain.
        index: rows to look at, ascending; the first `count` of them.
        table: of the noise.
        with_folds: 1 = with the folds of the cloth.
    """
    zero, quarter = np.float32(0.0), np.float32(0.25)
    # float32() keeps every variable of one type; a literal would be float64 and slow all down.
    best, whole, chained, cut, nearest = _FAR, _FAR, _FAR, _FAR, _FAR
    owner, candidate = -1, -1
    group, chain, joined = np.float32(-1.0), np.float32(-1.0), np.float32(0.3)
    for q in range(count + 1):
        i = index[q] * 64 if q < count else 0
        next_group = rows[i + 1] if q < count else np.float32(-9.0)
        next_chain = rows[i + 2] if q < count else np.float32(-9.0)
        if next_group != group or next_chain != chain:
            if chained < np.float32(1e8):
                whole = smooth_min(whole, chained, joined) if whole < np.float32(1e8) else chained
            chained = _FAR
            if next_group != group:
                total = max(whole, -cut)
                if candidate >= 0 and total < best:
                    best, owner = total, candidate
                cut, whole, nearest, candidate = _FAR, _FAR, _FAR, -1
            group, chain = next_group, next_chain
            if q == count:
                break
            joined = np.float32(0.3)
        # What is farther away than it could melt changes nothing.
        melt = max(rows[i + 3], rows[i + 43])
        limit = np.float32(1.5) if rows[i + 61] > zero else min(best, nearest) + melt
        px, py, pz = x - rows[i + 4], y - rows[i + 5], z - rows[i + 6]
        s = px * rows[i + 7] + py * rows[i + 8] + pz * rows[i + 9]
        e = s - min(max(s, zero), rows[i + 16])
        reach = max(limit * np.float32(1.67), np.float32(0.0)) + rows[i + 54]
        # The distance of an ellipse is somewhat less than the true one, so the bound is, too.
        if px * px + py * py + pz * pz - s * s + e * e > reach * reach:
            continue
        d, t = _row_distance(px, py, pz, s, rows, i, table, with_folds)
        if rows[i + 61] > zero:
            cut = min(cut, d)
            continue
        if d > limit:
            continue
        if rows[i + 43] > zero:
            u = min(max((rows[i + 55] - t) / max(rows[i + 55], np.float32(1e-3)), zero), np.float32(1.0))
            joined = max(joined, np.float32(0.3) + rows[i + 43] * u * u * (np.float32(3.0) - np.float32(2.0) * u))
        if d < nearest:
            nearest, candidate = d, index[q]
        if chained < np.float32(1e8):
            h = max(rows[i + 3] - abs(chained - d), zero) / max(rows[i + 3], np.float32(1e-6))
            chained = min(chained, d) - h * h * rows[i + 3] * quarter
        else:
            chained = d
    return best, owner
