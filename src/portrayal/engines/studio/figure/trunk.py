"""The trunk: torso and neck, bare and as a garment's shell, hems, collars and hoods."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.engines.studio.figure import types
from portrayal.engines.studio.figure.dress import Top
from portrayal.engines.studio.figure.making import Making
from portrayal.engines.studio.figure.rows import (
    BELT,
    BOTTOM,
    CUT,
    OUTER,
    PROP,
    PROP2,
    SKIN,
    TOP,
    TORSO,
    Vector,
    unit,
    vector,
)
from portrayal.engines.studio.figure.skeleton import THIGH

# Half widths and depths of the rib cage from the waist to the collar bones, cm.
_WIDE: Final = np.array([12.3, 13.0, 14.4, 15.6, 15.0, 9.2])
_DEEP: Final = np.array([9.0, 9.4, 10.2, 10.8, 9.2, 6.2])
_AXIS: Final = np.array([0.0, 0.2, 0.6, 0.4, -1.2, -2.6])
_LOOSE: Final = np.array([1.0, 0.9, 0.4, 0.1, 0.0, 0.0])
_FOLD: Final = (0.085, 0.030, 0.30)
_CUT_CHAIN: Final = 9
_FRONT_CHAIN: Final = 10

FLAT_CHESTED: Final = frozenset({"suit", "hood", "ring", "robe"})
"""Necks of garments so stiff or thick that the bust does not show."""

OPEN: Final = frozenset({"crew", "v", "wide", "robe", "polo", "shirt", "hood"})
"""Necks that show skin below the throat."""


def bare(m: Making) -> None:
    """Neck, and the skin of the chest and shoulders as far as the garment shows it."""
    rig, bones, build = m.rig, m.bones, m.build
    m.use("", types.BARE, "chest")
    base = bones.in_chest(0, 25.5, -2.6)
    rig.cone(SKIN, TORSO, 3.2, base, bones.skull, build.neck + 0.5, build.neck - 0.3)
    if m.worn.top.neck not in OPEN:
        return
    sw = build.shoulders
    front = bones.chest_axes[:, 2]
    wide = _WIDE * np.array([0.9 * build.waist, 0.95, sw, sw, sw, sw])
    rig.limb(SKIN, TORSO, 4.0, bones.in_chest(0, -7, -0.5), bones.in_chest(0, 26, -0.5), front, wide, _DEEP, _AXIS)
    if m.worn.top.neck == "wide":
        _bust(m, SKIN, 0.0, True)
    for index, sign in enumerate((-1, 1)):
        rig.cone(SKIN, TORSO, 4.0, bones.in_chest(sign * 2.4, 30, -4.2), _acromion(m, index), 3.4, 3.1)
        # Collar bone, and the muscle from behind the ear to the notch.
        rig.cone(
            SKIN, TORSO, 1.6, bones.in_chest(sign * 1.8, 26.9, 3.6), bones.in_chest(sign * 11 * sw, 27, -0.2), 0.5, 0.35
        )
        mastoid = bones.skull + bones.head_axes @ vector(sign * 4.6, -1, -1.5)
        rig.cone(SKIN, TORSO, 2.0, bones.in_chest(sign * 1.2, 28, 4.2), mastoid, 0.65, 0.7)


def _acromion(m: Making, index: int) -> Vector:
    """End of the shoulder's slope: it rises and comes forward with the arm."""
    local = np.asarray(m.bones.chest_axes.T @ (m.bones.arms[index].root - m.bones.thorax))
    return m.bones.in_chest(float(local[0]) * 0.93, float(local[1]) + 0.8, float(local[2]) - 0.8)


