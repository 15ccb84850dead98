"""Things: chair, stool, bench, sign, cup and bicycle, as rows in the body's own axes (before its yaw)."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from portrayal.engines.studio.figure import types
from portrayal.engines.studio.figure.making import Making
from portrayal.engines.studio.figure.rows import PROP, PROP2, Vector, unit, vector

SEAT_BELOW: Final = 9.5
"""The seat lies this far below the hip joints: the thighs flatten on it."""
SIGN: Final = (29.0, 19.5)
"""Half width and height of the sign board, cm."""
SIGN_AT: Final = vector(0, 112, 21.5)
SIGN_LEAN: Final = 0.06
"""How far the board leans back (tangent)."""
_EYE: Final = np.eye(3)


def _leaning(back: float) -> tuple[Vector, Vector, Vector]:
    """Axes of a board whose top leans back (tangent of the angle)."""
    return vector(1, 0, 0), unit(vector(0, 1, -back)), unit(vector(0, back, 1))


def seat(m: Making) -> None:
    """What the body sits on."""
    height = m.pose.height - SEAT_BELOW
    {"chair": _chair, "stool": _stool, "bench": _bench}[m.pose.seat](m, height)


def _chair(m: Making, y: float) -> None:
    rig = m.rig
    m.use("wood", types.WOOD, "room")
    rig.box(PROP, 20, vector(0, y - 2.0, 2), _EYE, (21, 2.2, 21), 1.2)
    lean = _leaning(0.16)
    for up, half in ((37.5, 6.0), (22.0, 2.6)):
        rig.box(PROP, 20, vector(0, y + up, -18.0 - 0.15 * up), lean, (18.5, half, 1.1), 0.9)
    for sign in (-1, 1):
        front, back = vector(sign * 18.5, y - 3, 19.5), vector(sign * 18.5, y - 2, -16.5)
        rig.cone(PROP, 21, 0.1, front, vector(sign * 19.5, 1.2, 21), 1.9, 1.4)
        rig.cone(PROP, 21, 0.1, vector(sign * 18.5, y + 45, -24.5), back, 1.5, 1.8)
        rig.cone(PROP, 21, 0.1, back, vector(sign * 19.5, 1.2, -21), 1.8, 1.4)
        rig.cone(PROP, 21, 0.1, vector(sign * 19, y * 0.45, 20), vector(sign * 19, y * 0.45, -18.5), 0.95, 0.95)


def _stool(m: Making, y: float) -> None:
    rig = m.rig
    m.use("wood", types.WOOD, "room")
    rig.limb(
        PROP, 20, 0.3, vector(0, y - 3.6, 2), vector(0, y, 2), (0, 0, 1), (17.4, 18, 18), (17.4, 18, 18), flat=(1, 1)
    )
    m.use("frame", types.STEEL, "room")
    for quarter in range(4):
        c, s = math.cos(0.8 + quarter * math.pi / 2), math.sin(0.8 + quarter * math.pi / 2)
        rig.cone(PROP2, 21, 0.1, vector(c * 13, y - 3, 2 + s * 13), vector(c * 18, 1.1, 2 + s * 18), 1.25, 1.1)
    rig.torus(PROP2, 21, vector(0, y * 0.42, 2), (0, 1, 0), 16.0, 0.8)


def _bench(m: Making, y: float) -> None:
    """A park bench: slats on two iron frames, wider than the body."""
    rig = m.rig
    long, middle = 58.0, 14.0 * (-1 if m.pose.mirrored else 1)
    m.use("wood", types.WOOD, "room")
    for z in (-15.0, -5.0, 5.0, 15.0):
        rig.box(PROP, 20, vector(middle, y - 1.6, z + 1), _EYE, (long, 1.6, 4.5), 0.6)
    lean = _leaning(0.25)
    for up in (13.0, 24.0, 35.0):
        rig.box(PROP, 20, vector(middle, y + up, -19.0 - 0.25 * up), lean, (long, 4.2, 1.3), 0.6)
    m.use("frame", types.STEEL, "room")
    for sign in (-1, 1):
        x = middle + sign * (long - 9)
        foot, nape = vector(x, 1.4, 19), vector(x, y + 40, -30.5)
        for a, b in (
            (foot, vector(x, y - 4, 17)),
            (vector(x, y - 4, 17), vector(x, y - 4, -19)),
            (vector(x, y - 4, -19), nape),
            (vector(x, y - 4, -17), vector(x, 1.4, -24)),
        ):
            rig.cone(PROP2, 21, 0.3, a, b, 1.5, 1.5)


def hand_things(m: Making) -> dict[str, Vector]:
    """What the hands hold; returns marks of things, by name, that the surface needs."""
    if m.pose.prop == "sign":
        m.use("paper", types.PLAIN, "room")
        axes = _leaning(SIGN_LEAN)
        m.rig.box(PROP, 20, SIGN_AT, axes, (*SIGN, 0.6), 0.3)
        return {"sign": SIGN_AT + vector(0, 0, 0.7)}
    if m.pose.prop == "cup":
        return {"cup": _cup(m)}
    if m.pose.prop == "bicycle":
        _bicycle(m)
    return {}


def _cup(m: Making) -> Vector:
    index = 0 if m.pose.mirrored else 1
    place, wrist, rig = m.bones.hands[index], m.bones.arms[index].end, m.rig
    middle = wrist + (place.fingers * 8.6 + place.palm * 4.6 + place.across * 0.4) * m.build.hand
    up, front = vector(0, 1, 0), (0, 0, 1)
    m.use("cup", types.PLAIN, "room")
    rig.limb(PROP, 20, 0.2, middle - up * 5.6, middle + up * 5.6, front, (2.9, 4.0), (2.9, 4.0), flat=(1, 1))
    m.use("sleeve", types.PLAIN, "room")
    rig.limb(PROP, 22, 0.1, middle - up * 2.8, middle + up * 2.4, front, (3.28, 3.78), (3.28, 3.78), flat=(1, 1))
    m.use("lid", types.RUBBER, "room")
    rig.limb(PROP2, 21, 0.1, middle + up * 5.3, middle + up * 6.3, front, (4.25, 4.25), (4.25, 4.25), flat=(1, 1))
    rig.limb(PROP2, 21, 0.1, middle + up * 6.2, middle + up * 7.2, front, (3.7, 3.4), (3.7, 3.4), flat=(1, 1))
    return middle


def _bicycle(m: Making) -> None:
    rig = m.rig
    rear, fore = vector(0, 34, -50), vector(0, 34, 54)
    m.use("tyre", types.RUBBER, "room")
    for hub in (rear, fore):
        rig.torus(PROP2, 20, hub, (1, 0, 0), 32.4, 1.7)
    m.use("steel", types.STEEL, "room")
    for hub in (rear, fore):
        rig.torus(PROP, 22, hub, (1, 0, 0), 30.2, 0.7)
        rig.cone(PROP, 22, 0.1, hub - vector(3, 0, 0), hub + vector(3, 0, 0), 2, 2)
        for degrees in range(0, 180, 18):
            spoke = vector(0, math.sin(math.radians(degrees)) * 30, math.cos(math.radians(degrees)) * 30)
            rig.cone(PROP, 22, 0.05, hub - spoke, hub + spoke, 0.14, 0.14)
    crank, saddle, head = vector(0, 30, -4), vector(0, 84, -16), vector(0, 84, 38)
    m.use("paint", types.PLAIN, "room")
    x4 = vector(4, 0, 0)
    post = saddle - vector(0, 10, -2)
    for a, b, radius in (
        (crank, saddle, 1.5), (crank, head - vector(0, 10, -4), 1.7), (post, head, 1.5), (rear + x4, crank, 0.9),
        (rear - x4, crank, 0.9), (rear + x4, post, 0.8), (rear - x4, post, 0.8), (head, fore + x4, 1.1), (head,
        fore - x4, 1.1),
        (head, head + vector(0, 14, -3), 1.4),
    ):  # fmt: skip
        rig.cone(PROP, 23, 0.3, a, b, radius, radius)
    m.use("tyre", types.RUBBER, "room")
    stem = head + vector(0, 15, -1)
    for sign in (-1, 1):  # swept bars: the grips lie in the hands
        grip = bar_end(m, 0 if sign < 0 else 1)
        rig.cone(PROP2, 24, 0.3, stem, grip[0], 1.0, 1.0)
        rig.cone(PROP2, 24, 0.3, grip[0], grip[1], 1.25, 1.25)
    rig.cone(PROP2, 25, 2.0, vector(0, 86, -24), vector(0, 86, -6), 5, 2.5)
    rig.torus(PROP2, 26, crank, (1, 0, 0), 9, 0.8)
    for index, sign in enumerate((-1, 1)):
        under = m.bones.legs[index].end - m.bones.feet[index].up * 8.6 + m.bones.feet[index].forward * 9
        pedal = vector(sign * 10.5, float(under[1]), float(under[2]))
        rig.cone(PROP2, 26, 0.1, crank + vector(sign * 6, 0, 0), vector(sign * 6.5, pedal[1], pedal[2]), 1, 1)
        rig.box(PROP2, 27, pedal, _EYE, (5, 0.9, 4), 0.4)


def bar_end(m: Making, index: int) -> tuple[Vector, Vector]:
    """Both ends of a handlebar's grip, through the hand."""
    place, wrist = m.bones.hands[index], m.bones.arms[index].end
    middle = wrist + (place.fingers * 8.2 + place.palm * 2.6) * m.build.hand
    across = place.across * (1.0 if float(place.across[0]) * (index * 2 - 1) < 0 else -1.0)  # towards the stem
    return middle + across * 5.5, middle - across * 6.0
