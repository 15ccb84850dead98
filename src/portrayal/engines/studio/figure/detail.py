"""Kernels that paint what is smaller than the field: creases, hems, seams, knuckles, nails, laces, uneven skin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from portrayal.engines.studio.figure.field import noise
from portrayal.kernels import HELPER, KERNEL


@njit(**HELPER)
def _wave(x: Any) -> Any:
    """A fold per unit of x: round ridges, narrow valleys, about -0.6..1."""
    return np.float32(1.0) - np.float32(1.6) * abs(math.sin(np.float32(3.14159265) * x))


@njit(**HELPER)
def _bell(x: Any, width: Any) -> Any:
    q = x / width
    return math.exp(-q * q)


@njit(**KERNEL)
def detailed(
    row: Any, part: Any, rows: Any, lengths: Any, point: Any, own: Any, limb: Any, chest: Any, hips: Any, table: Any,
    seed: Any, tint: Any, relief: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Paint tint (h, w, 3), a factor of the albedo, and relief (h, w) in cm, by part.

    Long because each branch is a part of the body, and every branch shares the point's coordinates.
    """
    one, zero, half = np.float32(1.0), np.float32(0.0), np.float32(0.5)
    for i in range(first, last):
        for j in range(row.shape[1]):
            b = row[i, j]
            if b < 0:
                continue
            kind = part[i, j]
            x, y, z = point[i, j, 0], point[i, j, 1], point[i, j, 2]
            s, v, w = limb[i, j, 0], limb[i, j, 1], limb[i, j, 2]
            o0, o1, o2 = own[i, j, 0], own[i, j, 1], own[i, j, 2]
            length = rows[b, 16]
            red, green, blue, high = one, one, one, zero
            # Each call of `noise` is compiled anew, so all parts share three.
            broad = noise(x * np.float32(0.25), y * np.float32(0.25), z * np.float32(0.25) + seed, table)
            cloudy = noise(x * np.float32(0.9), y * np.float32(0.9), z * np.float32(0.9) + seed, table)
            fine = noise(x * np.float32(5.0), y * np.float32(5.0), z * np.float32(5.0), table)
            if kind <= 3:
                # Skin: blood shows through unevenly; pores.
                red += np.float32(0.030) * broad + np.float32(0.015) * cloudy + np.float32(0.020) * fine
                green += np.float32(0.045) * broad + np.float32(0.035) * cloudy + np.float32(0.022) * fine
                blue += np.float32(0.050) * broad + np.float32(0.045) * cloudy + np.float32(0.022) * fine
                high += np.float32(0.007) * fine + np.float32(0.03) * cloudy
                if kind >= 2:
                    # Knuckles are redder, and have creases.
                    joint = _bell(o0 - np.float32(0.05) * length, np.float32(0.55))
                    green *= one - np.float32(0.09) * joint
                    blue *= one - np.float32(0.10) * joint
                    high -= np.float32(0.05) * joint * abs(math.sin(o0 * np.float32(9.0)))
                    if kind == 3 and o2 < np.float32(-0.40) and o0 > length * np.float32(0.35):
                        red, green, blue = np.float32(1.10), np.float32(0.99), np.float32(0.97)
                if kind == 1:
                    tendon = math.sin(o1 * np.float32(3.3)) * _bell(o0 - np.float32(6.5), np.float32(3.0))
                    high += np.float32(0.10) * tendon * (one if o2 < zero else zero)
            elif kind <= 9 or kind == 21:
                # Cloth: soft waves everywhere, rings where it is pushed together, drags where it is pulled.
                high += np.float32(0.025) * cloudy
                shade = one + np.float32(0.03) * broad
                far = lengths[b] - s
                bent = noise(s * np.float32(0.16) + seed, v * np.float32(0.10), w * np.float32(0.10), table)
                amount = np.float32(0.4) + np.float32(0.9) * min(max(bent + np.float32(0.2), zero), one)
                if kind == 7:
                    high += (
                        np.float32(0.24)
                        * amount
                        * _bell(far, np.float32(8.0))
                        * _wave(s / np.float32(3.6) + np.float32(0.9) * bent + np.float32(0.10) * v)
                    )
                    high += (
                        np.float32(0.12)
                        * amount
                        * _bell(s, np.float32(6.5))
                        * _wave(s / np.float32(3.8) + np.float32(0.7) * bent - np.float32(0.09) * abs(v))
                    )
                elif kind == 6:
                    high += (
                        np.float32(0.12)
                        * amount
                        * _bell(far, np.float32(7.5))
                        * _wave(s / np.float32(3.8) + np.float32(0.8) * bent + np.float32(0.09) * abs(v))
                    )
                elif kind == 5:
                    inner = np.float32(0.45) + np.float32(0.55) * (one if w > zero else zero)
                    ends = _bell(far, np.float32(6.0)) + _bell(s, np.float32(6.0))
                    high += (
                        np.float32(0.14)
                        * amount
                        * inner
                        * ends
                        * _wave(s / np.float32(3.4) + np.float32(0.8) * bent + np.float32(0.10) * v)
                    )
                if kind == 6 or kind == 8:
                    # Whiskers from the crotch.
                    hx, hy = abs(hips[i, j, 0]), hips[i, j, 1] + np.float32(11.0)
                    if hips[i, j, 2] > zero:
                        r = math.sqrt(hx * hx + hy * hy)
                        turn = math.atan2(hy, hx + half)
                        grow = min(max((r - np.float32(5.0)) / np.float32(5.0), zero), one)
                        high += (
                            np.float32(0.07)
                            * amount
                            * grow
                            * _bell(r - np.float32(11.0), np.float32(5.0))
                            * _wave(turn * np.float32(3.1) + np.float32(1.1) * bent)
                        )
                        if kind == 8 and abs(hips[i, j, 0] - np.float32(0.5)) < np.float32(0.14):
                            high -= np.float32(0.15)
                if kind == 4:
                    # The pull between shoulder and waist.
                    cx, cy = chest[i, j, 0], chest[i, j, 1]
                    low = min(max((-cy - np.float32(14.0)) / np.float32(20.0), zero), one)
                    a = noise(
                        (abs(cx) * half + cy * np.float32(0.85)) * np.float32(0.22),
                        (cy * half - abs(cx) * np.float32(0.85)) * np.float32(0.045), seed, table,
                    )  # fmt: skip
                    c = noise(
                        (cx + half * cy) * np.float32(0.07), (cy - np.float32(0.4) * cx) * np.float32(0.24), seed, table
                    )
                    high += (
                        np.float32(0.12) * (half - math.sqrt(a * a + np.float32(0.02)) * np.float32(1.6)) * (one - low)
                    )
                    high += np.float32(0.14) * (half - math.sqrt(c * c + np.float32(0.03)) * np.float32(1.6)) * low
                if (kind == 5 or kind == 7) and rows[b, 42] > zero:
                    # A hem: its stitching lies in a small groove.
                    edge = length - o0
                    if np.float32(2.0) < edge < np.float32(2.3):
                        high -= np.float32(0.06)
                        shade *= np.float32(0.90)
                if (kind == 7 or kind == 6) and abs(w + half) < np.float32(0.16) and abs(v) > np.float32(3.0):
                    high -= np.float32(0.10)
                    shade *= np.float32(0.88)
                red, green, blue = shade, shade, shade
            elif kind == 10:
                if rows[b, 59] > zero:
                    inside = abs(o1) < np.float32(1.7) and np.float32(7.0) < o0 < np.float32(14.0) and o2 > zero
                    if inside and (o0 / np.float32(1.35)) % one < np.float32(0.42):
                        high += np.float32(0.2)
                        red, green, blue = np.float32(1.25), np.float32(1.25), np.float32(1.25)
                    if abs(o0 - np.float32(15.6) - np.float32(0.05) * o1 * o1) < np.float32(0.14):
                        high -= np.float32(0.12)
                high += np.float32(0.02) * cloudy
            elif kind == 16:
                grain = noise(x * np.float32(0.06), y * np.float32(0.9), z * np.float32(0.9), table)
                grain += np.float32(0.3) * fine
                red, green, blue = (
                    one + np.float32(0.2) * grain,
                    one + np.float32(0.2) * grain,
                    one + np.float32(0.2) * grain,
                )
            tint[i, j, 0], tint[i, j, 1], tint[i, j, 2] = red, green, blue
            relief[i, j] = high


