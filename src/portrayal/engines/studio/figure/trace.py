"""The body as the camera sees it: a sphere trace of the field into buffers of depth, normal, coverage and row.

The picture is cut into tiles with a list of the rows that may be seen in each. In every block of 4 x 4 pixels a cone is
marched first: where it passes by, no pixel is looked at; where it comes near, its pixels start from there. A block
whose corners lie on one even piece of surface is looked at once a pixel, where that piece leads one to expect it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit

from portrayal.engines.studio.figure import rows as columns
from portrayal.engines.studio.figure.camera import View
from portrayal.engines.studio.figure.field import distance, noise_table
from portrayal.engines.studio.figure.types import I32
from portrayal.imaging import F32, Array, Bool
from portrayal.kernels import HELPER, KERNEL
from portrayal.parallel import bands, cores

_TILE: Final = 16
_BLOCK: Final = 4
_FAR: Final = np.float32(1e9)
# The pixels of a block: its corners first.
_ORDER: Final = np.array([0, 3, 12, 15, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14], np.int64)
# Cosine of the angle by which the normals of its corners may differ so that a block is even, and by speed "quality".
_EVEN: Final = 0.97
_NEVER: Final = 2.0
_THIRD: Final = np.float32(1 / (_BLOCK - 1))
# Nothing on a body is thinner, cm: it cannot hide in a gap of that size between two looks at the field.
_THINNEST: Final = np.float32(0.4)


@dataclass(frozen=True)
class Traced:
    """What is seen over the box rows y0.., columns x0.. of the canvas.

    Attributes:
        x0, y0: of the box on the canvas.
        point: (h, w, 3) cm, where the ray meets the body.
        normal: (h, w, 3) unit vectors.
        cover: (h, w) 0..1 at the silhouette.
        row: (h, w) int32 index of the row, -1 = nothing.
        own: (h, w, 3) the point in the row's axes from its origin: along, v, w.
    """

    x0: int
    y0: int
    point: F32
    normal: F32
    cover: F32
    row: I32
    own: F32


def trace(rows: F32, view: View, quality: bool = False) -> Traced:
    """Trace the rows; those of the group HEAD are left out."""
    seen = np.ascontiguousarray(rows[rows[:, columns.GROUP] < columns.HEAD], np.float32)
    lists, counts = _tiles(seen, view)
    ys, xs = np.nonzero(counts)
    if not len(ys):
        lists, counts, ys, xs = lists[:1, :1], counts[:1, :1], np.zeros(1, int), np.zeros(1, int)
    t0, t1, u0, u1 = int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1
    y0, x0 = t0 * _TILE, u0 * _TILE
    h, w = min(view.height, t1 * _TILE) - y0, min(view.width, u1 * _TILE) - x0
    lists, counts = np.ascontiguousarray(lists[t0:t1, u0:u1]), np.ascontiguousarray(counts[t0:t1, u0:u1])
    point, normal, own = (np.zeros((h, w, 3), np.float32) for _ in range(3))
    cover, row = np.zeros((h, w), np.float32), np.full((h, w), -1, np.int32)
    camera = np.array([view.focal, view.x - x0, view.horizon - y0, view.eye, view.distance], np.float32)
    table = noise_table()
    # Every core gets every so-manieth row of tiles: the figure is dense above and thin below.
    order = np.concatenate([np.arange(k, len(counts), cores()) for k in range(cores())]).astype(np.int32)
    steps = np.float32(0.86 if not quality else 0.74)
    agree = np.float32(_NEVER if quality else _EVEN)
    bands(
        lambda a, b: _trace(
            seen, seen.reshape(-1), lists, counts, order, camera, table, steps, agree, point, normal, own, cover, row,
            a, b,
        ),
        len(counts),
        least=1,
    )  # fmt: skip
    return Traced(x0, y0, point, normal, cover, row, own)


def _tiles(rows: F32, view: View) -> tuple[I32, I32]:
    """Rows (ty, tx, most) that each tile may show, ascending, and their number (ty, tx)."""
    down, across = -(-view.height // _TILE), -(-view.width // _TILE)
    centre, radius = rows[:, columns.CENTRE : columns.CENTRE + 3], rows[:, columns.RADIUS]
    z = np.maximum(view.distance - centre[:, 2], 20)
    near = np.maximum(z - radius * 0.3, 20)
    # A row melts into others as far as this: were it left out there, tiles would show as steps.
    grown = radius + np.maximum(rows[:, columns.JOIN], rows[:, columns.BLEND]) + 0.6
    reach = grown / near * view.focal * 1.06 + 2
    u = view.x + view.focal * centre[:, 0] / z
    v = view.horizon - view.focal * (centre[:, 1] - view.eye) / z
    ty, tx = np.mgrid[:down, :across]
    dx = np.maximum(np.abs((tx[..., None] + 0.5) * _TILE - u) - _TILE / 2, 0)
    dy = np.maximum(np.abs((ty[..., None] + 0.5) * _TILE - v) - _TILE / 2, 0)
    may = np.hypot(dx, dy) < reach
    may &= np.logical_not(_past_segment(rows, view, tx, ty))
    counts = may.sum(-1).astype(np.int32)
    lists = np.zeros((down, across, max(int(counts.max()), 1)), np.int32)
    a, b, c = np.nonzero(may)
    before = np.concatenate([[0], np.cumsum(counts.ravel())])[a * across + b]
    lists[a, b, np.arange(len(a)) - before] = c
    return lists, counts


def _past_segment(rows: F32, view: View, tx: Array, ty: Array) -> Bool:
    """Tiles (ty, tx, n) that lie farther from a row's bone on the picture than it is thick."""
    kind = rows[:, columns.KIND]
    start = rows[:, columns.ORIGIN : columns.ORIGIN + 3]
    end = start + rows[:, columns.U : columns.U + 3] * rows[:, columns.LENGTH, None]
    thick = rows[:, columns.THICK].copy()
    thick += np.maximum(rows[:, columns.JOIN], rows[:, columns.BLEND]) + 0.6
    za, zb = (np.maximum(view.distance - p[:, 2], 20) for p in (start, end))
    ax, ay = view.x + view.focal * start[:, 0] / za, view.horizon - view.focal * (start[:, 1] - view.eye) / za
    bx, by = view.x + view.focal * end[:, 0] / zb, view.horizon - view.focal * (end[:, 1] - view.eye) / zb
    ex, ey = bx - ax, by - ay
    px, py = (tx[..., None] + 0.5) * _TILE - ax, (ty[..., None] + 0.5) * _TILE - ay
    t = np.clip((px * ex + py * ey) / (ex * ex + ey * ey + 1e-6), 0, 1)
    away = np.hypot(px - t * ex, py - t * ey) - _TILE * 0.71
    reach = thick / np.maximum(np.minimum(za, zb) - thick, 20) * view.focal * 1.08 + 2
    straight = (kind == columns.CONE) | (kind == columns.LIMB)
    return np.asarray((away > reach) & straight)


