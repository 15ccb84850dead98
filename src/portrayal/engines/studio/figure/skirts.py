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
    # The top runs into the bodice, so that no step shows at the waist.
    wide = np.array([16.8, 16.6, 15.7 * hips, 14.2 * hips, 12.8 * build.waist, 11.2 * build.waist]) + off
    deep = np.array([11.2, 11.1, 10.7, 9.8, 8.8, 7.6]) + off
    rig.limb(
        BOTTOM, TORSO, 3.0, bones.in_pelvis(0, -10, -0.3), bones.in_pelvis(0, 14, -0.3), front, wide, deep, -0.2,
        flat=(0, 1),
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
    wide[0], deep[0] = wide[0] - 3.4, deep[0] - 2.2  # its round upper end follows the hips
    wide, deep, axis = _around_legs(m, start, way, front, length, (wide, deep), offset)
    row = rig.limb(group, TORSO, 3.0, start, end, front, wide, deep, axis, flat=(0, 1))
    row[FLUTE], row[FLUTES], row[SEED] = (
        (0.02 + 0.055 * flutes) * min(length / 50, 1.4),
        7 + m.seed % 3,
        1.3 + m.seed % 11,
    )


def _around_legs(
    m: Making, start: Vector, way: Vector, front: Vector, length: float, form: tuple[Vector, Vector], offset: float
) -> tuple[Vector, Vector, Vector]:
    """A tube widened until it holds both legs.

    Returns:
        Half widths, half depths and the shift of the axis at six places along `way`.
    """
    deep_axis = unit(front - way * float(front @ way))
    side = np.cross(way, deep_axis)
    trousers = m.worn.lower.kind != "skirt"
    cloth = (0.4 * offset + m.worn.lower.offset if trousers else offset) + 0.6
    slots = np.linspace(0, length, 6)
    found: list[tuple[float, float, float, float]] = []
    lying = m.seated  # then only what hangs from the knees is asked for
    for leg in m.bones.legs:
        bones = ((leg.root, leg.middle, THIGHS), (leg.middle, leg.end, SHINS))[int(lying) :]
        for a, b, radii in bones:
            for t in np.linspace(0, 1, 9):
                point = a + (b - a) * t - start
                radius = float(np.interp(t, np.linspace(0, 1, 6), radii)) * m.build.leg + cloth
                found.append((float(point @ way), float(point @ side), float(point @ deep_axis), radius))
    discs = np.array(found)
    wide, deep = form[0].copy(), form[1].copy()
    axis = np.zeros(6)
    for k, slot in enumerate(slots):
        near = discs[np.abs(discs[:, 0] - slot) < length * 0.11 + 4.0]
        if not len(near):
            axis[k] = axis[k - 1] if k else 0.0
            continue
        _, x, z, r = near.T
        axis[k] = ((z - r).min() + (z + r).max()) / 2 * min(k / 2, 1.0)
        z = np.abs(z - axis[k])
        if k == 0 and not lying:
            continue  # the hips are the caller's
        wide[k] = max(wide[k], float((np.abs(x) + r).max()))
        deep[k] = max(deep[k], float((z + r).max()))
        corner = float(np.hypot((np.abs(x) + 0.7 * r) / wide[k], (z + 0.7 * r) / deep[k]).max())
        wide[k], deep[k] = wide[k] * max(corner, 1.0), deep[k] * max(corner, 1.0)
    return wide, deep, axis


def _lap(m: Making, group: int, length: float, offset: float) -> None:
    """Sitting: a tube over each thigh, the cloth stretched between them, and what hangs from the knees."""
    bones, rig = m.bones, m.rig
    along = min(length / 41.5, 1.03)
    offset = min(offset, 1.6)
    for index, leg in enumerate(bones.legs):
        end = leg.root + (leg.middle - leg.root) * along
        radius = np.array([9.6, 9.4, 9.0, 8.3, 7.4, 6.6]) + offset
        rig.limb(
            group, TORSO, 9.0, leg.root, end, (0, 1, 0.3), radius, radius, flat=(0, 1), folds=0.3, seed=21 + index,
        )  # fmt: skip
    knees = [leg.root + (leg.middle - leg.root) * along for leg in bones.legs]
    middle = (knees[0] + knees[1]) / 2
    half = float(np.linalg.norm(knees[1] - knees[0])) / 2
    start = bones.in_pelvis(0, 1, 6)
    rig.limb(
        group, TORSO, 6.0, start, middle + vector(0, 1.0, 0), (0, 1, 0.2), np.linspace(11, half + 2.5, 6),
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
    form = np.full(6, half + 8.5), np.full(6, 8.5)
    wide, deep, axis = _around_legs(m, top, way, front, below, form, offset)
    rig.limb(
        group, TORSO, 6.0, top, top + way * below, front, wide, deep, axis, flat=(0, 1), folds=0.4, seed=25,
        fold=(0.03, 0.10, 0.1),
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
        rig.cone(CAPE, 1, 1.0, bones.in_chest(sign * 6.5, 28.0, 3.2), bones.in_chest(sign * 13, 25.6, -6), 1.7, 2.6)