def _bust(m: Making, group: int, offset: float, shows: bool) -> None:
    for sign in (-1, 1):
        a, b = m.bones.in_chest(sign * 5.2, 17, 5), m.bones.in_chest(sign * 9.0, 17, 4.0)
        ra, rb = 4.6 + offset, 4.2 + offset
        if shows and m.build.bust > 0.05:
            share = min(m.build.bust / 1.5, 1.3) * min(max(1.5 - 0.45 * offset, 0.45), 1.0)  # thick cloth evens it out
            soft = m.bones.in_chest(sign * 6.2, 15.5, 4.4), m.bones.in_chest(sign * 7.2, 12.8, 6.0)
            a, b = a + (soft[0] - a) * share, b + (soft[1] - b) * share
            ra, rb = 4.6 + 0.4 * share + offset * 0.8, 4.2 + 0.9 * share + offset * 0.7
        m.rig.cone(group, TORSO, 5.0 + 1.6 * min(offset, 2.0), a, b, ra, rb)


def shell(m: Making) -> None:
    """The garment over the torso."""
    top, rig, bones, build = m.worn.top, m.rig, m.bones, m.build
    off, loose, sw = top.offset, top.loose * 0.75, build.shoulders
    m.use("main", types.CHEST, "chest")
    wide = _WIDE.copy()
    wide[:2] *= build.waist
    wide = wide * (1 - loose * _LOOSE) + 15.4 * loose * _LOOSE
    wide = wide * np.array([0.92, 0.985, sw, sw, sw, sw])
    hang = top.loose * (1.2 + 0.9 * build.bust)  # cloth falls from the bust, it does not follow it
    deep = _DEEP + hang * np.array([1.0, 0.9, 0.35, 0, 0, 0])
    folds = np.array([1.0, 0.75, 0.4, 0.22, 0.2, 0.15]) * top.folds
    front = bones.chest_axes[:, 2]
    seed = 3.0 + m.seed % 97
    rig.limb(
        TOP, TORSO, 5.0, bones.in_chest(0, -7, -0.5), bones.in_chest(0, 26, -0.5), front, wide + off, deep + off, _AXIS,
        folds=folds, seed=seed, fold=_FOLD, shift=104.0,
    )  # fmt: skip
    for index, sign in enumerate((-1, 1)):
        outer = _acromion(m, index) + bones.chest_axes @ vector(0, 0.9 * top.pad, 0)
        rig.cone(
            TOP, TORSO, 4.0, bones.in_chest(sign * 2.4, 30, -4.2), outer,
            3.4 + off * 0.8, 3.1 + off * 0.9 + top.pad * 0.2,
        )  # fmt: skip
        arm = bones.arms[index]
        raised = float(unit(arm.middle - arm.root)[1])
        if raised > -0.35 and top.sleeve > 0:  # the front of the armpit goes up with a raised arm
            reach = arm.root + (arm.middle - arm.root) * 0.16
            rig.cone(TOP, TORSO, 5.0, bones.in_chest(sign * 9.5 * sw, 13, 1.5), reach, 4.2 + off, 3.4 + off * 0.8)
    _bust(m, TOP, off, top.neck not in FLAT_CHESTED and m.worn.garment != "armour")
    waist = np.array([14.6 * build.hips, 13.6, 12.6 * build.waist, 12.3 * build.waist])
    in_trousers = top.tucked and m.worn.lower.kind != "skirt"
    low = -2.5 if in_trousers else -6.0
    inside = np.array([1.6, 0.6, 0.0, 0.0]) * in_trousers
    waist = (waist * (1 - top.loose * 0.7) + 15.6 * top.loose * 0.7) * np.array([0.94, 1, 1, 0.9])
    rig.limb(
        TOP, TORSO, 5.0, bones.in_waist(0, low, 0), bones.in_waist(0, 12, 0), bones.waist_axes[:, 2],
        waist + off - inside, np.array([10.0, 9.6, 9.2, 9.0]) + off + hang - inside, 0.3,
        flat=(float(in_trousers), 0), folds=top.folds, seed=seed, fold=_FOLD, shift=92.0,
    )  # fmt: skip
    if not top.tucked:
        _hem(m, top, seed)


