"""The distance field of the rows: the one piece of geometry that tracing, occlusion and the ground share.

All kernels are float32. Noise comes from a table (see `noise_table`), because it is read some hundred million times.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numba import njit

from portrayal.imaging import F32

_CELLS: Final = 32
_MASK: Final = _CELLS - 1
_FAR: Final = np.float32(1e9)
# Folds fade between these distances from the smooth limb, in cm; a step would draw contour lines wherever parts blend.
_FOLD_NEAR: Final = np.float32(0.9)
_FOLD_FAR: Final = np.float32(3.2)
_DEEPEST: Final = np.float32(0.8)


@lru_cache(1)
def noise_table() -> F32:
    """Random values -1..1 on a periodic lattice (32, 32, 32), float32."""
    rng = np.random.default_rng([7, 1990])
    return np.ascontiguousarray(rng.uniform(-1, 1, (_CELLS, _CELLS, _CELLS)), np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def noise(x: Any, y: Any, z: Any, table: Any) -> Any:
    """Value noise -1..1, smooth to the second derivative, period 32."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    a, b, c = x - fx, y - fy, z - fz
    six, ten, fifteen = np.float32(6.0), np.float32(10.0), np.float32(15.0)
    a = a * a * a * (a * (a * six - fifteen) + ten)
    b = b * b * b * (b * (b * six - fifteen) + ten)
    c = c * c * c * (c * (c * six - fifteen) + ten)
    i, j, k = int(fx) & _MASK, int(fy) & _MASK, int(fz) & _MASK
    i1, j1, k1 = (i + 1) & _MASK, (j + 1) & _MASK, (k + 1) & _MASK
    u0 = table[k, j, i] + (table[k, j, i1] - table[k, j, i]) * a
    u1 = table[k, j1, i] + (table[k, j1, i1] - table[k, j1, i]) * a
    w0 = table[k1, j, i] + (table[k1, j, i1] - table[k1, j, i]) * a
    w1 = table[k1, j1, i] + (table[k1, j1, i1] - table[k1, j1, i]) * a
    u0 += (u1 - u0) * b
    w0 += (w1 - w0) * b
    return u0 + (w0 - u0) * c


@njit(nogil=True, cache=True, fastmath=True)
def smooth_min(a: Any, b: Any, k: Any) -> Any:
    """Quadratic smooth minimum over k cm."""
    h = max(k - abs(a - b), np.float32(0.0)) / max(k, np.float32(1e-6))
    return min(a, b) - h * h * k * np.float32(0.25)


@njit(nogil=True, cache=True, fastmath=True)
def folds(s: Any, v: Any, w: Any, p: Any, table: Any) -> Any:
    """Relief of cloth, about -1..0.7: narrow creases between round ridges, running obliquely round the limb."""
    one = np.float32(1.0)
    seed = p[44] * np.float32(3.7)
    along, across, shear = p[47], p[48], p[49]
    s += p[63]
    q = s + shear * v + np.float32(0.6) * w * shear
    bent = np.float32(1.1) * noise(s * np.float32(0.09) + seed, v * np.float32(0.10), w * np.float32(0.10), table)
    a = noise(q * along + bent, v * across + seed, w * across, table)
    b = noise(
        q * along * np.float32(1.8) + bent * np.float32(1.3) + np.float32(3.1),
        v * across * np.float32(1.5),
        w * across * np.float32(1.5) + seed,
        table,
    )
    c = noise(s * np.float32(0.04), v * np.float32(0.16) + seed, w * np.float32(0.16), table)
    ridge = np.float32(0.62) - math.sqrt(a * a * one + np.float32(0.018)) * np.float32(1.9)
    fine = np.float32(0.55) - math.sqrt(b * b * one + np.float32(0.02)) * np.float32(1.7)
    return ridge + np.float32(0.38) * fine + np.float32(0.45) * c


@njit(nogil=True, cache=True, fastmath=True)
def _section(v: Any, w: Any, b: Any, rv: Any, rw: Any, flat: Any, p: Any) -> Any:
    """Distance to an elliptic or boxy tube; b = how far beyond its ends."""
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    least = min(rv, rw)
    iv, iw = one / rv, one / rw
    if p[45] > zero:
        d = ((abs(v * iv) ** p[45] + abs(w * iw) ** p[45]) ** (one / p[45]) - one) * least
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
            if d > -half:
                e, f = max(d + half, zero), max(abs(b) + half, zero)
                d = math.sqrt(e * e + f * f) - half
            else:
                d = abs(b)
        return d
    ie = one / (least * np.float32(0.9))
    k0 = math.sqrt((v * iv) * (v * iv) + (w * iw) * (w * iw) + (b * ie) * (b * ie))
    k1 = math.sqrt(
        (v * iv * iv) * (v * iv * iv) + (w * iw * iw) * (w * iw * iw) + (b * ie * ie) * (b * ie * ie)
    ) + np.float32(1e-6)
    return k0 * (k0 - one) / k1 if k0 > np.float32(0.3) else -least * np.float32(0.7)


