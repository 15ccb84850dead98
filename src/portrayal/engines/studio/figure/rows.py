"""Primitives of a body: one row of 64 numbers each, and the rig that collects them.

Figure axes: cm, x to the picture's right, y up with the floor at 0, z towards the camera.

A row is a round cone, a limb (an elliptic tube whose half width, half depth and bend follow six control values), a
box or a torus. Rows of one GROUP (a layer: skin, trousers, top, ...) are sorted together; groups meet in a hard
minimum, so that one cloth lies over the other. Within a group, rows of one CHAIN (torso, an arm, a leg) melt into
each other by their `BLEND`; a chain melts with its group only near its first bone (`JOIN`, `REACH`), so that a
hanging arm grows no web to the hip. Rows with `CUT` are taken out of their group.

After a figure prototype of this project; the distance of an ellipse is the usual k0 (k0 - 1) / k1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from portrayal.imaging import F32

Vector: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = float | Sequence[float] | Vector

COLUMNS: Final = 64

# Columns. A bare name is one column; *_ FIRST of several are said so.
KIND: Final = 0
GROUP: Final = 1
CHAIN: Final = 2
BLEND: Final = 3
"""cm over which the row melts into the rows of its chain."""
ORIGIN: Final = 4
"""First of 3."""
U: Final = 7
"""First of 3: along the bone. V (10) and W (13) follow: across, and the inner side of an elbow, the front of a knee."""
V: Final = 10
W: Final = 13
LENGTH: Final = 16
WIDTH: Final = 17
"""First of 6: half width along V from end to end. Cone: two radii. Box: three half sizes. Torus: two radii."""
DEPTH: Final = 23
"""First of 6: half depth along W."""
BEND: Final = 29
"""First of 6: shift of the axis along W."""
FOLDS: Final = 35
"""First of 6: height of the folds in cm."""
FLAT_START: Final = 41
FLAT_END: Final = 42
"""1 = the tube ends flat (a hem), 0 = round."""
JOIN: Final = 43
"""cm by which its chain melts with the group, near the start of this row."""
SEED: Final = 44
SQUARE: Final = 45
"""Exponent of a boxy section, 0 = ellipse."""
ROUND: Final = 46
"""Rounding of a box."""
FOLD_ALONG: Final = 47
FOLD_ROUND: Final = 48
FOLD_SHEAR: Final = 49
"""Folds per cm along the bone and round it, and how obliquely they run."""
CENTRE: Final = 50
"""First of 3; RADIUS follows: a sphere that holds the row."""
RADIUS: Final = 53
THICK: Final = 54
"""cm from the bone within which all of the row lies; filled in by `Rig.done`."""
REACH: Final = 55
"""Share of the bone over which JOIN fades."""
SOFT: Final = 56
"""0 = plain, 1 = has folds, 2 = a sheet (cape)."""
FLUTE: Final = 57
FLUTES: Final = 58
"""A skirt: share by which the radius swings at the hem, and how often round it."""
SOLE: Final = 59
SOLE_AT: Final = 60
"""1 = cut flat at W = -SOLE_AT."""
CUT: Final = 61
"""1 = taken out of its group."""
SHIFT: Final = 63
"""cm added along the bone for the folds, so that folds of neighbouring rows continue each other."""

# KIND
CONE: Final = 0
LIMB: Final = 1
BOX: Final = 2
TORUS: Final = 3

# GROUP: the later lies over the earlier only by its size; a group is a layer of its own.
SKIN: Final = 0
BOTTOM: Final = 1
TOP: Final = 2
OUTER: Final = 3
SHOE: Final = 4
SOLES: Final = 5
PROP: Final = 6
"""Things that belong to hands or seat: gloves' cuffs, sign, chair."""
PROP2: Final = 7
"""The second material of things; a shirt's collar and cuffs under a jacket."""
BELT: Final = 8
CAPE: Final = 9
HEAD: Final = 10
"""Only for shadow and occlusion: the head itself is the photograph."""

# CHAIN
TORSO: Final = 0
ARM_LEFT: Final = 1
ARM_RIGHT: Final = 2
LEG_LEFT: Final = 3
LEG_RIGHT: Final = 4
"""Left and right of the picture when the body faces the camera. Things count from 20."""


def vector(*values: float) -> Vector:
    """A vector of figure axes."""
    return np.array(values, np.float64)