def _hem(m: Making, top: Top, seed: float) -> None:
    """The part below the waist; over the thighs a short shell each, or a hip that steps out would pierce it."""
    rig, bones, off = m.rig, m.bones, top.offset
    lying = m.seated or m.pose.prop == "bicycle"
    hem = max(top.hem, 0.5) if lying else top.hem
    if hem < 9:
        at = np.linspace(hem, 10, 6)
        hips = m.build.hips
        below = m.worn.lower.offset * 0.8
        wide = np.interp(at, [-16, -8, -3, 4, 10], [17.2, 17.2, 16.8 * hips, 15.9 * hips, 14.2]) + below
        wide = wide * (1 - top.loose * 0.3) + np.maximum(wide, 17.0) * top.loose * 0.3
        if lying:
            wide -= 0.5 * off * np.linspace(1, 0, 6)
        if top.cuffs:  # a ribbed hem gathers the cloth
            wide[0] -= 0.7
        over = off * np.linspace(0.6, 0.9, 6) + 0.4  # stretched over the hips
        taper = np.array([1, 1, 1, 1, 0.98, 0.92])
        deep = np.interp(at, [-16, -6, 4, 10], [12.0, 12.2, 11.2, 9.9]) + below
        rig.limb(
            TOP, TORSO, 4.0, bones.in_pelvis(0, hem, -0.3), bones.in_pelvis(0, 10, -0.3), bones.pelvis_axes[:, 2],
            (wide + over) * taper, (deep + over) * taper, -0.2,
            flat=(1, 0), folds=np.linspace(1.1, 0.9, 6) * top.folds, seed=seed, fold=_FOLD, shift=88.0 + hem,
        )  # fmt: skip
    if top.hem >= 1 or m.worn.lower.kind == "skirt":
        return
    legs = m.worn.lower.offset
    for leg in bones.legs:
        down = float(np.clip(-unit(leg.middle - leg.root)[1], 0, 1))
        reach = max((-0.2 - top.hem) / THIGH * (1 + 1.0 * (1 - down)), 0.05)
        if lying:
            reach = min(max(reach, 0.2), 0.42)
        grow = legs + 0.7 + off * 0.15 + 1.6 * (1 - down)
        thigh = np.array([7.6, 8.3, 7.8, 7.0, 6.2, 5.6]) * m.build.leg
        rig.limb(
            TOP, TORSO, 4.0, leg.root, leg.middle, leg.pole, thigh + grow, thigh * 1.03 + grow,
            (0, 0.6, 0.9, 0.6, 0.2, 0), flat=(0, 1), span=(0.0, reach),
        )  # fmt: skip


def _cut(m: Making, group: int, low: float, tip: float, wide: float, deep: float) -> None:
    """The hole for the neck: `low` and `tip` in chest axes are where its axis starts and how far forward it leads."""
    front = m.bones.chest_axes[:, 2]
    row = m.rig.limb(
        group, _CUT_CHAIN, 0.1, m.bones.in_chest(0, low, 1.2), m.bones.in_chest(0, 52, tip), front,
        np.array([1.0, 1.03, 1.07, 1.14, 1.14, 1.14]) * wide, np.array([1.0, 1.03, 1.05, 1.05, 1.05, 1.05]) * deep,
        -1.2,
    )  # fmt: skip
    row[CUT] = 1


def _wedge(m: Making, group: int, point: float, half: float) -> None:
    """A V cut whose point lies `point` above the chest's origin; `half` = half its width 10 cm above the point."""
    row = m.rig.limb(
        group, _CUT_CHAIN, 0.1, m.bones.in_chest(0, point, 11.0), m.bones.in_chest(0, point + 20, 11.0),
        m.bones.chest_axes[:, 2], np.linspace(0.12, 2.0 * half, 6), 13.0, flat=(1, 0),
    )  # fmt: skip
    row[CUT] = 1


def front(m: Making) -> None:
    """The opening of a jacket's or coat's front, from the last button down; it shows what is worn below."""
    top = m.worn.top
    if top.front == 0 or m.seated:
        return
    upper, lower = (-4.0, -top.skirt - 4) if top.skirt > 0 else (-3.0, top.hem - 4)
    way = vector(0, -1, 0) if top.skirt > 0 else -m.bones.pelvis_axes[:, 1]
    start = m.bones.in_pelvis(0.8, upper, 36.0)
    row = m.rig.limb(
        TOP, _FRONT_CHAIN, 0.1, start, start + way * (upper - lower), m.bones.pelvis_axes[:, 2],
        np.linspace(0.12, top.front, 6), 42.0, flat=(1, 0),
    )  # fmt: skip
    row[CUT] = 1


