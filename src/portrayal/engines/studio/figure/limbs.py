"""Arms and legs, bare and dressed, shoes and gloves."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.engines.studio.figure import types
from portrayal.engines.studio.figure.hands import hand
from portrayal.engines.studio.figure.making import Making
from portrayal.engines.studio.figure.rows import (
    ARM_LEFT,
    BOTTOM,
    CUT,
    LEG_LEFT,
    OUTER,
    PROP,
    PROP2,
    SHOE,
    SKIN,
    SOLE,
    SOLE_AT,
    SOLES,
    TOP,
    Vector,
    unit,
    vector,
)

# Half widths from joint to joint, cm.
UPPER: Final = np.array([5.0, 5.1, 4.7, 4.35, 4.05, 3.9])
FORE: Final = np.array([3.9, 4.2, 3.85, 3.3, 2.8, 2.55])
_UPPER_AXIS: Final = np.array([0.0, 0.1, 0.3, 0.3, 0.1, 0.0])
THIGHS: Final = np.array([7.6, 8.3, 7.8, 7.0, 6.2, 5.6])
SHINS: Final = np.array([5.4, 5.5, 5.3, 4.5, 3.7, 3.4])
_THIGH_AXIS: Final = np.array([0.0, 0.6, 0.9, 0.6, 0.2, 0.0])
_SHIN_AXIS: Final = np.array([-0.1, -0.9, -1.2, -0.8, -0.3, 0.0])


def arm(m: Making, index: int) -> None:
    """One arm with its sleeve and hand."""
    limb, top = m.bones.arms[index], m.worn.top
    inner, chain = -limb.pole, ARM_LEFT + index
    upper, fore = UPPER * m.build.arm, FORE * m.build.arm
    rig = m.rig
    covered = top.sleeve > 1.0
    if not covered:  # under a long sleeve the upper arm would only pierce the folds
        m.use("", types.BARE, f"upper arm {index}")
        slim = np.array([0.85, 0.9, 0.97, 1, 1, 1]) if top.sleeve > 0 else np.array([1.0, 1.02, 1, 1, 1, 1])
        rig.limb(
            SKIN, chain, 1.2, limb.root, limb.middle, inner, upper * slim, upper * 1.06 * slim, _UPPER_AXIS,
            join=5.0 if top.sleeve == 0 else 3.2,
        )  # fmt: skip
    if not covered or m.worn.glove is None:
        m.use("", types.BARE, f"forearm {index}")
        visible = (0.7 if covered else 0.0, 1)
        rig.limb(SKIN, chain, 1.2, limb.middle, limb.end, inner, fore * 1.03, fore * 0.97, span=visible)
    if top.sleeve > 0:
        _sleeve(m, index, upper, fore)
    if m.worn.garment == "armour":
        _arm_plates(m, index)
    place = m.bones.hands[index]
    if place.shape:
        gloved = m.worn.glove is not None
        m.use("gloves" if gloved else "", types.GLOVE if gloved else types.PALM, f"forearm {index}")
        hand(
            rig,
            PROP if gloved else SKIN,
            chain + (6 if gloved else 0),
            limb.end,
            place,
            m.build.hand,
            glove=m.worn.glove,
        )
        if gloved and (m.worn.garment != "parka"):
            m.use("gloves", types.GLOVE, f"forearm {index}")
            long = 0.86 if m.worn.garment == "spacesuit" else 0.55
            more = top.arm + 0.6
            rig.limb(
                PROP, chain + 3, 0.3, limb.middle, limb.end, inner, np.maximum(fore, 3.0) + more,
                np.maximum(fore, 3.0) + more, flat=(1, 1), span=(long, 1.0),
            )  # fmt: skip


def _sleeve(m: Making, index: int, upper: Vector, fore: Vector) -> None:
    limb, top, rig = m.bones.arms[index], m.worn.top, m.rig
    inner, chain, sign = -limb.pole, ARM_LEFT + index, index * 2 - 1
    bend = float(np.clip(limb.bend / 90, 0.15, 1.15))
    off, end = top.arm, min(top.sleeve, 1.0)
    open_end = off + (0.7 if top.sleeve < 1 else 0.0)
    grow = (open_end - off) * np.array([0, 0.2, 0.5, 0.9, 1, 1])
    folds = top.folds * (0.5 + 0.5 * bend)
    seed = 11 + sign + m.seed % 89
    cloth = "shirt" if top.vest else "main"
    m.use(cloth, types.SLEEVE, f"upper arm {index}")
    rig.limb(
        TOP, chain, 1.6, limb.root, limb.middle, inner,
        upper + off + np.array([-0.35, -0.1, 0.15, 0.3, 0.2, 0.2]) + grow,
        upper * 1.06 + off + np.array([-0.2, 0, 0.2, 0.3, 0.2, 0.2]) + grow, np.array([0, 0.1, 0.2, 0.2, 0.1, 0]),
        join=5.0, flat=(0, 1 if top.sleeve < 1 else 0), folds=np.array([0.45, 0.5, 0.5, 0.7, 0.95, 1.05]) * folds,
        seed=seed, fold=(0.13, 0.035, 0.30 * sign), span=(0.0, end),
    )  # fmt: skip
    if top.sleeve <= 1:
        return
    m.use(cloth, types.SLEEVE, f"forearm {index}")
    wrist = top.sleeve - 1 - (0.035 if m.worn.glove is None else 0.0)
    rig.limb(
        TOP, chain, 1.6, limb.middle, limb.end, inner, np.maximum(fore, 3.1) + off + 0.15, np.maximum(fore,
        3.0) + off + 0.15,
        flat=(0, 1), folds=np.array([1.05, 0.8, 0.5, 0.4, 0.55, 0.7]) * folds,
        seed=seed + 6, fold=(0.14, 0.04, 0.35 * sign), span=(0.0, wrist),
    )  # fmt: skip
    if top.cuffs:
        m.use("main", types.CUFF, f"forearm {index}")
        thin = off * 0.55
        rig.limb(
            TOP, chain, 0.4, limb.middle, limb.end, inner, np.maximum(fore, 3.1) + thin, np.maximum(fore, 3.0) + thin,
            flat=(1, 1), span=(0.87, 1.0),
        )  # fmt: skip
    if top.shirt and m.worn.glove is None:
        m.use("shirt", types.CUFF, f"forearm {index}")
        rig.limb(
            PROP2, 3 + chain, 0.3, limb.middle, limb.end, inner, np.maximum(fore, 3.0) + 0.75, np.maximum(fore,
            2.8) + 0.75,
            flat=(1, 1), span=(0.9, 1.02),
        )  # fmt: skip
    if top.drop > 0:  # a hanging sleeve: a flat bag below the forearm
        m.use("main", types.SLEEVE, f"forearm {index}")
        along = unit(limb.end - limb.middle)
        start = limb.middle + along * 11.0
        down = vector(0, -1, 0)
        steep = abs(float(along @ down))
        long = top.drop * (1 - 0.55 * steep)
        rig.limb(
            TOP, chain, 3.0, start, start + down * long, along if steep < 0.95 else limb.pole, np.linspace(4.4, 2.0, 6),
            np.linspace(11.5, 11.0, 6) * (1 - 0.5 * steep), flat=(0, 1), square=3.0,
        )  # fmt: skip


def _arm_plates(m: Making, index: int) -> None:
    limb, rig, chain = m.bones.arms[index], m.rig, ARM_LEFT + index
    inner = -limb.pole
    m.use("main", types.PLATE, f"upper arm {index}")
    bone = limb.middle - limb.root
    for q, (at, radius) in enumerate(((-0.04, 8.2), (0.13, 7.6), (0.28, 7.0))):
        a = limb.root + bone * at
        rig.limb(
            OUTER, 3 * chain + q, 0.2, a, a + bone * 0.24, inner, np.linspace(radius - 0.8, radius, 6) * m.build.arm,
            np.linspace(radius - 0.8, radius + 0.2, 6) * m.build.arm, flat=(0, 1),
        )  # fmt: skip
    rig.limb(
        OUTER, 3 * chain + 4, 0.3, limb.middle - bone * 0.16, limb.middle + (limb.end - limb.middle) * 0.14, inner,
        (5.2, 5.9, 6.1, 6.1, 5.9, 5.2), (5.4, 6.0, 6.2, 6.2, 6.0, 5.4), -0.4,
    )  # fmt: skip


def leg(m: Making, index: int) -> None:
    """One leg: skin, tights, plates or a trouser leg, and its foot."""
    limb, lower, rig = m.bones.legs[index], m.worn.lower, m.rig
    chain, sign = LEG_LEFT + index, index * 2 - 1
    thigh, shin = THIGHS * m.build.leg, SHINS * m.build.leg
    bend = float(np.clip(limb.bend / 80, 0.12, 1.1))
    off = lower.offset
    upper, below = f"thigh {index}", f"shin {index}"
    if lower.kind == "skirt":
        if lower.length < 38:  # what the skirt hides would only pierce it
            m.use("", types.BARE, upper)
            rig.limb(SKIN, chain, 2.0, limb.root, limb.middle, limb.pole, thigh, thigh * 1.03, _THIGH_AXIS, join=4.0)
        m.use("", types.BARE, below)
        hidden = min(max((lower.length - 50) / 39.5, 0.0), 0.75)
        rig.limb(SKIN, chain, 2.5, limb.middle, limb.end, limb.pole, shin, shin * 1.03, _SHIN_AXIS, span=(hidden, 1.0))
    elif lower.kind in ("tights", "plates"):
        for part, frame, a, b, radius, axis in (
            (types.UPPER_LEG, upper, limb.root, limb.middle, thigh, _THIGH_AXIS),
            (types.LOWER_LEG, below, limb.middle, limb.end, shin, _SHIN_AXIS),
        ):
            m.use("trousers", part, frame)
            rig.limb(
                BOTTOM, chain, 2.3, a, b, limb.pole, radius + off, radius * 1.03 + off, axis, folds=lower.folds,
                seed=21 + sign, join=6.0 if part == types.UPPER_LEG else 0.0,
            )  # fmt: skip
        if lower.kind == "plates":
            _leg_plates(m, index, thigh, shin)
    else:
        knee, ankle = lower.knee, lower.ankle
        wide = np.array([
            thigh[0] + off, thigh[1] + off * 1.1, max(thigh[2] + off * 1.2, knee + 1.6), max(thigh[3] + off,
            knee + 0.9),
            max(thigh[4] + off, knee + 0.35), knee,
        ])  # fmt: skip
        tube = np.array([
            knee, max(knee * 0.98, shin[1] + off), max(knee * 0.6 + ankle * 0.4, shin[2] + off),
            knee * 0.4 + ankle * 0.6,
            knee * 0.15 + ankle * 0.85, ankle,
        ])  # fmt: skip
        folds = lower.folds * (0.6 + 0.8 * bend)
        m.use("trousers", types.UPPER_LEG, upper)
        rig.limb(
            BOTTOM, chain, 2.5, limb.root, limb.middle, limb.pole, wide, wide * 1.03, _THIGH_AXIS, join=4.0,
            folds=np.array([1.0, 0.75, 0.5, 0.5, 0.8, 1.2]) * folds, seed=21 + sign + m.seed % 83,
            fold=(0.095, 0.032, 0.45 * sign),
        )  # fmt: skip
        m.use("trousers", types.LOWER_LEG, below)
        short = 0.9 if lower.offset > 2 else 1.03
        rig.limb(
            BOTTOM, chain, 2.5, limb.middle, limb.end, limb.pole, tube, tube * 1.05, _SHIN_AXIS * 0.55, flat=(0, 1),
            folds=np.array([1.2, 0.8, 0.55, 0.55, 0.95, 1.25]) * folds, seed=27 + sign + m.seed % 83,
            fold=(0.12, 0.035, 0.30 * sign), span=(0.0, short),
        )  # fmt: skip
    _shoe(m, index)


def _leg_plates(m: Making, index: int, thigh: Vector, shin: Vector) -> None:
    limb, rig, chain, off = m.bones.legs[index], m.rig, LEG_LEFT + index, m.worn.lower.offset
    m.use("plates", types.PLATE, f"shin {index}")
    up, down = limb.root - limb.middle, limb.end - limb.middle
    rig.limb(
        OUTER, 20 + chain, 0.3, limb.middle + up * 0.14, limb.middle + down * 0.12, limb.pole,
        (6.6, 7.5, 7.8, 7.8, 7.4, 6.4), (6.8, 7.7, 8.2, 8.2, 7.6, 6.6), 0.5,
    )  # fmt: skip
    rig.limb(
        OUTER, 24 + chain, 0.3, limb.middle, limb.end, limb.pole, shin + off + 0.6, shin * 1.03 + off + 0.6, _SHIN_AXIS,
        flat=(1, 1), span=(0.16, 0.97),
    )  # fmt: skip
    m.use("plates", types.PLATE, f"thigh {index}")
    rig.limb(
        OUTER, 28 + chain, 0.3, limb.root, limb.middle, limb.pole, thigh + off + 0.7, thigh * 1.03 + off + 0.7,
        _THIGH_AXIS,
        flat=(1, 1), span=(0.2, 0.84),
    )  # fmt: skip


def _shoe(m: Making, index: int) -> None:
    limb, foot, feet, rig = m.bones.legs[index], m.bones.feet[index], m.worn.feet, m.rig
    chain, size = LEG_LEFT + index, 0.96 + 0.1 * max(m.build.shoulders - 0.97, 0.0)
    frame = f"shin {index}"
    boot = feet.kind == "boot"
    up, ahead, ankle = foot.up, foot.forward, limb.end

    def at(height: float, along: float) -> Vector:
        return ankle + up * height + ahead * along

    wide = (np.array([3.2, 3.5, 3.9, 4.5, 4.5, 3.4]) + (0.5 if boot else 0.0)) * size
    if feet.kind == "sandal":
        m.use("", types.BARE, frame)
        _foot(m, chain, ankle, up, at(-3.8, 11.5), at(-4.6, 14.5))
        m.use("shoes", types.SHOE, frame)
        for along, height in ((8.5, -2.2), (-1.5, 0.8)):
            rig.torus(SHOE, 30 + chain, at(height - 1.8, along), ahead * 0.9 + up * 0.3, 3.3, 0.75)
    else:
        tall = np.array([4.4, 4.5, 3.9, 3.0, 2.35, 1.7]) + (np.array([0.4, 0.5, 0.6, 0.6, 0.65, 0.6]) if boot else 0.0)
        m.use("shoes", types.SHOE, frame)
        row = rig.limb(SHOE, chain, 1.2, at(-2.6, -4.6 * size), at(-2.6, 16.2 * size), up, wide, tall, tall - 4.4)
        row[SOLE], row[SOLE_AT] = 1, 4.0
        if feet.kind == "low":
            m.use("", types.BARE, frame)
            _foot(m, chain, ankle, up, at(-3.8, 10), at(-3.8, 10.5))
            row = rig.limb(
                SHOE, 30 + chain, 0.1, at(-0.2, -3), at(1.2, 6.8), up, 2.9, (3.0, 3.0, 2.8, 2.6, 2.4, 2.0), 1.2
            )
            row[CUT] = 1
        else:
            # Under trousers a boot's shaft would only pierce them.
            tall_boot = boot and m.worn.lower.kind != "trousers"
            shaft = 15.0 if tall_boot else 4.5
            rig.limb(
                SHOE, chain, 2.0, ankle - up * 1.5 - ahead * 0.6, ankle + unit(limb.middle - ankle) * shaft, ahead,
                np.linspace(3.9, 5.7 if tall_boot else 4.3, 6), np.linspace(4.6, 6.0 if tall_boot else 4.6, 6),
                flat=(0, 1),
            )  # fmt: skip
    trainers = feet.sole > 1.0 and not boot
    m.use("light sole" if trainers else "sole", types.SOLE, frame)
    rig.limb(
        SOLES, chain, 0.3, at(-6.95 + feet.sole * 0.6, -4.9 * size), at(-6.95 + feet.sole * 0.6, 16.7 * size), up,
        wide + 0.3, feet.sole, np.array([0, 0, -0.05, -0.1, 0, 0.35]),
    )  # fmt: skip


def _foot(m: Making, chain: int, ankle: Vector, up: Vector, ball: Vector, toes: Vector) -> None:
    """A bare foot."""
    m.rig.limb(
        SKIN, chain, 2.0, ankle + up * 1.5, ball, up, (3.2, 3.2, 3.1, 3.4, 3.6, 3.6), (3.0, 3.0, 2.6, 2.1, 1.7, 1.5)
    )
    m.rig.cone(SKIN, chain, 1.5, ankle - up * 3.0, ankle - up * 3.2, 3.0, 3.0)
    m.rig.limb(SKIN, chain, 1.2, ball, toes, up, (3.6, 3.5, 3.4, 3.2, 2.9, 2.2), (1.5, 1.4, 1.2, 1.1, 1.0, 0.9))
