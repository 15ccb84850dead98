"""Skirts, gowns and the skirts of coats: one flared tube with flutes; sitting, two tubes covered by a lap. Capes."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.engines.studio.figure import types
from portrayal.engines.studio.figure.limbs import SHINS, THIGHS
from portrayal.engines.studio.figure.making import Making
from portrayal.engines.studio.figure.rows import (
    BOTTOM,
    CAPE,
    FLUTE,
    FLUTES,
    SEED,
    SOFT,
    TOP,
    TORSO,
    Vector,
    unit,
    vector,
)

_FLOOR: Final = 1.2
"""A hem keeps this far above the floor, cm."""


def skirt(m: Making) -> None:
    """The skirt of the outfit."""
    lower, build, rig, bones = m.worn.lower, m.build, m.rig, m.bones
    m.use("skirt", types.SKIRT, "pelvis")
    front = bones.pelvis_axes[:, 2]
    off = lower.offset
    hips = build.hips
    rig.limb(
        BOTTOM, TORSO, 4.0, bones.in_pelvis(0, -10, -0.3), bones.in_pelvis(0, 10, -0.3), front,
        np.array([17.6, 17.6, 17.2 * hips, 16.2 * hips, 14.6, 12.9 * build.waist]) + off,
        np.array([11.6, 11.6, 11.4, 10.8, 10, 9.6]) + off, -0.2, flat=(0, 1),
    )  # fmt: skip
    hang(m, BOTTOM, lower.length, lower.flare, lower.flutes, off)


def coat(m: Making) -> None:
    """The part of a coat below the hips."""
    top = m.worn.top
    if top.skirt > 0:
        m.use("main", types.SKIRT, "pelvis")
        hang(m, TOP, top.skirt, top.flare, 0.25, top.offset + 1.2)


def hang(m: Making, group: int, length: float, flare: float, flutes: float, offset: float) -> None:
    """Cloth that hangs from the hips.

    Args:
        m: the body.
        group: layer.
        length: below the hip joints, cm.
        flare: 1 = somewhat wider at the hem.
        flutes: 0 smooth .. 1 deep.
        offset: cloth above the skin.
    """
    bones, rig = m.bones, m.rig
    if m.seated:
        _lap(m, group, length, offset)
        return
    knees = (bones.legs[0].middle + bones.legs[1].middle) / 2
    start = bones.in_pelvis(0, -1, -0.3)
    way = unit(unit(knees - start) + vector(0, -1.2, 0))
    length = min(length, (float(start[1]) - _FLOOR) / max(-float(way[1]), 0.3))
    end = start + way * length
    front = bones.pelvis_axes[:, 2]
    grow = np.linspace(0, 1, 6) * length / 50
    wide = 17.0 + offset + grow * (5.2 * flare + 9.0 * max(flare - 1, 0)) - (6.5 * grow if flare < 0.9 else 0)
    deep = 11.4 + offset + grow * (4.6 * flare + 7.0 * max(flare - 1, 0)) - (2.0 * grow if flare < 0.9 else 0)
    near, axis = _legs_inside(m, start, way, front, length)
    wide = np.maximum(wide, near[0] + offset + 0.8)
    deep = np.maximum(deep, near[1] + offset + 0.8)
    row = rig.limb(group, TORSO, 3.0, start, end, front, wide, deep, axis, flat=(0, 1))
    row[FLUTE], row[FLUTES], row[SEED] = (
        (0.02 + 0.055 * flutes) * min(length / 50, 1.4),
        7 + m.seed % 3,
        1.3 + m.seed % 11,
    )


def _legs_inside(
    m: Making, start: Vector, way: Vector, front: Vector, length: float
) -> tuple[tuple[Vector, Vector], Vector]:
    """Half width and depth that a tube along `way` needs to hold both legs, and the shift of its axis, at six places."""
    deep_axis = unit(front - way * float(front @ way))
    side = np.cross(way, deep_axis)
    low, high = np.full((2, 6), 1e3), np.full((2, 6), -1e3)
    slots = np.linspace(0, length, 6)
    for leg in m.bones.legs:
        for a, b, radii in ((leg.root, leg.middle, THIGHS), (leg.middle, leg.end, SHINS)):
            for t in np.linspace(0, 1, 9):
                point = a + (b - a) * t - start
                radius = float(np.interp(t, np.linspace(0, 1, 6), radii))
                close = np.abs(slots - float(point @ way)) < length * 0.13 + radius * 0.6
                for row, along in enumerate((side, deep_axis)):
                    value = float(point @ along)
                    low[row, close] = np.minimum(low[row, close], value - radius)
                    high[row, close] = np.maximum(high[row, close], value + radius)
    none = high < low
    low[none], high[none] = 0.0, 0.0
    axis = np.clip((low[1] + high[1]) / 2, -14, 14) * np.linspace(0.2, 1, 6)
    wide = np.maximum(np.abs(low[0]), np.abs(high[0]))
    return (wide, np.maximum(high[1] - axis, axis - low[1])), axis


def _lap(m: Making, group: int, length: float, offset: float) -> None:
    """Sitting: a tube over each thigh, the cloth stretched between them, and what hangs from the knees."""
    bones, rig = m.bones, m.rig
    along = min(length / 41.5, 1.12)
    for index, leg in enumerate(bones.legs):
        end = leg.root + (leg.middle - leg.root) * along
        radius = np.linspace(9.6, 7.6, 6) + offset
        rig.limb(
            group, TORSO, 9.0, leg.root, end, (0, 1, 0.3), radius, radius, flat=(0, 1), folds=0.3, seed=21 + index,
        )  # fmt: skip
    knees = [leg.root + (leg.middle - leg.root) * along for leg in bones.legs]
    middle = (knees[0] + knees[1]) / 2
    half = float(np.linalg.norm(knees[1] - knees[0])) / 2
    start = bones.in_pelvis(0, 1, 6)
    rig.limb(
        group, TORSO, 6.0, start, middle + vector(0, 1.0, 0), (0, 1, 0.2), np.linspace(11, half + 3, 6),
        np.linspace(7.0, 5.0, 6) + offset * 0.5, flat=(0, 1), folds=0.25, seed=24,
    )  # fmt: skip
    below = length - 41.5 - 4
    if below < 8:
        return
    front = vector(0, 0, 1)
    top = middle + vector(0, 0, -1.0)
    feet = (bones.legs[0].end + bones.legs[1].end) / 2
    way = unit(vector(float(feet[0] - top[0]), float(feet[1] - top[1]), float(feet[2] - top[2])))
    below = min(below, (float(top[1]) - _FLOOR) / max(-float(way[1]), 0.3))
    near, axis = _legs_inside(m, top, way, front, below)
    rig.limb(
        group, TORSO, 6.0, top, top + way * below, front, np.maximum(near[0] + 2, half + 8.5), np.maximum(near[1] + 2, 8.5),
        axis, flat=(0, 1), folds=0.4, seed=25, fold=(0.03, 0.10, 0.1),
    )  # fmt: skip


def cape(m: Making) -> None:
    """A cape from the shoulders; it streams when the body is in the air."""
    if not m.worn.cape:
        return
    rig, bones, sw = m.rig, m.bones, m.build.shoulders
    m.use("cape", types.CAPE, "chest")
    back = -bones.chest_axes[:, 2]
    moving = m.pose.air or m.pose.name == "running"
    start = bones.in_chest(0, 21, -5)
    fall = vector(-58, -42, -70) if moving else vector(0, -98, -30)
    if m.pose.mirrored:
        fall[0] *= -1
    end = bones.in_chest(0, 18, 0) + fall
    if m.seated:
        end = bones.in_chest(0, 18, 0) + vector(0, -48, -26)
    shift = np.array([0, 5, 9, 8, 10, 8]) if moving else np.array([0, 6, 10, 12, 13, 13])
    row = rig.limb(
        CAPE, TORSO, 0.5, start, end, back, np.array([14.5, 20, 25, 29, 32, 34]) * sw, 1.0, shift, flat=(1, 1),
        folds=np.array([0.6, 1.4, 2.0, 2.6, 3.0, 3.3]), seed=41 + m.seed % 5, fold=(0.02, 0.062, 0.0),
    )  # fmt: skip
    row[SOFT] = 2
    for sign in (-1, 1):
        rig.cone(CAPE, 1, 1.0, bones.in_chest(sign * 5, 27.5, 4.2), bones.in_chest(sign * 13, 25, -6), 1.2, 2.2)