@njit(nogil=True, cache=True, fastmath=True)
def _limb(s: Any, v: Any, w: Any, p: Any, table: Any, with_folds: Any) -> Any:
    """(distance, t along the bone) of a tube."""
    zero, one, half, two = np.float32(0.0), np.float32(1.0), np.float32(0.5), np.float32(2.0)
    length = p[16]
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
    rv = c0 * p[17 + i0] + c1 * p[17 + i] + c2 * p[18 + i] + c3 * p[17 + i3]
    rw = c0 * p[23 + i0] + c1 * p[23 + i] + c2 * p[24 + i] + c3 * p[23 + i3]
    height = c0 * p[35 + i0] + c1 * p[35 + i] + c2 * p[36 + i] + c3 * p[35 + i3]
    straight = w
    w -= c0 * p[29 + i0] + c1 * p[29 + i] + c2 * p[30 + i] + c3 * p[29 + i3]
    b = s - t * length
    if abs(b) < np.float32(1e-4):
        b = zero
    sheet = p[56] > np.float32(1.5)
    if sheet:
        w += height * (
            math.sin(v * p[48] * np.float32(6.283) + p[44] + two * t)
            + half * math.sin(v * p[48] * np.float32(14.0) + np.float32(1.3) * p[44] - np.float32(3.0) * t)
            + np.float32(0.4) * noise(s * np.float32(0.03), v * np.float32(0.05), p[44], table)
        )
    if p[57] > zero:
        turn = math.atan2(v, w)
        m = one + p[57] * t * (
            math.sin(turn * p[58] + p[44])
            + half * math.sin(turn * math.floor(p[58] * half + one) + np.float32(2.1) * p[44])
            + np.float32(0.3) * math.sin(turn * (p[58] + np.float32(3.0)) + t * two)
        )
        rv *= m
        rw *= m
    flat = p[41] if b < zero else p[42]
    d = _section(v, w, b, rv, rw, flat, p)
    if b == zero and p[45] == zero:
        e = _FAR
        if p[42] > zero:
            e = length - s
        if p[41] > zero:
            e = min(e, s)
        d = max(d, -e)
    if sheet:
        d *= np.float32(0.55)
    elif with_folds and p[56] > zero and abs(d) < _FOLD_FAR:
        fade = min(max((_FOLD_FAR - abs(d)) / (_FOLD_FAR - _FOLD_NEAR), zero), one)
        fade *= math.exp(-b * b * np.float32(0.12)) * min(np.float32(1.8) * height, _DEEPEST)
        if fade > np.float32(0.004):
            d -= fade * folds(s, v, straight, p, table)
    if p[59] > zero:
        d = max(d, -(straight + p[60]))
    return d, t


@njit(nogil=True, cache=True, fastmath=True)
def row_distance(x: Any, y: Any, z: Any, p: Any, table: Any, with_folds: Any) -> Any:
    """(distance in cm, t along the bone) of one row."""
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    px, py, pz = x - p[4], y - p[5], z - p[6]
    s = px * p[7] + py * p[8] + pz * p[9]
    v = px * p[10] + py * p[11] + pz * p[12]
    w = px * p[13] + py * p[14] + pz * p[15]
    if p[0] == one:
        return _limb(s, v, w, p, table, with_folds)
    if p[0] == zero:
        t = min(max(s / p[16], zero), one)
        e = s - t * p[16]
        return math.sqrt(e * e + v * v + w * w) - (p[17] + (p[18] - p[17]) * t), t
    if p[0] == np.float32(2.0):
        a, b, c = abs(s) - p[17] + p[46], abs(v) - p[18] + p[46], abs(w) - p[19] + p[46]
        o0, o1, o2 = max(a, zero), max(b, zero), max(c, zero)
        return math.sqrt(o0 * o0 + o1 * o1 + o2 * o2) + min(max(a, max(b, c)), zero) - p[46], half
    q = math.sqrt(v * v + w * w) - p[17]
    return math.sqrt(q * q + s * s) - p[18], half


@njit(nogil=True, cache=True, fastmath=True)
def distance(x: Any, y: Any, z: Any, rows: Any, index: Any, count: Any, table: Any, with_folds: Any) -> Any:
    """(distance in cm to the body, the row nearest to the point in the nearest group).

    Args:
        x, y, z: the point.
        rows: (n, 64) sorted by group and chain.
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
        i = index[q] if q < count else 0
        next_group = rows[i, 1] if q < count else np.float32(-9.0)
        next_chain = rows[i, 2] if q < count else np.float32(-9.0)
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
        p = rows[i]
        sx, sy, sz = x - p[50], y - p[51], z - p[52]
        sphere = math.sqrt(sx * sx + sy * sy + sz * sz) - p[53]
        if p[61] > zero:
            if sphere < np.float32(1.5):
                cut = min(cut, row_distance(x, y, z, p, table, False)[0])
            continue
        # What lies behind its sphere by more than it could melt cannot be the nearest thing.
        if sphere - np.float32(0.5) * (p[3] + p[43]) - np.float32(1.0) > min(best, nearest) and sphere > p[3] + p[43]:
            continue
        d, t = row_distance(x, y, z, p, table, with_folds)
        if p[43] > zero:
            u = min(max((p[55] - t) / max(p[55], np.float32(1e-3)), zero), np.float32(1.0))
            joined = max(joined, np.float32(0.3) + p[43] * u * u * (np.float32(3.0) - np.float32(2.0) * u))
        if d < nearest:
            nearest, candidate = d, i
        if chained < np.float32(1e8):
            h = max(p[3] - abs(chained - d), zero) / max(p[3], np.float32(1e-6))
            chained = min(chained, d) - h * h * p[3] * quarter
        else:
            chained = d
    return best, owner