def unit(v: Any) -> Vector:
    """The vector with length 1."""
    v = np.asarray(v, np.float64)
    return np.asarray(v / (float(np.linalg.norm(v)) + 1e-12), np.float64)


def turn(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Vector:
    """Rotation (3, 3) by degrees: yaw to the picture's right, pitch top forward, roll top to the picture's left."""
    cy, sy = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    cp, sp = math.cos(math.radians(pitch)), math.sin(math.radians(pitch))
    cr, sr = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(y @ x @ z, np.float64)


class Rig:
    """Collects rows with what each is made of; rows can be changed (by column) until `done`."""

    def __init__(self) -> None:
        self.rows: list[Vector] = []
        self.cloth: list[int] = []
        self.part: list[int] = []
        self.frame: list[int] = []
        self.frames: list[Vector] = []
        self.using = (0, 0, 0)
        """(cloth, part, frame) of the rows added next; see `use`."""

    def use(self, cloth: int, part: int, frame: int) -> None:
        """What the rows added from now on are: index of the cloth, a PART of `types`, index of the limb frame."""
        self.using = (cloth, part, frame)

    def limb_frame(self, origin: Any, u: Any, w: Any, length: float) -> int:
        """Add a limb frame, returns its index: origin, u along, v = w x u .. as in the rows, length in cm."""
        u = unit(u)
        w = np.asarray(w, np.float64)
        w = unit(w - u * (w @ u))
        self.frames.append(np.concatenate([np.asarray(origin, np.float64), u, np.cross(u, w), w, [length]]))
        return len(self.frames) - 1

    def raw(self, kind: int, group: int, chain: int, blend: float, at: Any, axes: Any, length: float) -> Vector:
        """A row with nothing but its place; axes are rows u, v, w."""
        p = np.zeros(COLUMNS)
        p[KIND], p[GROUP], p[CHAIN], p[BLEND] = kind, group, chain, blend
        p[ORIGIN : ORIGIN + 3], p[U : U + 9], p[LENGTH], p[REACH] = at, np.asarray(axes).ravel(), length, 0.4
        self.rows.append(p)
        self.cloth.append(self.using[0])
        self.part.append(self.using[1])
        self.frame.append(self.using[2])
        return p

    def cone(
        self, group: int, chain: int, blend: float, a: Any, b: Any, r1: float, r2: float, join: float = 0.0
    ) -> Vector:
        """A round cone from a to b."""
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        u = unit(b - a)
        w = unit(np.cross(u, (1, 0.02, 0.3) if abs(u[0]) < 0.9 else (0, 1, 0)))
        p = self.raw(CONE, group, chain, blend, a, (u, np.cross(u, w), w), max(float(np.linalg.norm(b - a)), 0.05))
        p[WIDTH], p[WIDTH + 1], p[JOIN] = r1, r2, join
        return p

    def limb(
        self,
        group: int,
        chain: int,
        blend: float,
        a: Any,
        b: Any,
        front: Any,
        width: Numbers,
        depth: Numbers,
        bend: Numbers = 0.0,
        *,
        join: float = 0.0,
        flat: tuple[float, float] = (0, 0),
        folds: Numbers = 0.0,
        seed: float = 1,
        fold: tuple[float, float, float] = (0.16, 0.055, 0.35),
        square: float = 0.0,
        span: tuple[float, float] = (0.0, 1.0),
        shift: float = 0.0,
    ) -> Vector:
        """A tube from a to b; `front` is the side of W; profiles are a number, or any count of values along the bone.

        `span` takes a part of the bone (and of the profiles), `fold` = (per cm along, per cm round, shear).
        """
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        u = unit(b - a)
        w = np.asarray(front, np.float64)
        w = unit(w - u * (w @ u))
        length = float(np.linalg.norm(b - a))
        p = self.raw(
            LIMB, group, chain, blend, a + u * length * span[0], (u, np.cross(u, w), w), length * (span[1] - span[0])
        )
        for first, values in ((WIDTH, width), (DEPTH, depth), (BEND, bend), (FOLDS, folds)):
            p[first : first + 6] = _profile(values, span)
        p[JOIN], p[SEED], p[SQUARE], p[SHIFT] = join, seed, square, shift
        p[FLAT_START], p[FLAT_END] = flat
        p[FOLD_ALONG : FOLD_SHEAR + 1] = fold
        p[SOFT] = float(np.max(p[FOLDS : FOLDS + 6]) > 0)
        return p

    def box(self, group: int, chain: int, at: Any, axes: Any, half: Any, radius: float = 0.5) -> Vector:
        """A rounded box of three half sizes along the rows of axes."""
        p = self.raw(BOX, group, chain, 0.3, at, axes, 1.0)
        p[WIDTH : WIDTH + 3], p[ROUND] = half, radius
        return p

    def torus(self, group: int, chain: int, at: Any, axis: Any, ring: float, tube: float) -> Vector:
        """A ring round an axis."""
        u = unit(axis)
        w = unit(np.cross(u, (0, 1, 0.01)))
        p = self.raw(TORUS, group, chain, 0.1, at, (u, np.cross(u, w), w), 1.0)
        p[WIDTH], p[WIDTH + 1] = ring, tube
        return p

    def done(self, yaw: float) -> tuple[F32, npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32], F32]:
        """Turn everything by yaw degrees and sort it: rows (n, 64), cloth, part, frame (n,), frames (f, 13)."""
        rows = np.array(self.rows)
        order = np.lexsort((np.arange(len(rows)), rows[:, CHAIN], rows[:, GROUP]))
        rows, r = rows[order], turn(yaw)
        for first in (ORIGIN, U, V, W):
            rows[:, first : first + 3] = rows[:, first : first + 3] @ r.T
        frames = np.array(self.frames).reshape(-1, 13)
        for first in (0, 3, 6, 9):
            frames[:, first : first + 3] = frames[:, first : first + 3] @ r.T
        rows = _spheres(rows)
        cloth, part, frame = (np.array(a, np.int32)[order] for a in (self.cloth, self.part, self.frame))
        return np.ascontiguousarray(rows, np.float32), cloth, part, frame, frames.astype(np.float32)


