"""The loops of the drawn looks: colour, the Kuwahara filter, smoothing along a flow, brush strokes.

All pictures are (h, w) or (h, w, 3) float32, C-contiguous; kernels write the rows first..last of `out` only.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.imaging import F32, U8, Array
from portrayal.kernels import KERNEL
from portrayal.parallel import bands

_ORIENTATIONS: Final = 24
_SHAPES: Final = 4
_SECTORS: Final = 8
_CODES: Final = 4096
_LEAST_WEIGHT: Final = 1e-4
# Share of a pixel that is not worth another stroke.
_HIDDEN: Final = np.float32(0.01)


@lru_cache(1)
def _linear_table() -> F32:
    c = np.arange(256, dtype=np.float64) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


@lru_cache(1)
def _code_table() -> F32:
    # Indexed by the square root of the light: dark codes need the finer steps.
    light = np.linspace(0, 1, _CODES + 2) ** 2
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


@lru_cache(1)
def _root_table() -> F32:
    # Cube roots, indexed by the square root: no code but 0 lies in its steep beginning.
    return (np.linspace(0, 1, _CODES + 2) ** (2 / 3)).astype(np.float32)


def to_lab(image: U8) -> F32:
    """sRGB codes (h, w, 3) uint8 to Oklab (Ottosson 2020): lightness 0..1 and two colour axes."""
    source, out = np.ascontiguousarray(image), np.empty(image.shape, np.float32)
    table, roots = _linear_table(), _root_table()
    bands(lambda a, b: _to_lab(source, table, roots, out, a, b), len(out))
    return out


def to_rgb(lab: F32) -> F32:
    """Oklab (h, w, 3) to sRGB codes 0..1; what a screen cannot show is clipped."""
    source = np.ascontiguousarray(lab, np.float32)
    out, table = np.empty_like(source), _code_table()
    bands(lambda a, b: _to_rgb(source, table, out, a, b), len(out))
    return out


@njit(**KERNEL)
def _to_lab(image: Any, table: Any, roots: Any, out: Any, first: int, last: int) -> None:
    c = np.zeros(3, np.float32)
    for y in range(first, last):
        for x in range(image.shape[1]):
            r, g, b = table[image[y, x, 0]], table[image[y, x, 1]], table[image[y, x, 2]]
            c[0] = np.float32(0.41222147) * r + np.float32(0.53633254) * g + np.float32(0.05144599) * b
            c[1] = np.float32(0.21190350) * r + np.float32(0.68069955) * g + np.float32(0.10739696) * b
            c[2] = np.float32(0.08830246) * r + np.float32(0.28171884) * g + np.float32(0.62997870) * b
            for k in range(3):
                v = math.sqrt(min(max(c[k], np.float32(0.0)), np.float32(1.0))) * np.float32(4097.0)
                i = min(int(v), 4096)
                c[k] = roots[i] + (np.float32(v) - np.float32(i)) * (roots[i + 1] - roots[i])
            p, q, s = c[0], c[1], c[2]
            out[y, x, 0] = np.float32(0.21045426) * p + np.float32(0.79361779) * q - np.float32(0.00407205) * s
            out[y, x, 1] = np.float32(1.97799850) * p - np.float32(2.42859221) * q + np.float32(0.45059371) * s
            out[y, x, 2] = np.float32(0.02590404) * p + np.float32(0.78277177) * q - np.float32(0.80867577) * s


@njit(**KERNEL)
def _to_rgb(lab: Any, table: Any, out: Any, first: int, last: int) -> None:
    c = np.zeros(3, np.float32)
    for y in range(first, last):
        for x in range(lab.shape[1]):
            light, a, b = lab[y, x, 0], lab[y, x, 1], lab[y, x, 2]
            p = light + np.float32(0.39633778) * a + np.float32(0.21580376) * b
            q = light - np.float32(0.10556135) * a - np.float32(0.06385417) * b
            s = light - np.float32(0.08948418) * a - np.float32(1.29148555) * b
            p, q, s = p * p * p, q * q * q, s * s * s
            c[0] = np.float32(4.07674166) * p - np.float32(3.30771159) * q + np.float32(0.23096993) * s
            c[1] = np.float32(-1.26843800) * p + np.float32(2.60975740) * q - np.float32(0.34131940) * s
            c[2] = np.float32(-0.00419609) * p - np.float32(0.70341861) * q + np.float32(1.70761470) * s
            for k in range(3):
                v = math.sqrt(min(max(c[k], np.float32(0.0)), np.float32(1.0))) * np.float32(4097.0)
                i = min(int(v), 4096)
                f = np.float32(v) - np.float32(i)
                out[y, x, k] = table[i] + f * (table[i + 1] - table[i])


@lru_cache(12)
def _taps(radius: int) -> tuple[Array, F32, Array, F32]:
    """The weights of `kuwahara` per orientation and shape, sector after sector: offsets (t, 2) down and to the right,
    weights (t,), where each of 8 sectors begins (n * 8 + 1,), and the sum of its weights (n * 8,)."""
    zeta = 2.0 / max(radius, 2)
    eta = (zeta + math.cos(0.58)) / math.sin(0.58) ** 2
    offsets, weight, first = [], [], [0]
    for o in range(_ORIENTATIONS):
        angle = math.pi * (o + 0.5) / _ORIENTATIONS
        for e in range(_SHAPES):
            stretch = 1 + (e + 0.5) / _SHAPES
            long, short = radius * stretch, radius / stretch
            m = math.ceil(long)
            dy, dx = (v.ravel() for v in np.mgrid[-m : m + 1, -m : m + 1])
            u = (math.cos(angle) * dx + math.sin(angle) * dy) / long / 2
            v = (-math.sin(angle) * dx + math.cos(angle) * dy) / short / 2
            inside = u * u + v * v <= 0.25
            dy, dx, u, v = dy[inside], dx[inside], u[inside], v[inside]
            weights = np.zeros((len(u), _SECTORS))
            half = math.sqrt(0.5)
            for at, (s, t) in enumerate(((u, v), (half * (u - v), half * (u + v)))):
                a, b = zeta - eta * s * s, zeta - eta * t * t
                for k, z in ((0, t + a), (2, -s + b), (4, -t + a), (6, s + b)):
                    weights[:, k + at] = np.maximum(z, 0) ** 2
            weights *= (np.exp(-3.125 * (u * u + v * v)) / np.maximum(weights.sum(1), 1e-9))[:, None]
            # At most four sectors of a tap count, and nothing that nobody would notice.
            kept = np.zeros(weights.shape, np.bool_)
            np.put_along_axis(kept, np.argsort(-weights, 1, kind="stable")[:, :4], True, 1)
            kept &= weights > _LEAST_WEIGHT
            for sector in range(_SECTORS):
                mine = kept[:, sector]
                offsets.append(np.stack([dy[mine], dx[mine]], 1))
                weight.append(weights[mine, sector])
                first.append(first[-1] + int(mine.sum()))
    sums = np.array([w.sum() for w in weight], np.float32)
    return np.concatenate(offsets), np.concatenate(weight).astype(np.float32), np.array(first, np.int32), sums


def kuwahara(picture: F32, angle: F32, anisotropy: F32, radius: int) -> F32:
    """Anisotropic Kuwahara filter (Kyprianidis, Kang & Doellner 2009, polynomial weights 2010): flat patches that
    follow the drawing, edges kept.

    Args:
        picture: (h, w, 3).
        angle: (h, w) of the edges, 0..pi.
        anisotropy: (h, w), 0 = no direction, 1 = a straight edge.
        radius: of a patch, pixels.
    """
    turned = np.minimum((angle * np.float32(_ORIENTATIONS / math.pi)).astype(np.int32), _ORIENTATIONS - 1)
    kind = turned * _SHAPES + np.minimum((anisotropy * np.float32(_SHAPES)).astype(np.int32), _SHAPES - 1)
    kind = np.ascontiguousarray(kind, np.int32)
    offsets, weights, first, sums = _taps(radius)
    # A rim and a flat array: the loop needs no borders and one number for each tap.
    rim = int(np.abs(offsets).max())
    padded = cv2.copyMakeBorder(np.ascontiguousarray(picture, np.float32), rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    squared = cv2.transform(padded * padded, np.ones((1, 3), np.float32))
    source = cv2.merge((*cv2.split(padded), squared)).reshape(-1)
    width = padded.shape[1]
    away = np.ascontiguousarray((offsets[:, 0] * width + offsets[:, 1]) * 4, np.int32)
    out = np.empty(picture.shape, np.float32)
    bands(lambda a, b: _kuwahara(source, width, rim, kind, away, weights, first, sums, out, a, b), len(out))
    return out


# Sums keep their order: LLVM would gather scattered numbers into vectors, which takes longer than adding them up.
@njit(**{**KERNEL, "fastmath": {"nnan", "ninf", "nsz", "arcp", "contract"}})
def _kuwahara(
    source: Any,
    stride: int,
    rim: int,
    kind: Any,
    away: Any,
    weights: Any,
    starts: Any,
    sums: Any,
    out: Any,
    first: int,
    last: int,
) -> None:
    zero, one = np.float32(0.0), np.float32(1.0)
    for y in range(first, last):
        for x in range(kind.shape[1]):
            here = ((y + rim) * stride + x + rim) * 4
            n = kind[y, x] * 8
            a0, a1, a2, total = zero, zero, zero, np.float32(1e-20)
            for s in range(n, n + 8):
                if sums[s] < np.float32(1e-6):
                    continue
                c0, c1, c2, power = zero, zero, zero, zero
                for t in range(starts[s], starts[s + 1]):
                    # Unsigned: a number that may be negative would be looked at before each of the four.
                    at, w = np.uint64(here + away[t]), weights[t]
                    c0 += w * source[at]
                    c1 += w * source[at + np.uint64(1)]
                    c2 += w * source[at + np.uint64(2)]
                    power += w * source[at + np.uint64(3)]
                scale = one / sums[s]
                c0, c1, c2 = c0 * scale, c1 * scale, c2 * scale
                spread = abs(power * scale - c0 * c0 - c1 * c1 - c2 * c2) * np.float32(1000.0)
                spread = spread * spread
                w = one / (one + spread * spread)
                a0 += w * c0
                a1 += w * c1
                a2 += w * c2
                total += w
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = a0 / total, a1 / total, a2 / total


def along(picture: F32, tangent_x: F32, tangent_y: F32, sigma: float, least: float | None = None) -> F32:
    """A picture (h, w) smoothed along a flow (line integral convolution, Cabral & Leedom 1993), `sigma` pixels.

    Args:
        picture: (h, w).
        tangent_x, tangent_y: (h, w) unit vectors along the flow.
        sigma: of the Gaussian, pixels.
        least: positive; what cannot get so large because nothing near it is, is 0, which saves most of the time where
            lines are sought. None = everything counts.
    """
    source, out = np.ascontiguousarray(picture, np.float32), np.empty(picture.shape, np.float32)
    pace = 1.5 if sigma >= 3 else 1.0  # the picture is smooth: not every pixel has something new to say
    n = max(1, math.ceil(2 * sigma / pace))
    weights = np.exp(-((pace * np.arange(n + 1)) ** 2) / (2 * sigma * sigma)).astype(np.float32)
    if least is None:
        wanted = np.ones(source.shape, np.uint8)
    else:
        dark = (source > np.float32(least)).astype(np.uint8)
        reach = 2 * math.ceil(n * pace) + 3
        wanted = np.asarray(cv2.dilate(dark, np.ones((reach, reach), np.uint8)), np.uint8)
    bands(lambda a, b: _along(source, tangent_x, tangent_y, wanted, weights, pace, out, a, b), len(out))
    return out


@njit(**KERNEL)
def _along(
    image: Any, tx: Any, ty: Any, wanted: Any, weights: Any, pace: float, out: Any, first: int, last: int
) -> None:
    height, width = image.shape
    half, far = np.float32(0.5), np.float32(pace)
    for y in range(first, last):
        for x in range(width):
            if wanted[y, x] == 0:
                out[y, x] = np.float32(0.0)
                continue
            value, total = image[y, x] * weights[0], weights[0]
            for side in range(2):
                sign = np.float32(1.0) if side else np.float32(-1.0)
                px, py = np.float32(x), np.float32(y)
                vx, vy = tx[y, x] * sign, ty[y, x] * sign
                for i in range(1, weights.shape[0]):
                    px += vx * far
                    py += vy * far
                    u, v = int(px + half), int(py + half)
                    if px < 0 or py < 0 or u >= width or v >= height:
                        break
                    column, row = np.uint64(u), np.uint64(v)  # unsigned, as in `_kuwahara`
                    value += weights[i] * image[row, column]
                    total += weights[i]
                    wx, wy = tx[row, column], ty[row, column]
                    if wx * vx + wy * vy < 0:
                        wx, wy = -wx, -wy
                    vx, vy = wx, wy
            out[y, x] = value / total


@njit(**KERNEL)
def trace(
    xs: Any, ys: Any, image: Any, tx: Any, ty: Any, canvas: Any, radius: float, paths: Any, counts: Any, colours: Any
) -> None:
    """Curved strokes (Hertzmann 1998): from each start along the flow, until the canvas fits better than the paint.

    Args:
        xs, ys: (n,) starts; image: what shall be painted; tx, ty: the flow; canvas: what is painted already.
        radius: of the brush; paths: (n, m, 2) and counts: (n,), filled; colours: (n, 3), filled.
    """
    height, width = image.shape[0], image.shape[1]
    for s in range(xs.shape[0]):
        x, y = xs[s], ys[s]
        u, v = int(x), int(y)
        for c in range(3):
            colours[s, c] = image[v, u, c]
        paths[s, 0, 0], paths[s, 0, 1] = x, y
        n = 1
        lx, ly = np.float32(0.0), np.float32(0.0)
        for i in range(1, paths.shape[1]):
            u, v = int(x), int(y)
            there, mine = np.float32(0.0), np.float32(0.0)
            for c in range(3):
                there += abs(image[v, u, c] - canvas[v, u, c])
                mine += abs(image[v, u, c] - colours[s, c])
            if i > 2 and there < mine:
                break
            vx, vy = tx[v, u], ty[v, u]
            if lx == 0 and ly == 0:
                if s % 2 == 0:
                    vx, vy = -vx, -vy
            elif vx * lx + vy * ly < 0:
                vx, vy = -vx, -vy
            vx, vy = np.float32(0.75) * vx + np.float32(0.25) * lx, np.float32(0.75) * vy + np.float32(0.25) * ly
            length = np.float32(math.sqrt(vx * vx + vy * vy)) + np.float32(1e-6)
            vx, vy = vx / length, vy / length
            x += vx * np.float32(radius) * np.float32(1.2)
            y += vy * np.float32(radius) * np.float32(1.2)
            lx, ly = vx, vy
            if x < 0 or y < 0 or x >= width - 1 or y >= height - 1:
                break
            paths[s, n, 0], paths[s, n, 1] = x, y
            n += 1
        counts[s] = n


def stroke(
    canvas: F32, height: F32, paint: F32, paths: F32, counts: Array, colours: F32, bristles: F32, radius: float
) -> None:
    """Paint strokes, in their order, into `canvas` (h, w, 3) and the thickness of the paint `height` (h, w).

    Args:
        paint: (h, w, 5) zeros, and zeros again afterwards: room for what is seen of the strokes.
        paths: (n, m, 2); counts: (n,) points of each; colours: (n, 3); bristles: (rows, columns) 0..1 across and
            along the brush; radius: of the brush.
    """
    bands(lambda a, b: _stroke(canvas, height, paint, paths, counts, colours, bristles, radius, a, b), len(canvas))


@njit(**KERNEL)
def _stroke(
    canvas: Any, height: Any, paint: Any, paths: Any, counts: Any, colours: Any, bristles: Any, radius: float,
    first: int, last: int,
) -> None:  # fmt: skip
    """The last stroke first, for most of the paint is painted over: `paint` gathers what is seen of the colours and of
    the thickness, and how much of the canvas is covered."""
    width = canvas.shape[1]
    rows, columns = bristles.shape
    r = np.float32(radius)
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    soft, thin = one / max(one, r * np.float32(0.25)), one / r
    for s in range(paths.shape[0] - 1, -1, -1):
        n = counts[s]
        u0, v0 = (s * 37) % columns, (s * 91) % rows
        whole, gone = np.float32(1e-3), zero
        for i in range(n - 1):
            dx, dy = paths[s, i + 1, 0] - paths[s, i, 0], paths[s, i + 1, 1] - paths[s, i, 1]
            whole += np.float32(math.sqrt(dx * dx + dy * dy))
        gone = whole - np.float32(1e-3)
        whole = one / whole
        for i in range(n - 2, -1, -1):
            ax, ay, bx, by = paths[s, i, 0], paths[s, i, 1], paths[s, i + 1, 0], paths[s, i + 1, 1]
            dx, dy = bx - ax, by - ay
            length = np.float32(math.sqrt(dx * dx + dy * dy))
            gone -= length
            if length < np.float32(1e-3):
                continue
            dx, dy = dx / length, dy / length
            y0, y1 = max(first, int(min(ay, by) - r - one)), min(last - 1, int(max(ay, by) + r + one))
            left, right = min(ax, bx) - r, max(ax, bx) + r
            # The bounds of u and v below, from which each row gets the columns that the brush may touch.
            behind, ahead = (-r if i == 0 else -r * np.float32(0.6)), (length + r if i == n - 2 else length)
            along_x = one / dx if abs(dx) > np.float32(1e-3) else zero
            along_y = one / dy if abs(dy) > np.float32(1e-3) else zero
            for y in range(y0, y1 + 1):
                py = np.float32(y) - ay
                near, far = left - ax, right - ax
                if along_x != zero:
                    p, q = (behind - py * dy) * along_x, (ahead - py * dy) * along_x
                    near, far = max(near, min(p, q)), min(far, max(p, q))
                if along_y != zero:
                    p, q = (py * dx - r) * along_y, (py * dx + r) * along_y
                    near, far = max(near, min(p, q)), min(far, max(p, q))
                x0, x1 = max(0, int(ax + near - one)), min(width - 1, int(ax + far + one))
                for x in range(x0, x1 + 1):
                    left_over = one - paint[y, x, 4]
                    if left_over < _HIDDEN:
                        continue
                    px = np.float32(x) - ax
                    u, v = px * dx + py * dy, py * dx - px * dy
                    if u < zero:
                        far = np.float32(math.sqrt(u * u + v * v))
                    elif u >= length:
                        if i < n - 2:
                            continue
                        far = np.float32(math.sqrt((u - length) * (u - length) + v * v))
                    else:
                        far = abs(v)
                    if far > r or (u < -r * np.float32(0.6) and i > 0):
                        continue
                    # Both are positive and hardly ever beyond twice the brush: a remainder would cost more.
                    row = np.int32(np.float32(v0) + (v * thin + one) * np.float32(14.0))
                    while row >= rows:
                        row -= np.int32(rows)
                    column = np.int32(np.float32(u0) + (gone + u + r) * half)
                    while column >= columns:
                        column -= np.int32(columns)
                    t = bristles[row, column]
                    edge = min(one, (r - far) * soft)
                    dry = max(zero, (gone + u) * whole - np.float32(0.55)) * np.float32(1.6)
                    a = edge * np.float32(1.4) - np.float32(0.15) + np.float32(0.55) * (t - half) - dry * (one - t)
                    a = np.float32(0.95) * min(one, max(zero, a))
                    if a <= zero:
                        continue
                    k = one + np.float32(0.10) * (t - half)
                    a *= left_over
                    for c in range(3):
                        paint[y, x, c] += colours[s, c] * k * a
                    paint[y, x, 3] += (t * np.float32(0.8) + np.float32(0.2) * edge + np.float32(0.25)) * a
                    paint[y, x, 4] += a
    for y in range(first, last):
        for x in range(width):
            left_over = one - paint[y, x, 4]
            if left_over == one:
                continue
            for c in range(3):
                canvas[y, x, c] = paint[y, x, c] + left_over * canvas[y, x, c]
            height[y, x] = paint[y, x, 3] + left_over * height[y, x]
            for c in range(5):
                paint[y, x, c] = zero


def dab(canvas: F32, height: F32, places: Array, colours: F32, textures: F32) -> None:
    """Lay strokes, in their order, on `canvas` (h, w, 3) and the thickness of its paint `height` (h, w).

    Args:
        places: (n, 5) x and y of the middle, angle, half the brush's width, length over width; in pixels.
        colours: (n, 3).
        textures: (kinds, rows, columns, 2) cover and thickness of the paint; strokes take them in turn. Their rows span
            three halves of the brush's width.
    """
    at, paints = np.ascontiguousarray(places, np.float32), np.ascontiguousarray(colours, np.float32)
    bands(lambda a, b: _dab(canvas, height, at, paints, textures, a, b), len(canvas))


@njit(**KERNEL)
def _dab(canvas: Any, height: Any, places: Any, colours: Any, textures: Any, first: int, last: int) -> None:
    kinds, rows, columns = textures.shape[0], textures.shape[1], textures.shape[2]
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    for i in range(places.shape[0]):
        radius, kind = places[i, 3], i % kinds
        long, wide = places[i, 4] * radius, np.float32(1.5) * radius
        c, s = np.float32(math.cos(places[i, 2])), np.float32(math.sin(places[i, 2]))
        reach = abs(s) * long + abs(c) * wide + one
        y0, y1 = max(first, int(places[i, 1] - reach)), min(last - 1, int(places[i, 1] + reach))
        # Texels per pixel along and across.
        a, b = np.float32(columns) * half / long, np.float32(rows) * half / wide
        for y in range(y0, y1 + 1):
            dy = np.float32(y) - places[i, 1]
            left, right = -abs(c) * long - abs(s) * wide, abs(c) * long + abs(s) * wide
            if abs(c) > np.float32(1e-3):
                middle, away = -dy * s / c, long / abs(c)
                left, right = max(left, middle - away), min(right, middle + away)
            if abs(s) > np.float32(1e-3):
                middle, away = dy * c / s, wide / abs(s)
                left, right = max(left, middle - away), min(right, middle + away)
            x0, x1 = int(max(places[i, 0] + left, zero)), min(canvas.shape[1] - 1, int(places[i, 0] + right + one))
            for x in range(x0, x1 + 1):
                dx = np.float32(x) - places[i, 0]
                u = (dx * c + dy * s + long) * a
                v = (dy * c - dx * s + wide) * b
                if u < zero or v < zero or u >= np.float32(columns - 1) or v >= np.float32(rows - 1):
                    continue
                p, q = int(u), int(v)
                u, v = u - np.float32(p), v - np.float32(q)
                w11 = u * v
                w00, w01, w10 = one - u - v + w11, u - w11, v - w11
                cover = w00 * textures[kind, q, p, 0] + w01 * textures[kind, q, p + 1, 0]
                cover += w10 * textures[kind, q + 1, p, 0] + w11 * textures[kind, q + 1, p + 1, 0]
                if cover <= zero:
                    continue
                thick = w00 * textures[kind, q, p, 1] + w01 * textures[kind, q, p + 1, 1]
                thick += w10 * textures[kind, q + 1, p, 1] + w11 * textures[kind, q + 1, p + 1, 1]
                shade = np.float32(0.93) + np.float32(0.12) * thick
                for k in range(3):
                    canvas[y, x, k] += (colours[i, k] * shade - canvas[y, x, k]) * cover
                height[y, x] += (thick - height[y, x]) * cover
