"""Hands: a palm, four fingers of three bones and a thumb, curled as `hands.toml` says."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from portrayal.engines.studio.figure import types
from portrayal.engines.studio.figure.rows import Rig, U, V, Vector, W, unit
from portrayal.engines.studio.figure.skeleton import HandPlace

_LENGTHS: Final = (7.2, 8.0, 7.4, 5.8)
"""Index to little finger, cm; the bones share them as `_BONES`. Greiner 1991, mean of women and men."""
_BONES: Final = (0.45, 0.29, 0.22)
_RADII: Final = (0.91, 0.95, 0.91, 0.80)
_ROOTS: Final = ((8.5, 2.9), (9.0, 0.98), (8.7, -0.95), (8.1, -2.75))
"""Along and across the palm."""
_FAN: Final = (1.1, 0.25, -0.5, -1.35)


@dataclass(frozen=True)
class Shape:
    """One entry of `hands.toml`."""

    fingers: tuple[tuple[float, float, float], ...]
    thumb: tuple[float, float]
    spread: float
    rest: Literal["palm", "knuckles", "wrist"]


@cache
def shapes() -> MappingProxyType[str, Shape]:
    """All shapes of a hand by id."""
    text = resources.files("portrayal.engines.studio.figure").joinpath("hands.toml").read_text("utf-8")
    found = {}
    for name, entry in tomllib.loads(text).items():
        fingers = tuple((float(a), float(b), float(c)) for a, b, c in entry["fingers"])
        found[name] = Shape(
            fingers, (float(entry["thumb"][0]), float(entry["thumb"][1])), entry["spread"], entry["rest"]
        )
    return MappingProxyType(found)


def probes(wrist: Vector, place: HandPlace, size: float) -> list[tuple[Vector, float]]:
    """Points of a hand and their radii in cm, which shall touch what the hand is laid on, or at least not enter it."""

    def at(along: float, out: float) -> Vector:
        return wrist + (place.fingers * along + place.palm * out) * size

    if shapes()[place.shape].rest == "knuckles":
        return [(at(3.0, 0.0), 1.9 * size), (at(7.0, 1.2), 2.9 * size), (at(9.0, 1.2), 2.7 * size)]
    if shapes()[place.shape].rest == "wrist":
        return [(at(1.0, 0.0), 1.4 * size)]
    return [(at(2.0, 0.0), 1.8 * size), (at(6.0, 0.3), 1.7 * size), (at(9.5, 0.4), 1.5 * size)]


def hand(
    rig: Rig, group: int, chain: int, wrist: Vector, place: HandPlace, size: float, *, glove: float | None = None
) -> None:
    """Add one hand.

    Args:
        rig: its `using` says cloth and frame.
        group, chain: of the rows; the chain of the forearm, so that the wrist is smooth.
        wrist: where it begins.
        place: directions and shape.
        size: factor of the hand.
        glove: thickness of a glove in cm; None = bare.
    """
    shape = shapes()[place.shape]
    u, n, b = place.fingers, place.palm, place.across
    thick = glove or 0.0
    cloth, _, frame = rig.using
    kinds = (types.PALM, types.FINGER, types.FINGER_TIP) if glove is None else (types.GLOVE,) * 3

    def at(along: float, across: float, out: float) -> Vector:
        return wrist + (u * along + b * across + n * out) * size

    rig.use(cloth, kinds[0], frame)
    width = np.array([2.6, 2.75, 3.2, 3.65, 3.85, 3.6])
    depth = np.array([2.0, 1.75, 1.5, 1.42, 1.3, 1.1])
    rig.limb(group, chain, 1.5, at(-1.4, 0, 0), at(9.0, 0, 0), n, (width + thick) * size, (depth + thick) * size)
    rig.cone(group, chain, 1.1, at(1.6, 1.5, 0.7), at(5.4, 2.9, 0.85), (1.5 + thick) * size, (1.2 + thick) * size)
    rig.cone(group, chain, 1.1, at(2.0, -2.0, 0.5), at(6.6, -2.5, 0.4), (1.25 + thick) * size, (1.15 + thick) * size)
    for index in range(4):
        along, across = _ROOTS[index]
        fan = math.radians(shape.spread * _FAN[index])
        ahead = u * math.cos(fan) + b * math.sin(fan)
        start, curl = at(along, across, 0.05), 0.0
        for joint in range(3):
            curl += math.radians(shape.fingers[index][joint])
            way = ahead * math.cos(curl) + n * math.sin(curl)
            end = start + way * (_LENGTHS[index] * _BONES[joint] * size)
            radius = (_RADII[index] + thick - 0.06 * joint) * size
            rig.use(cloth, kinds[2 if joint == 2 else 1], frame)
            row = rig.cone(group, chain, 0.45, start, end, radius, radius - 0.07)
            inner = n * math.cos(curl) - ahead * math.sin(curl)
            inner = unit(inner - way * float(inner @ way))
            row[W : W + 3], row[V : V + 3] = inner, np.cross(row[U : U + 3], inner)
            start = end
    _thumb(rig, group, chain, at(3.6, 2.8, 0.8), place, shape.thumb, size, thick, kinds[2])


def _thumb(
    rig: Rig,
    group: int,
    chain: int,
    root: Vector,
    place: HandPlace,
    angles: tuple[float, float],
    size: float,
    thick: float,
    tip: int,
) -> None:
    u, n, b = place.fingers, place.palm, place.across
    spread, curl = (math.radians(a) for a in angles)
    first = unit(u * math.cos(spread) + b * math.sin(spread) + n * (0.30 + 0.5 * max(curl - 0.6, 0.0)))
    bent = n * 0.55 + u * 0.5 - b * 0.55 if curl < 0.8 else n * 0.35 + u * 0.25 - b * 0.9
    second = unit(first * math.cos(curl) + bent * math.sin(curl))
    middle = root + first * 3.8 * size
    end = middle + second * 3.0 * size
    rig.cone(group, chain, 0.8, root, middle, (1.2 + thick) * size, (1.0 + thick) * size)
    cloth, _, frame = rig.using
    rig.use(cloth, tip, frame)
    row = rig.cone(group, chain, 0.4, middle, end, (0.98 + thick) * size, (0.80 + thick) * size)
    inner = unit(n * 0.6 - b * 0.8)
    inner = unit(inner - second * float(inner @ second))
    row[W : W + 3], row[V : V + 3] = inner, np.cross(row[U : U + 3], inner)