def _profile(values: Numbers, span: tuple[float, float]) -> Vector:
    q = np.atleast_1d(np.asarray(values, np.float64))
    at = np.linspace(span[0], span[1], 6)
    return np.asarray(np.interp(at, np.linspace(0, 1, len(q)), q) if len(q) > 1 else np.full(6, q[0]), np.float64)


def _spheres(rows: Vector) -> Vector:
    """Fill in the bounding spheres."""
    length, kind = rows[:, LENGTH], rows[:, KIND]
    centre = rows[:, ORIGIN : ORIGIN + 3] + rows[:, U : U + 3] * (length * 0.5)[:, None]
    radius = length * 0.5 + np.maximum(rows[:, WIDTH], rows[:, WIDTH + 1])
    wide = np.maximum(rows[:, WIDTH : WIDTH + 6], rows[:, DEPTH : DEPTH + 6]).max(1)
    tube = np.hypot(
        length * 0.5 + wide * 0.45,
        wide
        + np.abs(rows[:, BEND : BEND + 6]).max(1) * 0.5
        + rows[:, FOLDS : FOLDS + 6].max(1) * 2.5
        + 20 * rows[:, FLUTE],
    )
    radius = np.where(kind == LIMB, tube, radius)
    radius = np.where(kind == BOX, np.linalg.norm(rows[:, WIDTH : WIDTH + 3], axis=1), radius)
    radius = np.where(kind == TORUS, rows[:, WIDTH] + rows[:, WIDTH + 1], radius)
    centre = np.where((kind >= BOX)[:, None], rows[:, ORIGIN : ORIGIN + 3], centre)
    rows[:, CENTRE : CENTRE + 3], rows[:, RADIUS] = centre, radius + rows[:, BLEND] * 0.3
    # The axis of a limb is bent, its ends are round (at most by 0.9 of its radius), and a box has corners.
    thick = wide * (1 + 2.3 * rows[:, FLUTE]) + np.abs(rows[:, BEND : BEND + 6]).max(1)
    folds = rows[:, FOLDS : FOLDS + 6].max(1)
    thick += np.where(rows[:, SOFT] > 1.5, 2.1 * folds, np.minimum(1.8 * folds, 0.8) * 1.3)
    rows[:, THICK] = np.where(kind == LIMB, thick + 0.3, radius)
    rows[:, THICK] = np.where(kind == CONE, np.maximum(rows[:, WIDTH], rows[:, WIDTH + 1]), rows[:, THICK])
    return rows