@njit(**HELPER)
def _passes(rows: Any, i: Any, dx: Any, dy: Any, stretch: Any, spread: Any, eye: Any, away: Any) -> Any:
    """Whether a cone (t * dx, eye + t * dy, away - t), `spread` wide per t, may meet a row."""
    zero, one = np.float32(0.0), np.float32(1.0)
    # Unit direction of the ray, bone, and from the camera to the bone's start.
    rx, ry, rz = dx * stretch, dy * stretch, -stretch
    ux, uy, uz, length = rows[i, 7], rows[i, 8], rows[i, 9], rows[i, 16]
    if rows[i, 0] > np.float32(1.5):
        length = zero
    ox, oy, oz = rows[i, 4], rows[i, 5] - eye, rows[i, 6] - away
    b = rx * ux + ry * uy + rz * uz
    ro, uo = rx * ox + ry * oy + rz * oz, ux * ox + uy * oy + uz * oz
    free = max(one - b * b, np.float32(1e-4))
    s = min(max((b * ro - uo) / free, zero), length)
    px, py, pz = ox + ux * s, oy + uy * s, oz + uz * s
    along = px * rx + py * ry + pz * rz
    qx, qy, qz = px - rx * along, py - ry * along, pz - rz * along
    reach = rows[i, 54] + max(rows[i, 3], rows[i, 43]) + np.float32(0.4) + spread * along / stretch
    return qx * qx + qy * qy + qz * qz < reach * reach