@njit(**KERNEL)
def bent(group: Any, height: Any, scale: Any, normals: Any, first: int, last: int) -> None:
    """Bend normals (h, w, 3), in place, by the slope of a height (h, w) in cm; never over the border of two groups."""
    rows, columns = group.shape
    most, one = np.float32(1.4), np.float32(1.0)
    for i in range(first, last):
        for j in range(columns):
            g = group[i, j]
            if g < 0:
                continue
            left, right = j, j
            if j > 0 and group[i, j - 1] == g:
                left = j - 1
            if j < columns - 1 and group[i, j + 1] == g:
                right = j + 1
            above, below = i, i
            if i > 0 and group[i - 1, j] == g:
                above = i - 1
            if i < rows - 1 and group[i + 1, j] == g:
                below = i + 1
            gx = (height[i, right] - height[i, left]) * scale / np.float32(max(right - left, 1))
            gy = (height[below, j] - height[above, j]) * scale / np.float32(max(below - above, 1))
            nz = normals[i, j, 2]
            k = min(max(nz, np.float32(0.25)), one)
            nx = normals[i, j, 0] - min(max(gx, -most), most) * k
            ny = normals[i, j, 1] + min(max(gy, -most), most) * k
            q = one / (math.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-6))
            normals[i, j, 0], normals[i, j, 1], normals[i, j, 2] = nx * q, ny * q, nz * q
