"""Earrings and headphones: what hangs at the ears or covers them."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.engines.studio.accessories.frame import HeadFrame, Skull
from portrayal.engines.studio.accessories.solids import Part, ball, tube
from portrayal.engines.studio.types import Subject
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.imaging import F64
from portrayal.perception.types import HAIR, SKIN

_METAL: Final = (0.20, 0.60, 0.0, 0.92)
_PEARL: Final = (0.22, 0.06, 0.05, 0.0)
# Landmarks where the lobes begin, and how far outside of them they hang, cm.
_LOBES: Final = ((132, 93), (361, 323))
_OUT: Final = 0.75


def earrings(frame: HeadFrame, subject: Subject, cut: str, cloth: Cloth) -> list[Part]:
    """Earrings at the lobes that can be seen; none when no lobe can."""
    parts: list[Part] = []
    for side, marks in ((-1, _LOBES[0]), (1, _LOBES[1])):
        lobe = frame.mark(*marks).astype(np.float64) + np.array([side * _OUT, -0.25, 2.0])
        if not _seen(frame, subject, lobe, side):
            continue
        parts += _one(lobe, side, cut, cloth)
    return parts


def _seen(frame: HeadFrame, subject: Subject, lobe: F64, side: int) -> bool:
    """Whether ear or hair is where an earring would hang, and the head is not turned away."""
    if side * frame.yaw > 10:
        return False
    pixels, _ = frame.project(lobe)
    x, y = (int(v) for v in np.round(pixels))
    r = max(1, round(0.5 * frame.scale))
    rows, columns = subject.alpha.shape
    if not (r <= x < columns - r and r <= y < rows - r):
        return False
    near = subject.regions[y - r : y + r + 1, x - r : x + r + 1]
    own = subject.own if subject.own is not None else subject.alpha
    there = own[y - r : y + r + 1, x - r : x + r + 1] > 0.5
    return bool((np.isin(near, (HAIR, SKIN, 1)) & there).mean() > 0.25)


def _one(lobe: F64, side: int, cut: str, cloth: Cloth) -> list[Part]:
    if cut == "hoop":
        t = np.linspace(0, 2 * np.pi, 49)
        radius = 1.55
        # Hoops hang a little turned, so that they are seen as rings.
        turn = 0.9
        x = np.sin(t) * radius
        path = np.stack([side * x * np.cos(turn), radius - np.cos(t) * radius, -x * np.sin(turn)], -1)
        ring = tube(lobe + path, 0.13, 0.13, cloth=cloth, closed=True, up=(-side * np.sin(turn), 0.0, -np.cos(turn)))
        return [_metal(ring)]
    stud = ball(lobe + np.array([0, 0, -0.25]), 0.20, cloth=_setting(cloth))
    if cut == "stud":
        return [_of(ball(lobe + np.array([0, 0, -0.3]), 0.34, cloth=cloth), cloth)]
    hook = tube(
        lobe + np.array([[0, 0.1, -0.2], [0, 0.5, -0.2], [0, 1.0, -0.2]]),
        0.05,
        cloth=_setting(cloth),
        up=(0.0, 0.0, -1.0),
    )
    drop = ball(lobe + np.array([0, 1.45, -0.2]), (0.46, 0.62, 0.46), cloth=cloth)
    if cut == "pearl":
        return [_of(ball(lobe + np.array([side * 0.05, 0.35, -0.35]), 0.52, cloth=cloth), cloth), _metal(stud)]
    return [_metal(stud), _metal(hook), _of(drop, cloth)]


def _setting(cloth: Cloth) -> Cloth:
    return Cloth("#c9a24a", "metal") if cloth.fabric == "pearl" else cloth


def _metal(part: Part) -> Part:
    return Part(part.at, part.uv, part.cloth, material=_METAL)


def _of(part: Part, cloth: Cloth) -> Part:
    return Part(part.at, part.uv, cloth, material=_PEARL if cloth.fabric == "pearl" else _METAL)


def headphones(frame: HeadFrame, skull: Skull, cloth: Cloth) -> list[Part]:
    """A padded band over the hair and a cup at each ear."""
    ears = frame.mark(127, 356)
    middle = np.array([0.0, float(ears[1]) + 0.7, float(ears[2]) + 2.2])
    half = float(np.clip(max(-skull.left, skull.right) - 0.6, 7.7, 9.2))
    top = float(np.clip(skull.top + 0.3, -14.0, -11.0))
    t = np.linspace(-np.pi / 2, np.pi / 2, 61)
    up = middle[1] - 1.0 - top
    path = np.stack(
        [np.sin(t) * (half + 1.0), middle[1] - 1.0 - np.abs(np.cos(t)) ** 0.85 * up, np.full_like(t, middle[2] - 0.3)],
        -1,
    )
    dark = Cloth("#1a1b1d", "leather")
    parts = [
        _shiny(_strap(path, cloth)),
    ]
    for side in (-1, 1):
        parts += _cup(middle + np.array([side * half, 0.3, 0.0]), side, cloth, dark)
    return parts


def _strap(path: F64, cloth: Cloth) -> Part:
    """The band: wide from front to back, thin."""
    return tube(path, 1.5, 0.42, cloth=cloth, boxy=3.2, up=(0.0, 0.0, -1.0))


def _shiny(part: Part) -> Part:
    return Part(part.at, part.uv, part.cloth, material=(0.32, 0.05, 0.0, 0.0))


def _cup(centre: F64, side: int, cloth: Cloth, dark: Cloth) -> list[Part]:
    """A cup turned on its axis, which points outwards and a little forward: cushion, shell, a cap."""

    def turned(profile: list[tuple[float, float]], of: Cloth, material: tuple[float, float, float, float]) -> Part:
        out = np.interp(np.linspace(0, 1, 30), np.linspace(0, 1, len(profile)), [p[0] for p in profile])[:, None]
        r = np.interp(np.linspace(0, 1, 30), np.linspace(0, 1, len(profile)), [p[1] for p in profile])[:, None]
        u = np.linspace(0, 2 * np.pi, 49)[None]
        x = side * out + 0 * u
        y, z = -np.cos(u) * r * 1.15, -np.sin(u) * r
        toe = 0.16 * side
        at = np.stack([x * np.cos(toe) + z * np.sin(toe) * 1.0, y, z * np.cos(toe) - x * np.sin(toe)], -1) + centre
        uv = np.stack(np.broadcast_arrays(u * 3.4, r), -1)
        return Part(at.astype(np.float32), uv.astype(np.float32), of, material=material)

    cushion = [(-0.9, 2.4), (-0.8, 3.2), (-0.3, 3.75), (0.3, 3.85), (0.8, 3.5), (0.9, 3.0)]
    shell = [(0.7, 3.3), (0.9, 3.55), (1.5, 3.45), (2.1, 3.0), (2.5, 2.3), (2.65, 1.2), (2.7, 0.02)]
    return [turned(cushion, dark, (0.62, 0.04, 0.05, 0.0)), turned(shell, cloth, (0.30, 0.05, 0.0, 0.0))]