@njit(**HELPER)
def _is_even(row: Any, cover: Any, normal: Any, point: Any, y0: Any, x0: Any, agree: Any, level: Any) -> Any:
    """Whether the corners of the block at (y0, x0) lie on one row that is bent little, without a step in depth: their
    normals agree across, and both diagonals have their middle at one depth but for `level` cm."""
    y1, x1 = y0 + (_BLOCK - 1), x0 + (_BLOCK - 1)
    if y1 >= row.shape[0] or x1 >= row.shape[1]:
        return False
    b = row[y0, x0]
    if b < 0 or row[y0, x1] != b or row[y1, x0] != b or row[y1, x1] != b:
        return False
    if min(min(cover[y0, x0], cover[y0, x1]), min(cover[y1, x0], cover[y1, x1])) < np.float32(1.0):
        return False
    fall, rise = np.float32(0.0), np.float32(0.0)
    for k in range(3):
        fall += normal[y0, x0, k] * normal[y1, x1, k]
        rise += normal[y0, x1, k] * normal[y1, x0, k]
    warp = point[y0, x0, 2] + point[y1, x1, 2] - point[y0, x1, 2] - point[y1, x0, 2]
    return min(fall, rise) > agree and abs(warp) < level


@njit(**HELPER)
def _between(values: Any, y0: Any, x0: Any, y: Any, x: Any, k: Any) -> Any:
    """Channel k at (y, x) of the block at (y0, x0), linear between its corners."""
    y1, x1 = y0 + (_BLOCK - 1), x0 + (_BLOCK - 1)
    a, b = np.float32(x - x0) * _THIRD, np.float32(y - y0) * _THIRD
    top = values[y0, x0, k] + (values[y0, x1, k] - values[y0, x0, k]) * a
    low = values[y1, x0, k] + (values[y1, x1, k] - values[y1, x0, k]) * a
    return top + (low - top) * b


