"""Hands that touch: the wrist is moved until hand or forearm lies on the body, or outside of it.

The body here is the rows without folds and without blending, which is exact enough: a millimetre decides nothing.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from portrayal.engines.studio.figure.hands import probes
from portrayal.engines.studio.figure.limbs import FORE
from portrayal.engines.studio.figure.making import Making
from portrayal.engines.studio.figure.poses import ArmPose
from portrayal.engines.studio.figure.rows import (
    BEND,
    BOX,
    CONE,
    CUT,
    DEPTH,
    KIND,
    LENGTH,
    LIMB,
    ORIGIN,
    ROUND,
    TORUS,
    WIDTH,
    U,
    Vector,
    unit,
    vector,
)
from portrayal.engines.studio.figure.skeleton import Limb, Skeleton, solve

_ROUNDS: Final = 9
_STEP: Final = 5.0
"""Largest move of a round, cm."""
_DENT: Final = 0.35
"""Flesh and cloth give way by this much under a hand, cm."""


def distance(rows: Vector, points: Vector) -> Vector:
    """Distance of points (k, 3) to the nearest of rows (n, 64), cm; negative inside."""
    rows = rows[rows[:, CUT] == 0]
    away = points[:, None, :] - rows[None, :, ORIGIN : ORIGIN + 3]
    axes = rows[:, U : U + 9].reshape(-1, 3, 3)
    own = np.einsum("knj,nij->kni", away, axes)
    s, v, w = own[..., 0], own[..., 1], own[..., 2]
    long = rows[:, LENGTH]
    t = np.clip(s / long, 0, 1)
    out = np.full(s.shape, 1e3)
    end = s - t * long
    cone = rows[:, KIND] == CONE
    radius = rows[:, WIDTH] + (rows[:, WIDTH + 1] - rows[:, WIDTH]) * t
    out[:, cone] = (np.sqrt(end**2 + v**2 + w**2) - radius)[:, cone]
    limb = rows[:, KIND] == LIMB
    at = np.minimum((t * 5).astype(np.int64), 4)
    share = t * 5 - at
    pick = np.arange(len(rows))[None, :]

    def profile(first: int) -> Vector:
        values = rows[:, first : first + 6]
        return np.asarray(values[pick, at] * (1 - share) + values[pick, at + 1] * share)

    wide, deep = np.maximum(profile(WIDTH), 0.1), np.maximum(profile(DEPTH), 0.1)
    shifted = w - profile(BEND)
    k0 = np.sqrt((v / wide) ** 2 + (shifted / deep) ** 2)
    k1 = np.sqrt((v / wide**2) ** 2 + (shifted / deep**2) ** 2) + 1e-6
    flat = np.where(k0 > 0.3, k0 * (k0 - 1) / k1, -np.minimum(wide, deep) * 0.7)
    beyond = np.abs(end) - np.where(end == 0, 0, np.minimum(wide, deep) * 0.5)
    tube = np.where(
        np.abs(end) > 1e-6,
        np.hypot(np.maximum(flat, 0), np.maximum(beyond, 0)) + np.minimum(np.maximum(flat, beyond), 0),
        flat,
    )
    out[:, limb] = tube[:, limb]
    box = rows[:, KIND] == BOX
    sides = np.abs(own) - rows[None, :, WIDTH : WIDTH + 3] + rows[None, :, ROUND, None]
    solid = np.sqrt((np.maximum(sides, 0) ** 2).sum(-1)) + np.minimum(sides.max(-1), 0) - rows[:, ROUND]
    out[:, box] = solid[:, box]
    ring = rows[:, KIND] == TORUS
    hoop = np.hypot(np.hypot(v, w) - rows[:, WIDTH], s) - rows[:, WIDTH + 1]
    out[:, ring] = hoop[:, ring]
    return np.asarray(out.min(1) if out.shape[1] else np.full(len(points), 1e3))


def _sleeve(m: Making) -> float:
    """Thickness that a sleeve keeps under an arm: the rest is pressed flat."""
    return (m.worn.top.arm if m.worn.top.sleeve > 1 else 0.0) * 0.35


def _points(m: Making, bones: Skeleton, index: int) -> tuple[list[tuple[Vector, float]], list[tuple[Vector, float]]]:
    """Points and radii of a hand, and of its forearm."""
    arm, shape = bones.arms[index], bones.hands[index]
    sleeve = _sleeve(m)
    fore = [
        (
            arm.middle + (arm.end - arm.middle) * t,
            float(np.interp(t, np.linspace(0, 1, 6), FORE)) * m.build.arm + sleeve,
        )
        for t in (0.3, 0.5, 0.7, 0.85)
    ]
    if not shape.shape:
        return [(arm.end, 2.6 + sleeve)], fore
    glove = m.worn.glove or 0.0
    return [(p, r + glove) for p, r in probes(arm.end, shape, m.build.hand)], fore


def gap(m: Making, bones: Skeleton, index: int, body: Vector) -> tuple[float, float]:
    """Smallest distance of a hand, and of its forearm, to the body."""
    both = []
    for points in _points(m, bones, index):
        free = distance(body, np.array([p for p, _ in points])) - np.array([r for _, r in points])
        both.append(float(free.min()))
    return both[0], both[1]


def arm_rows(m: Making, limb: Limb) -> Vector:
    """An arm as two cones, for the other arm to lie on."""
    sleeve = _sleeve(m) - 0.5
    rows = np.zeros((2, 64))
    for row, (a, b, r1, r2) in zip(
        rows, ((limb.root, limb.middle, 4.8, 4.0), (limb.middle, limb.end, 4.0, 2.8)), strict=True
    ):
        u = unit(b - a)
        side = unit(np.cross(u, vector(0.3, 1, 0.2)))
        row[KIND], row[ORIGIN : ORIGIN + 3], row[LENGTH] = CONE, a, float(np.linalg.norm(b - a))
        row[U : U + 9] = np.concatenate([u, np.cross(u, side), side])
        row[WIDTH], row[WIDTH + 1] = r1 * m.build.arm + sleeve, r2 * m.build.arm + sleeve
    return rows


def settle(m: Making, body: Vector) -> Skeleton:
    """The skeleton with both hands laid on, or kept off, the body.

    Args:
        m: the body in the making; its bones are the pose's.
        body: (n, 64) rows of the body without its arms.
    """
    wrists: dict[int, Vector] = {}
    bones = m.bones
    order = sorted((0, 1), key=lambda i: not m.pose.arms[i].under)
    for index in order:
        arm = m.pose.arms[index]
        if not arm.hand and arm.press is None:
            continue
        around = body
        if arm.press is not None and index == order[1]:
            other = arm_rows(m, bones.arms[order[0]])
            around = np.vstack([body, other])
        wrists[index] = bones.arms[index].end
        for _ in range(_ROUNDS):
            free = gap(m, bones, index, around)
            move = _move(m, arm, bones, index, free)
            if move is None:
                break
            wrists[index] = wrists[index] + move
            bones = solve(m.pose, m.build, wrists)
    return bones


def _move(m: Making, arm: ArmPose, bones: Skeleton, index: int, free: tuple[float, float]) -> Vector | None:
    """By how much the wrist goes on; None when it is well where it is."""
    if arm.press is not None:
        least = min(free) + _DENT
        if abs(least) < 0.12:
            return None
        return unit(vector(*arm.press)) * max(min(least * 0.85, _STEP), -_STEP)
    least = min(free[0], free[1] + 1.2)  # a sleeve may brush the body
    if least > -0.2:
        return None
    wrist = bones.arms[index].end
    out = wrist - bones.pelvis
    out = vector(float(out[0]), 0, float(out[2]) if abs(float(out[2])) > 8 else 0.0)
    if math.hypot(float(out[0]), float(out[2])) < 1:
        return None
    return unit(out) * min(-least, _STEP)