def _tube(m: Making, group: int, low: float, high: float, more: float, blend: float = 1.5) -> None:
    """A band round the neck, wider where it rests on the shoulders."""
    foot, brim = m.build.neck + more + 0.9, m.build.neck + more
    m.rig.limb(
        group, TORSO, blend, m.bones.in_chest(0, low, -2.4), m.bones.in_chest(0, high, -1.4),
        m.bones.chest_axes[:, 2], (foot, brim, brim + 0.1), (foot + 0.4, brim + 0.2, brim + 0.1), 0.25, flat=(0, 1),
    )  # fmt: skip


def _leaf(m: Making, high: float, fall: float) -> None:
    """The turned-down leaf of a shirt's collar."""
    neck = m.build.neck
    m.rig.limb(
        PROP2, TORSO, 0.2, m.bones.in_chest(0, high, -1.3), m.bones.in_chest(0, high - fall, -1.9),
        m.bones.chest_axes[:, 2], (neck + 1.35, neck + 1.9, neck + 3.0), (neck + 1.4, neck + 2.1, neck + 3.5), (0.25,
        0.4, 0.9),
        flat=(0, 1),
    )  # fmt: skip


def collar(m: Making) -> None:
    """What is round the neck."""
    neck, bones, build = m.worn.top.neck, m.bones, m.build
    if neck in ("crew", "hood"):
        dip = {"t-shirt": 1.2, "dress": 2.2, "sari": 2.0}.get(m.worn.garment, -0.3 if neck == "crew" else 0.6)
        _cut(m, TOP, 27.2 - dip, 9.0, 7.0, 7.6)
    elif neck == "v":
        _cut(m, TOP, 26.6, 8.0, 6.8, 7.2)
        _wedge(m, TOP, 15.5, 4.0)
    elif neck == "wide":
        _bodice(m)
    elif neck in ("shirt", "polo", "suit"):
        _cut(m, TOP, 28.5, 8.0, build.neck + 0.7, build.neck + 1.0)
        m.use("shirt" if neck == "suit" else "main", types.CUFF, "chest")
        _tube(m, PROP2, 25.5, 32.4, 0.9)
        _leaf(m, 32.6, 4.6 if neck == "suit" else 5.2)
        _wedge(m, PROP2, 24.6, 3.6)
        if neck != "suit":
            _wedge(m, TOP, 20.5 if neck == "polo" else 23.0, 3.0)
    elif neck == "robe":
        _cut(m, TOP, 27.0, 8.0, 6.6, 7.2)
        _wedge(m, TOP, 12.0, 4.0)
        m.use("collar", types.HOOD, "chest")
        for sign in (-1, 1):
            nape, end = bones.in_chest(sign * 6.4, 30.6, -3), bones.in_chest(-sign * 1.2, 11.0, 11.4)
            m.rig.limb(TOP, 20 + sign, 0.8, nape, end, bones.chest_axes[:, 0] * sign, 1.0, 2.3, flat=(0, 0))
    elif neck == "roll":
        m.use("main", types.HOOD, "chest")
        _tube(m, TOP, 24.5, 34.0, 1.25, blend=2.0)
    elif neck == "stand":
        m.use("main", types.HOOD, "chest")
        thick = 1.7 if m.worn.garment == "armour" else 1.05
        _tube(m, TOP, 24.5, 31.6, thick)
    elif neck == "ring":
        m.use("ring", types.STEEL, "chest")
        axis = bones.chest_axes @ vector(0, 1, 0.30)
        m.rig.torus(PROP2, TORSO, bones.in_chest(0, 31.4, 0.6), axis, 11.0, 1.5)
        m.rig.torus(PROP2, 1, bones.in_chest(0, 29.6, 0.2), axis, 12.0, 1.1)
        m.use("main", types.HOOD, "chest")
        _tube(m, PROP, 22.0, 32.0, 1.6)
    if neck == "hood":
        _hood(m)
    if m.worn.scarf:
        _scarf(m)