@njit(**KERNEL)
def _trace(
    rows: Any, flat: Any, lists: Any, counts: Any, order: Any, camera: Any, table: Any, relax: Any, agree: Any,
    point: Any, normal: Any, own: Any, cover: Any, row: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Trace the rows of tiles order[first:last]. One long loop, for every call of the field is compiled anew."""
    f, cx, cy, eye, away = camera[0], camera[1], camera[2], camera[3], camera[4]
    one, half, zero = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    height, width = cover.shape
    near = np.zeros(lists.shape[2], np.int32)
    # As literals these would have the field compiled once for each value.
    plain, folded = np.int64(0), np.int64(1)
    for slot in range(first, last):
        ti = order[slot]
        for tj in range(counts.shape[1]):
            n = counts[ti, tj]
            if n == 0:
                continue
            index = lists[ti, tj]
            for block in range((_TILE // _BLOCK) * (_TILE // _BLOCK)):
                by = ti * _TILE + block // (_TILE // _BLOCK) * _BLOCK
                bx = tj * _TILE + block % (_TILE // _BLOCK) * _BLOCK
                if by >= height or bx >= width:
                    continue
                # The cone of the block: stop where the field is nearer than the cone is wide.
                dx = (np.float32(bx) + np.float32(_BLOCK) * half - cx) / f
                dy = -(np.float32(by) + np.float32(_BLOCK) * half - cy) / f
                stretch = one / math.sqrt(dx * dx + dy * dy + one)
                spread = np.float32(_BLOCK * 0.75 + 0.8) / f
                # Rows whose bone the cone of the block passes nearer than they are thick.
                m = np.int64(0)
                begin, end, thin = _FAR, -_FAR, False
                for q in range(n):
                    i = index[q]
                    if _passes(rows, i, dx, dy, stretch, spread, eye, away):
                        near[m] = i
                        m += 1
                        # Narrower than a block: it may pass between the corners.
                        thin = thin or rows[i, 54] * f < np.float32(_BLOCK * 0.5) * (away - rows[i, 52])
                        z = away - rows[i, 52]
                        begin = min(begin, z - rows[i, 53] * np.float32(1.1))
                        end = max(end, z + rows[i, 53] * np.float32(1.1))
                if m == 0:
                    continue
                t = begin = max(begin, one)
                inside = True
                for _ in range(80):
                    d = distance(dx * t, eye + dy * t, away - t, flat, near, m, table, plain)[0] - np.float32(1.0)
                    if d < spread * t:
                        break
                    t += max((d - spread * t) * np.float32(0.8), np.float32(0.1)) * stretch
                    if t > end:
                        inside = False
                        break
                if not inside:
                    continue
                start = max(t - spread * t, one)
                even = False
                for number in range(_BLOCK * _BLOCK):
                    pixel = _ORDER[number]
                    y, x = by + pixel // _BLOCK, bx + pixel % _BLOCK
                    if y >= height or x >= width:
                        continue
                    if number == 4:
                        even = not thin and _is_even(row, cover, normal, point, by, bx, agree, np.float32(2.0) * t / f)
                    dx, dy = (np.float32(x) + half - cx) / f, -(np.float32(y) + half - cy) / f
                    stretch = one / math.sqrt(dx * dx + dy * dy + one)
                    t = start
                    if even:
                        t = away - _between(point, by, bx, y, x, 2)
                    closest, at, nearest = _FAR, t, -1
                    fine = max(np.float32(0.2) * t / f, np.float32(0.008))
                    before, last_step, here = _FAR, zero, zero
                    part, nx, ny, nz = one, zero, zero, zero
                    px, py, pz, e = zero, zero, zero, zero
                    # One place looks at the field, for every place is compiled anew: phase 0 marches, then three looks
                    # beside the point found give the normal.
                    phase, expected = 0, even
                    for look in range(104):
                        if phase == 0:
                            px, py, pz = dx * t, eye + dy * t, away - t
                        d, b = distance(
                            px + (e if phase == 1 else zero), py + (e if phase == 2 else zero),
                            pz + (e if phase == 3 else zero), flat, near, m, table, folded,
                        )  # fmt: skip
                        if expected:
                            expected = False
                            if abs(d) < np.float32(2.0) * fine and b == row[by, bx]:
                                nx, ny, nz = (
                                    _between(normal, by, bx, y, x, 0),
                                    _between(normal, by, bx, y, x, 1),
                                    _between(normal, by, bx, y, x, 2),
                                )
                                slope = -(nx * dx + ny * dy - nz) * stretch
                                t += d * stretch / max(slope, np.float32(0.3))
                                px, py, pz = dx * t, eye + dy * t, away - t
                                nearest, phase = b, 4
                                break
                            t = start
                            continue
                        if phase == 1:
                            nx, phase = d - here, 2
                            continue
                        if phase == 2:
                            ny, phase = d - here, 3
                            continue
                        if phase == 3:
                            nz, phase = d - here, 4
                            break
                        if d > zero and last_step > (before + d + _THINNEST) * stretch:
                            # The spheres of both points do not touch: something thin may lie between them.
                            t += before * relax * stretch - last_step
                            last_step = before * relax * stretch
                            continue
                        if d < closest:
                            closest, at, nearest = max(d, zero), t, b
                        if d < -fine:
                            # Gone too far: back, by what the inside is sure to hold.
                            t += d * stretch
                            before, last_step = _FAR, zero
                            continue
                        if d >= fine:
                            step = d * relax * stretch
                            if d < np.float32(2.0) and before < np.float32(9.0):
                                # Near the surface the field is nearly linear along the ray: go where it meets zero.
                                slope = (before - d) / last_step
                                # A ray that grazes must not step over what it nearly touches: that is the soft edge.
                                if slope > np.float32(0.4):
                                    step = d / slope * np.float32(0.97)
                            before, last_step = d, max(step, fine * stretch)
                            t += last_step
                            if t <= end and look < 96:
                                continue
                            if nearest < 0:
                                break
                            # The distance to a sheet is understated, see `field`.
                            if rows[nearest, 56] > np.float32(1.5):
                                part = one - closest * np.float32(2.2) / (at / f)
                            else:
                                part = one - closest / (at / f)
                            if part <= np.float32(0.02):
                                break
                            t, here = at, closest
                            px, py, pz = dx * t, eye + dy * t, away - t
                        else:
                            nearest, here = b, d
                        e = max(np.float32(0.035), np.float32(0.35) * t / f)
                        phase = 1
                    if phase != 4:
                        continue
                    b = nearest
                    k0 = one / (math.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-9))
                    normal[y, x, 0], normal[y, x, 1], normal[y, x, 2] = nx * k0, ny * k0, nz * k0
                    point[y, x, 0], point[y, x, 1], point[y, x, 2] = px, py, pz
                    cover[y, x], row[y, x] = part, b
                    ax, ay, az = px - rows[b, 4], py - rows[b, 5], pz - rows[b, 6]
                    for k in range(3):
                        own[y, x, k] = ax * rows[b, 7 + 3 * k] + ay * rows[b, 8 + 3 * k] + az * rows[b, 9 + 3 * k]