def _bodice(m: Making) -> None:
    """Bare shoulders: everything above the bust is cut away; a toga keeps one shoulder."""
    axes = m.bones.chest_axes
    if m.worn.garment == "toga":
        _cut(m, TOP, 25.0, 9.0, 8.6, 9.0)
        _sash(m, "main")
        return
    row = m.rig.box(TOP, _CUT_CHAIN, m.bones.in_chest(0, 18.5 + 16, 0), axes.T, (34, 16, 24), 0.5)
    row[CUT] = 1
    for sign in (-1, 1):  # the neckline dips between the breasts
        turned = (axes @ unit(vector(0.9, sign * 0.36, 0)), axes @ unit(vector(-sign * 0.36, 0.9, 0)), axes[:, 2])
        row = m.rig.box(TOP, _CUT_CHAIN, m.bones.in_chest(sign * -7.0, 18.0 + 7, 6), turned, (9, 6, 14), 1.5)
        row[CUT] = 1


def _sash(m: Making, cloth: str) -> None:
    """Cloth from one shoulder to the other hip."""
    m.use(cloth, types.CAPE, "chest")
    bones, front = m.bones, m.bones.chest_axes[:, 2]
    out = m.worn.top.offset - 1.0
    m.rig.limb(
        OUTER, TORSO, 2.5, bones.in_chest(-10.5, 26.5, 3.5), bones.in_pelvis(15.5, 2, 2.0), front,
        (6.5, 9, 10, 10, 9, 7), 1.7, np.array([0, 6.4, 8.6, 9.0, 6.5, 1.0]) + out * np.array([0.5, 1, 1, 1, 1, 1]),
        folds=0.32, seed=61 + m.seed % 7, fold=(0.018, 0.24, 0.1),
    )  # fmt: skip
    back = bones.in_chest(-11.5, 24, -5)
    m.rig.limb(OUTER, 1, 2.0, bones.in_chest(-11, 26.5, 2), back, front, 6.5, 2.8)
    m.rig.limb(
        OUTER, 1, 2.0, back, back + vector(-2, -62, -5), front, (6, 8, 9, 10, 10.5, 11), 1.2, flat=(0, 1),
        folds=0.6, seed=63, fold=(0.02, 0.12, 0.0),
    )  # fmt: skip


def sari_drape(m: Making) -> None:
    """The end of a sari, over one shoulder."""
    if m.worn.garment == "sari":
        _sash(m, "skirt")


def _hood(m: Making) -> None:
    m.use("main", types.HOOD, "chest")
    size = 1.25 if m.worn.garment == "parka" else 1.0
    m.rig.cone(
        TOP, TORSO, 1.6, m.bones.in_chest(-1.5, 26.2, 7.4), m.bones.in_chest(1.5, 26.2, 7.4), 1.9 * size, 1.9 * size
    )
    for sign in (-1, 1):
        a, b = m.bones.in_chest(sign * 1.5, 27.0, 7.4), m.bones.in_chest(sign * 8.3, 29.5, -1.0)
        m.rig.cone(TOP, TORSO, 1.6, a, b, 1.7 * size, 2.6 * size)
        m.rig.cone(TOP, TORSO, 2.5, b, m.bones.in_chest(sign * 2, 29, -10.5), 2.6 * size, 3.6 * size)


def _scarf(m: Making) -> None:
    m.use("scarf", types.HOOD, "chest")
    rig, bones = m.rig, m.bones
    for y, z, ring, tube, tilt in ((31.6, -0.4, 7.2, 2.1, 0.34), (29.2, 0.4, 8.0, 2.3, 0.42)):
        rig.torus(
            OUTER,
            TORSO,
            bones.in_chest(0, y, z),
            bones.chest_axes @ vector(0.06, 1, tilt),
            ring + m.build.neck - 5.7,
            tube,
        )
    out = 11.6 + m.worn.top.offset
    for x, long, seed in ((-3.0, 40, 71), (3.4, 34, 72)):
        rig.limb(
            OUTER, 1, 1.2, bones.in_chest(x * 0.6, 28, 9.0), bones.in_chest(x * 1.6, 28 - long, out),
            bones.chest_axes[:, 2],
            (2.6, 4.2, 4.6, 4.8, 5.0, 5.2), 1.1, (0, 1.8, 2.2, 1.6, 0.8, 0), flat=(0, 1),
            folds=0.3, seed=seed, fold=(0.03, 0.2, 0.1),
        )  # fmt: skip


def belt(m: Making) -> None:
    """A belt: at the trousers when the shirt is tucked in, or round the garment's own waist."""
    if not m.worn.belt:
        return
    top, build, rig, bones = m.worn.top, m.build, m.rig, m.bones
    wide_obi = m.worn.garment == "kimono"
    m.use("belt", types.BELT, "pelvis")
    if m.worn.top.tucked and m.worn.lower.kind != "skirt":
        off, low, high = m.worn.lower.offset * 0.8 + (1.1 if m.worn.lower.kind == "tights" else 0.35), 6.2, 9.6
        wide = np.array([14.6 * build.hips, 13.5])
        rig.limb(
            BELT, TORSO, 0.2, bones.in_pelvis(0, low, -0.2), bones.in_pelvis(0, high, -0.2), bones.pelvis_axes[:, 2],
            wide + off, np.array([10.1, 9.8]) + off, 0.2, flat=(1, 1),
        )  # fmt: skip
        return
    off = top.offset + 0.55 + 0.4 * max(top.offset - 1.0, 0.0)  # blending swells thick cloth
    low, high = (-4.5, 11.5) if wide_obi else (1.0, 5.2)
    stiff = 1.9 if wide_obi else 0.1
    waist = max(build.waist * 12.6 * (1 - top.loose * 0.7) + 15.6 * top.loose * 0.7, 12.6)
    rig.limb(
        BELT, TORSO, 0.2, bones.in_waist(0, low, 0.1), bones.in_waist(0, high, 0.1), bones.waist_axes[:, 2],
        waist + off + stiff, 9.7 + off + top.loose * (1.2 + 0.9 * build.bust) + stiff, 0.3,
        flat=(1, 1),
    )  # fmt: skip


def hips(m: Making) -> None:
    """Trousers round the pelvis."""
    lower, build, rig, bones = m.worn.lower, m.build, m.rig, m.bones
    m.use("trousers", types.HIPS, "pelvis")
    low = -6.0  # flat on a seat; else the crotch lies a rounded end lower
    at = np.linspace(low, 10, 6)
    wide = np.interp(at, [-6, -3, 3, 10], [14.6, 16.4 * build.hips, 15.4 * build.hips, 12.9 * max(build.waist, 0.95)])
    deep = np.interp(at, [-6, -2, 4, 10], [7.6, 10.0, 10.2, 9.5])
    off = lower.offset * 0.8
    rig.limb(
        BOTTOM, TORSO, 5.0, bones.in_pelvis(0, low, -0.3), bones.in_pelvis(0, 10, -0.3), bones.pelvis_axes[:, 2],
        wide + off, deep + off, (-0.6, -0.4, 0, 0.2, 0.2, 0.2), flat=(float(m.seated), 1),
        folds=lower.folds * np.array([1, 0.8, 0.6, 0.3, 0.15, 0.05]), seed=31, fold=(0.09, 0.03, 0.0),
    )  # fmt: skip
    for sign in () if m.seated else (-1, 1):
        rig.cone(
            BOTTOM, TORSO, 6.0, bones.in_pelvis(sign * 6.5, -2, -4.6), bones.in_pelvis(sign * 7.2, -5.5, -4.6),
            7.4 + lower.offset * 0.6, 7.2 + lower.offset * 0.6,
        )  # fmt: skip
